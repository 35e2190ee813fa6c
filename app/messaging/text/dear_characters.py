"""The characters of a text that may cost more than others, where they stand, and what could stand there."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.messaging.text.alphabet import GSM_EXTENSION, septets
from app.messaging.text.smart_encoding import EXACT, cheap_spelling

# What people take for one character: a flag, or one with accents and skin tones and what is joined to it.
_ON_IT = "[\u0300-\u036f\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d."
_CHARACTER = re.compile(f"[\x00-\x1f\x7f-\x9f]|[\U0001f1e6-\U0001f1ff]{{2}}|.(?:{_ON_IT})*", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# One septet each for what takes two; what has no spelling of its own becomes a star.
_NARROW = dict(zip("^{}\\[~]|€", "*()/(-)/E", strict=True))
_STAND_IN = "*"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a character stands; both count from 1, a column is a code point."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class DearCharacter:
    """A character outside GSM-7 (it `forces_unicode`), or one of two septets."""

    character: str
    replacement: str
    forces_unicode: bool
    places: tuple[Place, ...]


def dear_characters(text: str) -> list[DearCharacter]:
    """Each such character once, in order of appearance. Web addresses and merge tags are passed over."""
    places: dict[str, list[Place]] = {}
    for start, character in _characters(text):
        if _is_dear(character):
            line_start = text.rfind("\n", 0, start) + 1
            place = Place(text.count("\n", 0, start) + 1, start - line_start + 1)
            places.setdefault(character, []).append(place)
    return [
        DearCharacter(one, replacement_of(one), septets(one) is None, tuple(found))
        for one, found in places.items()
    ]


def without(text: str, characters: Collection[str]) -> str:
    """`text` with its replacement wherever one of `characters` stands outside addresses and merge tags."""
    wanted = {character: replacement_of(character) for character in characters}
    pieces, end = [], 0
    for start, character in _characters(text):
        pieces += [text[end:start], wanted.get(character, character)]
        end = start + len(character)
    return "".join([*pieces, text[end:]])


def replacement_of(character: str) -> str:
    """What reads the same in GSM-7, else a star."""
    if character in _NARROW:
        return _NARROW[character]
    spelling = cheap_spelling(character)
    return _STAND_IN if spelling is None else spelling


def _is_dear(character: str) -> bool:
    is_stripped = _CONTROL.match(character) is not None
    return not is_stripped and (septets(character) is None or character in GSM_EXTENSION)


def _characters(text: str) -> Iterator[tuple[int, str]]:
    end = 0
    for exact in [*EXACT.finditer(text), None]:
        stop = len(text) if exact is None else exact.start()
        for found in _CHARACTER.finditer(text, end, stop):
            yield found.start(), found.group()
        end = stop if exact is None else exact.end()
