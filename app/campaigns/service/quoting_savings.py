"""What would make a campaign cheaper: its spelling, and each character that costs more than others.

Everything is worded and priced anew, as if the merchant had written it so, for the people whom the campaign
reaches as it is; one statement prices all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.campaigns.models import Campaign
from app.campaigns.service.costing import Cost
from app.campaigns.service.wording import Spelling, spelling_of, wording_of
from app.messaging.service.comparing import differences
from app.messaging.text.alphabet import septets
from app.messaging.text.dear_characters import DearCharacter, dear_characters, without
from app.messaging.wording import Wording
from app.shops.service import Shop

CHARACTERS_MOST = 40  # different ones, those that stand most often; each may be a price of its own
LINES_NAMED = 5


@dataclass(frozen=True)
class SmartSaving:
    """The same campaign with and without cheaper spellings; `is_on` says which of them it is."""

    is_on: bool
    credits_with: int
    credits_without: int
    wording: Wording

    @property
    def saved(self) -> int:
        return self.credits_without - self.credits_with


@dataclass(frozen=True)
class CharacterCost:
    """What the campaign would save if a character were replaced wherever it stands."""

    dear: DearCharacter
    credits: int

    @property
    def code_points(self) -> str:
        return " ".join(f"U+{ord(one):04X}" for one in self.dear.character)

    @property
    def message(self) -> str:
        """Such as: ’ in line 2: 412 credits."""
        lines = list(dict.fromkeys(place.line for place in self.dear.places))
        named = ", ".join(map(str, lines[:LINES_NAMED])) + (", …" if len(lines) > LINES_NAMED else "")
        credits = f"{self.credits} credit{'' if self.credits == 1 else 's'}"
        return f"{self.dear.character} in line{'' if len(lines) == 1 else 's'} {named}: {credits}"


@dataclass(frozen=True)
class Savings:
    """`together` is saved when every character that forces Unicode is replaced."""

    smart: SmartSaving
    characters: list[CharacterCost]
    together: int


def savings_of(campaign: Campaign, shop: Shop, cost: Cost) -> Savings:
    """What would be saved, in credits, by whatever the merchant could do to the text. A step; reads only."""
    spelling, message = spelling_of(campaign), campaign.message
    other_spelling = Spelling(smart=not spelling, greek=False)
    respelled = wording_of(campaign, shop, spelling=other_spelling)
    dear = dear_characters(message)
    looked_at = sorted(dear, key=lambda one: -len(one.places))[:CHARACTERS_MOST]
    forcing = [one.character for one in dear if one.forces_unicode]
    texts = {
        one.character: wording_of(campaign, shop, message=without(message, [one.character])).text
        for one in looked_at
    }
    plain = wording_of(campaign, shop, message=without(message, forcing)).text if forcing else None
    others = {respelled.text, *texts.values(), *([plain] if plain is not None else [])}
    saved = differences(cost.wording.text, others, cost.priced)
    characters = [CharacterCost(one, max(saved[texts[one.character]], 0)) for one in looked_at]
    return Savings(
        _smart(spelling, cost, respelled, saved[respelled.text]),
        [one for one in characters if one.credits or _is_in(one.dear, cost.wording)],
        0 if plain is None else max(saved[plain], 0),
    )


def _smart(spelling: Spelling, cost: Cost, respelled: Wording, saved: int) -> SmartSaving:
    own, other = cost.price.credits, cost.price.credits - saved
    if spelling:
        return SmartSaving(True, own, other, cost.wording)
    return SmartSaving(False, other, own, respelled)


def _is_in(dear: DearCharacter, wording: Wording) -> bool:
    """Whether a character that forces Unicode is still there in what is frozen."""
    letters = [one for one in dear.character if septets(one) is None]
    return dear.forces_unicode and any(one in wording.text for one in letters)
