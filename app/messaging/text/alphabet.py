"""The GSM 03.38 alphabet and the two ways to measure a text: septets and UTF-16 units."""

import re

# In the order of the standard, positions 0x00 to 0x7F without 0x1B, the escape to the extension.
GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these is sent as the escape and a second septet.
GSM_EXTENSION = "\f^{}\\[~]|€"

_OUTSIDE_GSM = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENSION)}]")
_OUTSIDE_BASIC = re.compile(f"[^{re.escape(GSM_BASIC)}]")


def septets(text: str) -> int | None:
    """Length in GSM-7 septets, or None when the text has a character outside the alphabet."""
    if _OUTSIDE_BASIC.search(text) is None:
        return len(text)
    if _OUTSIDE_GSM.search(text) is not None:
        return None
    return len(text) + sum(map(text.count, GSM_EXTENSION))


def utf16_units(text: str) -> int:
    """Length in UTF-16 code units, which is what UCS-2 messages and JavaScript count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def first_non_gsm(text: str) -> str | None:
    """The first character that turns the text into UCS-2, or None."""
    found = _OUTSIDE_GSM.search(text)
    return found.group() if found else None
