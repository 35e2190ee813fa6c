"""Message ids as the carrier makes them: 26 characters, Crockford base 32, sortable by millisecond."""

import os
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIVE_BITS = bytes(ord(ALPHABET[byte & 31]) for byte in range(256))
_RANDOM_CHARACTERS = 16


def new_ulids(count: int) -> list[str]:
    """`count` fresh ids of this millisecond, from one draw of randomness."""
    prefix = _milliseconds(time.time_ns() // 1_000_000)
    noise = os.urandom(count * _RANDOM_CHARACTERS).translate(_FIVE_BITS).decode("ascii")
    return [prefix + noise[at : at + _RANDOM_CHARACTERS] for at in range(0, len(noise), _RANDOM_CHARACTERS)]


def _milliseconds(value: int) -> str:
    return "".join(ALPHABET[value >> shift & 31] for shift in range(45, -1, -5))
