"""Cheaper spellings of a text: characters outside GSM-7 replaced by ones that read the same."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from app.messaging.text.alphabet import septets
from app.messaging.text.parts import Encoding, PartCount, count_parts
from app.messaging.text.template import TAG_PATTERN, URL_PATTERN

# The sets that carriers and aggregators agree on (Twilio's smart encoding list and its like).
_SPELLINGS: dict[str, str] = {
    **dict.fromkeys("«»“”„ʺˮ‟❝❞〝〞＂", '"'),
    **dict.fromkeys("‘’‚ʻˈʼʽʹ‛＇´ˊ`ˋ❛❜", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63•", "-"),
    **dict.fromkeys("\t\u00a0\u202f\u205f\u3000", " "),
    **{chr(blank): " " for blank in range(0x2000, 0x200B)},
    **dict.fromkeys("\u200b\u2060\ufeff", ""),  # no joiner: it holds emoji together
    **dict.fromkeys("⁄∕", "/"),
    "…": "...",
}
_FULLWIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_TYPOGRAPHY = {**_FULLWIDTH, **_SPELLINGS}

_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
# GSM-7 has no second copy of the Greek capitals that look like Latin ones: the standard means these.
_LOOK_ALIKES = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX")

_CLUSTER = re.compile(r".[\u0300-\u036f]*", re.DOTALL)  # a character and the accents on it
# What is never respelled.
EXACT = re.compile(f"{URL_PATTERN.pattern}|{TAG_PATTERN.pattern}", URL_PATTERN.flags)

# In a text with merge tags each tag is measured as a value of this many plain letters.
_TYPICAL_VALUE = "x" * 8

_Respell = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Replacement:
    """One spelling that was changed, and how often."""

    original: str
    replacement: str
    count: int


@dataclass(frozen=True, slots=True)
class SmartEncoding:
    """The outcome. When not `applied`, `text` is what came in and both counts are equal.

    `encoding` and the parts are those of the text with its tail.
    """

    text: str
    applied: bool
    replaced: tuple[Replacement, ...]
    encoding: Encoding
    parts_before: int
    parts_after: int


def smart_encode(text: str, *, tail: str = "", greek: bool = False) -> SmartEncoding:
    """Respell `text` if, and only if, text and `tail` then take fewer parts.

    Web addresses and merge tags are never touched, nor is the tail. `greek` allows compress_greek's
    spelling as well. Among equally cheap spellings the one nearest to the original wins.
    """
    before = _measure(text + tail)
    respellings: list[_Respell] = [_shortening, _typography]
    if greek:
        respellings.append(_greek_capitals)
    best, best_replaced, best_count = text, Counter[tuple[str, str]](), before
    for respell in respellings:
        candidate, replaced = _respelled(text, respell)
        count = _measure(candidate + tail)
        if count.parts < best_count.parts:
            best, best_replaced, best_count = candidate, replaced, count
    changes = tuple(Replacement(old, new, times) for (old, new), times in best_replaced.items())
    applied = best_count is not before
    return SmartEncoding(best, applied, changes, best_count.encoding, before.parts, best_count.parts)


def cheap_spelling(character: str) -> str | None:
    """How a character (with the accents on it) may be written in GSM-7; None when nothing reads the same."""
    for respell in (_typography, _greek_capitals):
        spelling = respell(character)
        if septets(spelling) is not None:
            return spelling
    return None


def compress_greek(text: str) -> str:
    """Greek in capitals without accents, Latin look-alikes where GSM-7 has no Greek letter.

    Other letters stay; web addresses and merge tags are not touched.
    """
    return _respelled(text, _greek_only)[0]


def _measure(text: str) -> PartCount:
    return count_parts(TAG_PATTERN.sub(_TYPICAL_VALUE, text))


def _respelled(text: str, respell: _Respell) -> tuple[str, Counter[tuple[str, str]]]:
    replaced: Counter[tuple[str, str]] = Counter()

    def respell_cluster(found: re.Match[str]) -> str:
        old = found.group()
        new = respell(old)
        if new != old:
            replaced[old, new] += 1
        return new

    rows: list[str] = []
    end = 0
    for exact in EXACT.finditer(text):
        rows += (_CLUSTER.sub(respell_cluster, text[end : exact.start()]), exact.group())
        end = exact.end()
    rows.append(_CLUSTER.sub(respell_cluster, text[end:]))
    return "".join(rows), replaced


def _typography(cluster: str) -> str:
    composed = unicodedata.normalize("NFC", cluster)
    return "".join(_TYPOGRAPHY.get(character, character) for character in composed)


def _shortening(cluster: str) -> str:
    # A text that stays in UCS-2 keeps its quotes and dashes: only what saves units is worth changing.
    shorter = _typography(cluster)
    return shorter if len(shorter) < len(cluster) else cluster


def _greek_only(cluster: str) -> str:
    if not _GREEK.match(cluster):
        return cluster
    letters = unicodedata.normalize("NFD", cluster)
    plain = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return plain.upper().translate(_LOOK_ALIKES)


def _greek_capitals(cluster: str) -> str:
    return _greek_only(_typography(cluster))
