"""Wake-ups about contacts."""

from __future__ import annotations

from app.contacts.importing import running
from app.core.jobs import doorbell, periodic
from app.core.queue import wake


@doorbell("contacts.run_import")
def run_import(shop_id: int, import_id: int) -> None:
    """Take in an uploaded file. Harmless if it runs twice, late, or never (the sweep rings again)."""
    running.run_import(shop_id, import_id)


@periodic("contacts.sweep_imports", every_seconds=30)
def sweep_imports() -> None:
    """Ring for unfinished imports that nobody is working on: their bell or their worker was lost."""
    for shop_id, import_id in running.stalled_imports():
        wake("contacts.run_import", shop_id, import_id)
