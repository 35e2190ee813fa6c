"""Wake-ups about customers."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.customers.service import importing, pushing


@doorbell("customers.import_all")
def import_all(shop_id: int) -> None:
    """Begin the import of a shop's customers or go on with it. Harmless if it runs twice, late, or never."""
    importing.import_all(shop_id)


@doorbell("customers.push_consent")
def push_consent(shop_id: int) -> None:
    """Tell Shopify of consent. Harmless if it runs twice, late, or never: what to tell stands in the rows."""
    pushing.push_consent(shop_id)


@periodic("customers.sweep", every_seconds=15)
def sweep() -> None:
    """Ring for imports that can go on and for consent that Shopify was not told: a bell or a worker was lost,
    or nobody told us that the file is ready.
    """
    for shop_id in importing.waiting_shops():
        wake("customers.import_all", shop_id)
    for shop_id in pushing.shops_to_tell():
        wake("customers.push_consent", shop_id)
