"""What a scenario is, and what belongs to one theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.world import Stage

Play = Callable[[Stage], None]


@dataclass
class Theme:
    """Scenarios that are played one after the other and then come to rest together.

    A theme with `is_judged_last` comes to rest while the others play.
    """

    name: str
    is_judged_last: bool = False
    scenarios: list[tuple[str, Play]] = field(default_factory=list)

    def scenario(self, title: str) -> Callable[[Play], Play]:
        """Mark a function as the scenario that `title` tells."""

        def mark(play: Play) -> Play:
            self.scenarios.append((title, play))
            return play

        return mark
