"""Form bodies as Stripe's clients write them: `items[0][price]=price_1&expand[]=customer`."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from app.sandbox.stripe.errors import Refusal

Raw = dict[str, Any]  # values are texts, or Raw again; a list is a Raw with numbers for names

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(text: str) -> Raw:
    """The parameters as nested mappings. Raises Refusal for a name whose brackets make no sense."""
    return nested(parse_qsl(text, keep_blank_values=True))


def nested(pairs: Iterable[tuple[str, str]]) -> Raw:
    """The same, of names and values that are already apart."""
    root: Raw = {}
    for name, value in pairs:
        *folders, last = _steps(name)
        place = root
        for folder in folders:
            place = place.setdefault(_number(place, folder), {})
            if not isinstance(place, dict):
                raise Refusal(f"Invalid parameter: {name}", param=name)
        place[_number(place, last)] = value
    return root


def _steps(name: str) -> list[str]:
    found = NAME.fullmatch(name)
    if found is None:
        raise Refusal(f"Invalid parameter: {name}", param=name)
    return [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]


def _number(place: Raw, step: str) -> str:
    return step or str(len(place))  # `expand[]=a&expand[]=b`
