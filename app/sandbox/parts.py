"""How many parts a text takes on the air. The carrier's own count, on purpose not shared with the product."""

from dataclasses import dataclass
from functools import lru_cache

GSM_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")  # an escape and a code: two septets


@dataclass(frozen=True)
class PartCount:
    """What a phone bill would say of one text."""

    encoding: str  # "GSM-7" or "UCS-2"
    units: int  # septets, or UTF-16 code units
    parts: int


@lru_cache(maxsize=4096)
def count_parts(text: str) -> PartCount:
    """Count exactly: no escape pair or surrogate pair is split between two parts. Empty text is no part."""
    if GSM_ALPHABET.issuperset(text.translate(_WITHOUT_EXTENSION)):
        widths = [2 if char in GSM_EXTENSION else 1 for char in text]
        return PartCount("GSM-7", sum(widths), _packed(widths, single=160, part=153))
    widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return PartCount("UCS-2", sum(widths), _packed(widths, single=70, part=67))


_WITHOUT_EXTENSION = {ord(char): None for char in GSM_EXTENSION}


def _packed(widths: list[int], *, single: int, part: int) -> int:
    total = sum(widths)
    if total <= single:
        return min(total, 1)
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts
