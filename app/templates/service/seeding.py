"""From the library in the code to rows: for everybody, and for one shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.shops import service as shops
from app.shops.models import EshopType
from app.templates import queries
from app.templates.library import LIBRARY_VERSION, SHARED_LIBRARY, SHOP_SETS, LibraryText


@dataclass(frozen=True)
class Seeded:
    """What seeding did to `total` texts. A repaired one keeps its edited words and gets the new goal."""

    created: int
    updated: int
    repaired: int
    total: int

    @property
    def skipped(self) -> int:
        return self.total - self.created - self.updated - self.repaired

    @property
    def message(self) -> str:
        if self.skipped == self.total:
            return "The templates are up to date."
        return f"{self.created} added, {self.updated} updated, {self.repaired} repaired."


def ensure_defaults(shop_id: int, eshop_type: str | None = None) -> Seeded:
    """Give the shop its own set for the type (its own type when None). Idempotent; edited words stay."""
    with unit_of_work(shop_id):
        texts = SHOP_SETS[EshopType(eshop_type or type_of(shop_id))]
        return seed(shop_id, texts, library_version=LIBRARY_VERSION)


def sync_library() -> Seeded:
    """Bring the shared templates up to the library in the code. Idempotent; edited and retired ones stay."""
    with across_shops("the library belongs to no shop"):
        return seed(None, SHARED_LIBRARY, library_version=LIBRARY_VERSION)


def ensure_library() -> None:
    """See to it that the shared templates are there, also when no release step has run. Mostly one read."""
    with across_shops("the library belongs to no shop") as session:
        if not session.scalar(queries.HAS_LIBRARY, {"library_version": LIBRARY_VERSION}):
            seed(None, SHARED_LIBRARY, library_version=LIBRARY_VERSION)


def seed(shop_id: int | None, texts: Sequence[LibraryText], *, library_version: int) -> Seeded:
    """Write `texts` as the shop's own templates, as shared ones when `shop_id` is None. A step.

    Idempotent by (shop, shop type, key). A template that a newer library wrote is left alone.
    """
    session = require_unit_of_work()
    session.execute(queries.TAKE_SEEDING_TURN, {"owner": str(shop_id or "all")})
    given = {
        "shop_id": shop_id,
        "library_version": library_version,
        "texts": [asdict(entry) for entry in texts],
    }
    return Seeded(**session.execute(queries.SEED, given).mappings().one(), total=len(texts))


def type_of(shop_id: int) -> str:
    """The shop's type, `generic` when it has not said. A step."""
    return shops.find_shop(shop_id).eshop_type or EshopType.GENERIC
