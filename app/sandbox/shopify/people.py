"""Customers out of a seed: the same shop, number and seed always give the same people."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FIRST_NAMES = (
    (
        "Maria",
        "Eleni",
        "Katerina",
        "Sofia",
        "Anna",
        "Ioanna",
        "Dimitra",
        "Zoë",
        "Emma",
        "Claire",
        "Ελένη",
        "Μαρία",
    ),
    (
        "Giorgos",
        "Nikos",
        "Kostas",
        "Yannis",
        "Dimitris",
        "Petros",
        "Alexis",
        "Tom",
        "Luca",
        "Νίκος",
        "Γιώργος",
    ),
)
LAST_NAMES = (
    *(
        "Papadopoulos",
        "Georgiou",
        "Nikolaidis",
        "Vlachos",
        "Pappas",
        "Ioannou",
        "Makris",
        "Alexiou",
        "O'Neill",
    ),
    *("Müller", "Rossi", "Smith", "García", "Παππάς", "Δημητρίου", "Lefèvre", "Novak", "Anagnostou"),
)
TAGS = ("", "", "", "vip", "newsletter", "vip, wholesale", "returning")
# An untaken beginning for each country, then as many digits as its mobile numbers lack.
PHONES = {
    "GR": ("+3069", 8),
    "CY": ("+35799", 6),
    "GB": ("+447", 9),
    "DE": ("+4915", 9),
    "US": ("+1202555", 4),
}
STATES = ("subscribed", "unsubscribed", "not_subscribed", "pending")
DAY = 86400

COLUMNS = (
    *("shop", "id", "first_name", "last_name", "email", "phone", "locale", "country", "tags"),
    *("sms_state", "sms_level", "sms_at", "sms_from", "email_state", "created_at", "updated_at"),
)


@dataclass(frozen=True)
class Population:
    """What a crowd is like. Shares are of all customers, between 0 and 1."""

    count: int
    seed: int = 1
    phone_share: float = 0.9
    subscribed_share: float = 0.6
    unsubscribed_share: float = 0.1
    email_share: float = 0.95

    def rows(self, shop: str, country: str, first_id: int, now: int) -> Iterator[tuple[Any, ...]]:
        """Values of COLUMNS, one customer at a time: nothing is held."""
        chance = random.Random(f"{shop}:{self.seed}")
        prefix, digits = PHONES.get(country, PHONES["GR"])
        step = _coprime(10**digits)
        start = chance.randrange(10**digits)
        for number in range(self.count):
            has_phone = chance.random() < self.phone_share
            # A walk through all numbers that meets none twice.
            phone = f"{prefix}{(start + number * step) % 10**digits:0{digits}d}" if has_phone else None
            yield self._row(chance, shop, country, first_id + number, phone, now)

    def _row(
        self, chance: random.Random, shop: str, country: str, number: int, phone: str | None, now: int
    ) -> tuple[Any, ...]:
        created_at = now - chance.randrange(1, 700) * DAY - chance.randrange(DAY)
        state, level, consent_at = self._consent(chance, created_at, now) if phone else (None, None, None)
        email = f"c{number % 10**9}@{shop.partition('.')[0]}.example" if self._has_email(chance) else None
        return (
            *(shop, number, chance.choice(chance.choice(FIRST_NAMES)), chance.choice(LAST_NAMES)),
            *(email, phone, "el" if country in ("GR", "CY") else "en", country, chance.choice(TAGS)),
            *(state, level, consent_at, "OTHER" if state else None),
            *("subscribed" if email and chance.random() < 0.5 else "not_subscribed", created_at),
            max(created_at, consent_at or 0),
        )

    def _consent(
        self, chance: random.Random, created_at: int, now: int
    ) -> tuple[str, str | None, int | None]:
        draw = chance.random()
        at = min(created_at + chance.randrange(1, 30 * DAY), now)
        if draw < self.subscribed_share:
            return "subscribed", "single_opt_in", at
        if draw < self.subscribed_share + self.unsubscribed_share:
            return "unsubscribed", "single_opt_in", at
        return "not_subscribed", "single_opt_in", None

    def _has_email(self, chance: random.Random) -> bool:
        return chance.random() < self.email_share


def _coprime(modulus: int) -> int:
    """A step near the golden section: odd and not a multiple of five, so it meets every number of 10^n."""
    step = int(modulus * 0.618)
    while step % 2 == 0 or step % 5 == 0:
        step += 1
    return step
