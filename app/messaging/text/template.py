"""Message texts with merge tags: compiled once per campaign, rendered once per recipient.

A compiled template is a row of literals and slots, so that a length is a sum: the renderer here and
arithmetic in SQL agree because both only concatenate. An empty value must not leave two blanks, so a
slot owns the blank beside it and takes it along.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

MERGE_VALUE_MAX = 40  # characters; a price quoted beforehand stays true whatever a customer is called

_TAG = r"\{\{[^{}]*\}\}"
TAG_PATTERN = re.compile(_TAG)
# Punctuation at the end belongs to the sentence, not to the address. Tags may be part of it.
URL_PATTERN = re.compile(
    rf"""(?<!\w)(?:https?://|www\.)(?:{_TAG}|[^\s<>"{{}}])*(?:{_TAG}|[^\s<>"{{}}.,!?;:')\]»”’…*])""",
    re.IGNORECASE,
)

_NAMES = {
    "firstname": "firstName",
    "lastname": "lastName",
    "discountcode": "discountCode",
    "shopname": "shopName",
    "phone": "phone",
    "email": "email",
}
_PERSONAL = frozenset({"firstname", "lastname", "phone", "email"})
_VARIABLE = re.compile(r"\w+(?:\.\w+)+")  # order.name, customer.firstName, …
# Lone surrogates come with JSON and cannot be stored; they count as controls here.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROLS_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DOUBLE_BRACES = re.compile(r"\{{2,}|\}{2,}")
_CLOSING = frozenset(" ,.!?;:\n")
_URL_AND_BLANKS = re.compile(URL_PATTERN.pattern + r"\s*", URL_PATTERN.flags)
_ELLIPSIS = "..."  # three dots: the single character is not in GSM-7


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that is the same for every recipient."""

    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one recipient's value; the blanks `before` and `after` vanish with an empty one."""

    name: str
    before: str = ""
    after: str = ""
    occurrence: int = 0  # counts the slots of this name, from 0


@dataclass(frozen=True)
class Template:
    """A compiled text. `unknown_tags` are tags that mean nothing here, as the author wrote them."""

    segments: tuple[Literal | Slot, ...]
    unknown_tags: tuple[str, ...] = ()

    @cached_property
    def slot_names(self) -> tuple[str, ...]:
        """Each slot's name once, in order of appearance."""
        return tuple(dict.fromkeys(part.name for part in self.segments if isinstance(part, Slot)))

    @cached_property
    def literal_text(self) -> str:
        """All literals joined, without the blanks that slots own."""
        return "".join(part.text for part in self.segments if isinstance(part, Literal))

    def render(self, values: Mapping[str, str | None]) -> str:
        """The text for one recipient. Names are matched without regard to case; no value means empty."""
        words = {name: clean_merge_value(_look_up(values, name)) for name in self.slot_names}
        rendered = []
        for part in self.segments:
            if isinstance(part, Literal):
                rendered.append(part.text)
            elif words[part.name]:
                rendered += (part.before, words[part.name], part.after)
        return "".join(rendered)


def clean_merge_value(value: str | None) -> str:
    """The value as it may stand in a text: one line, no braces, at most MERGE_VALUE_MAX characters."""
    return _clean(value or "")[:MERGE_VALUE_MAX].rstrip()


def compile_template(text: str, constants: Mapping[str, str] | None = None) -> Template:
    """Read the merge tags of `text`.

    `constants` are what is the same for everybody (shopName, discountCode, a link); they are written
    in at once and in full. First name, last name, phone, e-mail and dotted variables become slots;
    any other tag is replaced by nothing.
    """
    known = {_key(name): _clean(value) for name, value in (constants or {}).items()}
    marked, unknown = _resolve(text, known)
    return Template(_segments(marked), tuple(dict.fromkeys(unknown)))


def replace_long_urls(text: str, min_length: int, replacement: Callable[[str], str]) -> str:
    """Replace each web address of at least `min_length` characters by `replacement(address)`."""

    def shorter(found: re.Match[str]) -> str:
        url = found.group()
        return replacement(url) if len(url) >= min_length else url

    return URL_PATTERN.sub(shorter, text)


def fit(template: Template, tail: str, limit: int = 1600) -> Template:
    """Cut the end of the text so that it and `tail` fit in `limit` characters for every recipient.

    Slots count as MERGE_VALUE_MAX. A cut text ends in '...'; no tag and no address is cut in two.
    """
    flat, spans = _at_its_longest(template)
    if len(flat) + len(tail) <= limit:
        return template
    # From the first character to the last place where no cut may be. Dots may not touch an address.
    whole = [found.span() for found in _URL_AND_BLANKS.finditer(flat)]
    for (start, end), part in zip(spans, template.segments, strict=True):
        if isinstance(part, Slot):
            whole.append((start, end - 1))
    cut = max(0, limit - len(tail) - len(_ELLIPSIS))
    for start, last in sorted(whole, reverse=True):
        if start < cut <= last:
            cut = start
    return Template((*_up_to(cut, template, spans), Literal(_ELLIPSIS)), template.unknown_tags)


def _look_up(values: Mapping[str, str | None], name: str) -> str | None:
    if name in values:
        return values[name]
    key = _key(name)
    return next((value for spelling, value in values.items() if _key(spelling) == key), None)


def _key(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).casefold()


def _clean(value: str) -> str:
    # Without braces no value can join its neighbours into something that looks like a tag.
    return _CONTROLS.sub("", value).replace("{", "").replace("}", "").strip()


# --- compiling. Controls are stripped from what comes in, so two of them can serve as marks here.

_NOTHING = "\0"
_SLOT = "\1"
_GAP = re.compile(
    rf" {_NOTHING}+(?=[ ,.!?;:\n]|\Z)"  # the blank before goes where something else parts the words
    rf"|(?:\A|(?<=\n))(?:{_NOTHING}+ )+"  # at the start of a line, the blank behind
    rf"|{_NOTHING}"
)


def _resolve(text: str, known: Mapping[str, str]) -> tuple[str, list[str]]:
    """Write in what is known, take out what means nothing, mark the slots."""
    text = _CONTROLS_BUT_NEWLINE.sub("", text.replace("\t", " "))
    tokens = re.split(f"({_TAG})", text)  # literals at even places, tags at odd ones
    unknown = []
    for place, token in enumerate(tokens):
        if place % 2 == 0:
            tokens[place] = _without_stray_braces(token, place > 0, place < len(tokens) - 1)
            continue
        name = token[2:-2].strip()
        key = _key(name)
        if key not in known and (key in _PERSONAL or _VARIABLE.fullmatch(name)):
            tokens[place] = f"{_SLOT}{_NAMES.get(key, name)}{_SLOT}"
            continue
        tokens[place] = known.get(key) or _NOTHING
        if key not in known and key not in _NAMES:
            unknown.append(token)
    return _GAP.sub("", "".join(tokens)), unknown


def _without_stray_braces(literal: str, follows_tag: bool, precedes_tag: bool) -> str:
    while _DOUBLE_BRACES.search(literal):  # taking one pair out can bring another together
        literal = _DOUBLE_BRACES.sub("", literal)
    literal = literal.lstrip("}") if follows_tag else literal
    return literal.rstrip("{") if precedes_tag else literal


def _segments(marked: str) -> tuple[Literal | Slot, ...]:
    literals = marked.split(_SLOT)[0::2]
    names = marked.split(_SLOT)[1::2]
    seen: Counter[str] = Counter()
    slots = []
    opens = True  # whether all that stands before on this line may turn out empty
    for place, name in enumerate(names):
        before, after = _owned_blanks(literals, place, opens=opens)
        literals[place] = literals[place].removesuffix(" ") if before else literals[place]
        literals[place + 1] = literals[place + 1].removeprefix(" ") if after else literals[place + 1]
        slots.append(Slot(name, before, after, seen[name]))
        seen[name] += 1
        opens = after != ""
    rows: list[Literal | Slot] = [Literal(literals[0])]
    for slot, text in zip(slots, literals[1:], strict=True):
        rows += (slot, Literal(text))
    return tuple(row for row in rows if not isinstance(row, Literal) or row.text)


def _owned_blanks(literals: list[str], place: int, *, opens: bool) -> tuple[str, str]:
    """The blanks before and after this slot that go when it is empty: one of them, or none."""
    preceding, following = literals[place], literals[place + 1]
    if preceding.endswith(" ") and _closes(literals, place + 1):
        return " ", ""
    at_start = preceding.endswith("\n") or (opens and not preceding)
    if not at_start or not following.startswith(" "):
        return "", ""
    # "{{firstName}} {{lastName}}, …": the blank goes with the last name, which is missing more often.
    is_first = place == 0 or preceding != ""
    left_to_next = is_first and following == " " and _closes(literals, place + 2, but=" ")
    return ("", "") if left_to_next else ("", " ")


def _closes(literals: list[str], place: int, but: str = "") -> bool:
    """Whether the literal after a slot begins with something that parts words, or the text ends."""
    if place >= len(literals):
        return False
    if not literals[place]:
        return place == len(literals) - 1
    return literals[place][0] in _CLOSING and literals[place][0] != but


# --- fitting

_ANY_CHARACTER = "\ue000"  # stands for a merge value; private use, so it is neither blank nor punctuation


def _at_its_longest(template: Template) -> tuple[str, list[tuple[int, int]]]:
    """The text with every slot at its longest, and where each segment begins and ends in it."""
    flat, spans = "", []
    for part in template.segments:
        start = len(flat)
        if isinstance(part, Literal):
            flat += part.text
        else:
            flat += part.before + _ANY_CHARACTER * MERGE_VALUE_MAX + part.after
        spans.append((start, len(flat)))
    return flat, spans


def _up_to(cut: int, template: Template, spans: list[tuple[int, int]]) -> list[Literal | Slot]:
    kept: list[Literal | Slot] = []
    for (start, end), part in zip(spans, template.segments, strict=True):
        if isinstance(part, Literal) and start < cut:
            text = part.text[: cut - start]
            kept.append(Literal(text.rstrip() if end >= cut else text))
        elif end <= cut:
            kept.append(part)
    return kept
