"""What a call takes: each parameter has a reader, which gives its value or refuses as Stripe does.

An empty text unsets what it names: it is read as None.
"""

from collections.abc import Callable
from typing import Any

from app.sandbox.stripe.errors import MissingParameter, Refusal, UnknownParameter
from app.sandbox.stripe.forms import Raw

Reader = Callable[[Any, str], Any]  # (what was sent, its full name) -> its value

METADATA_KEYS, METADATA_NAME, METADATA_VALUE = 50, 40, 500  # docs.stripe.com/api/metadata


def text(longest: int = 5000) -> Reader:
    """A text."""

    def read(sent: Any, name: str) -> str | None:
        _require_scalar(sent, name, "string")
        if len(sent) > longest:
            raise Refusal(f"Invalid string: {sent[:12]}…; must be at most {longest} characters", param=name)
        return sent or None

    return read


def integer(least: int | None = None, most: int | None = None) -> Reader:
    """A whole number."""

    def read(sent: Any, name: str) -> int | None:
        _require_scalar(sent, name, "integer")
        if sent == "":
            return None
        try:
            number = int(sent)
        except ValueError:
            raise Refusal(f"Invalid integer: {sent}", param=name, code="parameter_invalid_integer") from None
        if least is not None and number < least:
            raise Refusal(f"This value must be greater than or equal to {least}.", param=name)
        if most is not None and number > most:
            raise Refusal(f"This value must be less than or equal to {most}.", param=name)
        return number

    return read


def boolean(sent: Any, name: str) -> bool | None:
    """`true` or `false`."""
    _require_scalar(sent, name, "boolean")
    if sent not in ("true", "false", ""):
        raise Refusal(f"Invalid boolean: {sent}", param=name)
    return None if sent == "" else bool(sent == "true")


def word(*known: str) -> Reader:
    """One of these words."""

    def read(sent: Any, name: str) -> str | None:
        _require_scalar(sent, name, "string")
        if sent and sent not in known:
            choices = " or ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)
            raise Refusal(f"Invalid {name}: must be one of {choices}", param=name)
        return sent or None

    return read


def instant_or(*known: str) -> Reader:
    """Seconds since 1970, or one of these words."""
    number, words = integer(0), word(*known) if known else None

    def read(sent: Any, name: str) -> int | str | None:
        if words is not None and isinstance(sent, str) and not sent.isdigit():
            return words(sent, name)  # type: ignore[no-any-return]
        return number(sent, name)  # type: ignore[no-any-return]

    return read


def members(**readers: Reader) -> Reader:
    """A mapping with these members and no others."""

    def read(sent: Any, name: str) -> dict[str, Any] | None:
        if sent == "":
            return None
        if not isinstance(sent, dict):
            raise Refusal("Invalid object", param=name)
        found = {}
        for member, value in sent.items():
            full = f"{name}[{member}]" if name else member
            if member not in readers:
                raise UnknownParameter(full)
            found[member] = readers[member](value, full)
        return found

    return read


def many(reader: Reader) -> Reader:
    """A list."""

    def read(sent: Any, name: str) -> list[Any] | None:
        if sent == "":
            return None
        if not isinstance(sent, dict) or not all(step.isdigit() for step in sent):
            raise Refusal("Invalid array", param=name)
        return [reader(sent[step], f"{name}[{step}]") for step in sorted(sent, key=int)]

    return read


def metadata(sent: Any, name: str) -> dict[str, str | None]:
    """Names and texts of the caller's own; an empty text takes a name away."""
    if sent == "":
        return {}
    if not isinstance(sent, dict):
        raise Refusal("Invalid object", param=name)
    if len(sent) > METADATA_KEYS:
        raise Refusal(f"Metadata can have at most {METADATA_KEYS} keys.", param=name)
    for key, value in sent.items():
        if not isinstance(value, str):
            raise Refusal("Metadata values must be strings.", param=f"{name}[{key}]")
        if len(key) > METADATA_NAME:
            message = f"Metadata keys can be up to {METADATA_NAME} characters. Yours: {len(key)}."
            raise Refusal(message, param=name)
        if len(value) > METADATA_VALUE:
            message = f"Metadata values can be up to {METADATA_VALUE} characters. Yours: {len(value)}."
            raise Refusal(message, param=f"{name}[{key}]")
    return {key: value or None for key, value in sent.items()}


def anything(sent: Any, name: str) -> Any:
    """Whatever it is, it makes no difference here."""
    return sent


def read_all(reader: Reader, sent: Raw, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The parameters of one call. Raises Refusal."""
    found: dict[str, Any] = reader(sent, "")
    for name in required:
        if found.get(name) is None:
            raise MissingParameter(name)
    return found


def merged(before: dict[str, str], change: dict[str, str | None] | None) -> dict[str, str]:
    """Metadata after an update: an empty change of everything clears it, None changes nothing."""
    if change is None:
        return before
    if not change:
        return {}
    after = before | change
    return {key: value for key, value in after.items() if value is not None}


def _require_scalar(sent: Any, name: str, kind: str) -> None:
    if not isinstance(sent, str):
        raise Refusal(f"Invalid {kind}: {sent}", param=name)
