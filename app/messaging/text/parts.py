"""How many SMS parts a text takes: the number that is billed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.messaging.text.alphabet import GSM_EXTENSION, septets, utf16_units


class Encoding(StrEnum):
    """How the carrier writes a text. One character outside GSM-7 turns all of it into UCS-2."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


# Units in a message of one part, and in each part of a longer one (its header takes the rest).
SINGLE_UNITS = {Encoding.GSM7: 160, Encoding.UCS2: 70}
PART_UNITS = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class PartCount:
    """`units` are septets in GSM-7 and UTF-16 code units in UCS-2. The empty text has no parts."""

    encoding: Encoding
    units: int
    parts: int


def count_parts(text: str) -> PartCount:
    """Count exactly as carriers split: a character of two units is never cut in half."""
    units = septets(text)
    if units is not None:
        return PartCount(Encoding.GSM7, units, _parts(text, units, Encoding.GSM7))
    units = utf16_units(text)
    return PartCount(Encoding.UCS2, units, _parts(text, units, Encoding.UCS2))


def _parts(text: str, units: int, encoding: Encoding) -> int:
    if units <= SINGLE_UNITS[encoding]:
        return 1 if units else 0
    room = PART_UNITS[encoding]
    fewest = -(-units // room)
    # A full part wastes one unit at most, so the true number lies between these two.
    most = -(-units // (room - 1))
    if fewest == most or units == len(text):
        return fewest
    return _packed(_widths(text, encoding), room)


def _widths(text: str, encoding: Encoding) -> Iterable[int]:
    if encoding is Encoding.GSM7:
        return (2 if character in GSM_EXTENSION else 1 for character in text)
    return (2 if character > "\uffff" else 1 for character in text)


def _packed(widths: Iterable[int], room: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
