"""Who takes part in the demo, and what they know so far."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo.carrier import Carrier, Text
from app.demo.commands import Operator
from app.demo.ledger import Ledger
from app.demo.people import ContactList
from app.demo.table import Screen


@dataclass
class Cast:
    """The shop of this demo and the people around it. `number` and `shop_id` are known once it has opened."""

    screen: Screen
    operator: Operator
    ledger: Ledger
    carrier: Carrier
    api_url: str
    sandbox_url: str
    contacts: ContactList
    csv_file: Path
    began: float = field(default_factory=time.monotonic)
    number: int = 0
    shop_id: int = 0
    steps: int = 0

    @property
    def domain(self) -> str:
        return f"demo-{self.number}.myshopify.com"

    @property
    def sender(self) -> str:
        """Every demo has a sender of its own: the carrier's records of older ones stay apart."""
        return f"Thyme{self.number}"

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def step(self, words: str) -> None:
        """Begin the next step of the story."""
        self.steps += 1
        self.screen.heading(f"{self.steps}  {words}", f"{self.seconds:.0f} s")

    def texts_of(self, campaign: Campaign) -> list[Text]:
        """What the carrier has accepted of a campaign, in its own records."""
        return campaign.texts_among(self.carrier.texts(self.sender))


@dataclass(frozen=True)
class Campaign:
    """A campaign that was written, with its preview. `opening`: how its texts begin, and no other's."""

    id: str
    name: str
    opening: str
    preview: dict[str, Any]

    def texts_among(self, texts: Sequence[Text]) -> list[Text]:
        return [text for text in texts if text.body.startswith(self.opening)]
