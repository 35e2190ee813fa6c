"""Sealing: what has been posted is hashed afterwards, so that posting costs no more than before.

A process may die on any line. Finding out how far a shop's ledger is settled changes nothing, and a seal is
there whole or not at all.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.clock import now
from app.core.uow import across_shops, unit_of_work
from app.credits.models import AccountKind
from app.credits.proof import queries, verifying
from app.credits.proof.lines import BEFORE_ALL, SealedFacts, Walk, facts_of
from app.credits.queries import ENSURE_ACCOUNTS

log = structlog.get_logger(__name__)

MOST_OF_ONE_SEAL = 50_000
AT_ONCE = 2_000
SEALED_EVERY = timedelta(hours=12)
SLICE_SECONDS = 20.0


def settled_until(shop_id: int) -> int:
    """The id up to which every transfer of the shop is committed, and none will come any more; 0 without any.

    A use case. It waits for the postings under way as one more posting would: each of them has locked two
    accounts before it takes its ids and keeps them to its commit, and here all are locked. An account that
    somebody else is just making could not be seen, so all of them are made beforehand.
    """
    with unit_of_work(shop_id) as session:
        if session.scalar(queries.NEWEST_TRANSFER, {"shop_id": shop_id}) is None:
            return 0
        missing = sorted(set(AccountKind) - set(session.scalars(queries.KINDS, {"shop_id": shop_id})))
    for kind in missing:  # one by one: whoever waits here for a posting keeps nothing that it could want
        with unit_of_work(shop_id) as session:
            session.execute(ENSURE_ACCOUNTS, {"shop_id": shop_id, "kinds": [str(kind)]})
    with unit_of_work(shop_id) as session:
        session.execute(queries.LOCK_ALL_ACCOUNTS, {"shop_id": shop_id}).all()
        return int(session.scalar(queries.NEWEST_TRANSFER, {"shop_id": shop_id}) or 0)


def seal(shop_id: int) -> int:
    """Seal all that has been posted in the shop by now; how many seals this call made. A use case."""
    return seal_until(shop_id, settled_until(shop_id))


def seal_until(shop_id: int, last_transfer_id: int) -> int:
    """Seal the shop's transfers up to this one, which `settled_until` has named; how many seals were made.

    A use case. Any number of processes may do this at once: each place in the chain is taken by one.
    """
    made = 0
    while True:
        with unit_of_work(shop_id) as session:
            below = session.execute(queries.NEWEST_SEAL, {"shop_id": shop_id}).one_or_none()
            if (below.last_transfer_id if below else 0) >= last_transfer_id:
                return made
            facts = _lay_on(session, shop_id, below, last_transfer_id)
        if facts is not None:  # else somebody else was faster
            made += 1
            # Whoever rewrites the ledger and its seals does not rewrite the log.
            log.info("ledger_sealed", shop_id=shop_id, seal=facts.number, hash=facts.hash())


def seal_due() -> bool:
    """Seal, for some seconds, shops that have posted and were not sealed for half a day; True if more wait.

    The seal on which another one is laid is verified once more. Across shops.
    """
    deadline, after = time.monotonic() + SLICE_SECONDS, 0
    while time.monotonic() < deadline:
        with across_shops("every shop's ledger is sealed") as session:
            given = {"after": after, "before": now() - SEALED_EVERY}
            shop_id = session.scalar(queries.SHOPS_TO_SEAL, given)
        if shop_id is None:
            return False
        after = shop_id
        _seal_anew(shop_id)
    return True


def _seal_anew(shop_id: int) -> None:
    try:
        last_transfer_id = settled_until(shop_id)
    except OperationalError:  # a posting takes longer than we wait for a lock
        log.warning("ledger_seal_put_off", shop_id=shop_id)
        return
    difference = verifying.verify_newest(shop_id)
    if difference:
        log.error(
            "ledger_proof_broken",
            shop_id=shop_id,
            seal=difference.seal,
            transfer_id=difference.transfer_id,
            what=difference.what,
        )
    seal_until(shop_id, last_transfer_id)


def _lay_on(session: Session, shop_id: int, below: Row[Any] | None, last: int) -> SealedFacts | None:
    """Add the seal that follows `below`; None when its place is taken."""
    after = below.last_transfer_id if below else BEFORE_ALL
    walk = Walk(balances=below.balances if below else {}, last_transfer_id=after)
    given = {"shop_id": shop_id, "after": after, "last": last, "most": MOST_OF_ONE_SEAL}
    end = session.scalar(queries.END_OF_SEAL, given) or after
    while walk.last_transfer_id < end:
        given = {"shop_id": shop_id, "after": walk.last_transfer_id, "last": end, "most": AT_ONCE}
        walk.take(session.execute(queries.TRANSFERS, given))
    facts = facts_of(walk, below, shop_id, now().isoformat(timespec="microseconds").replace("+00:00", "Z"))
    values = {**vars(facts), "balances": json.dumps(facts.balances), "hash": facts.hash()}
    added = session.scalar(queries.ADD_SEAL, {**values, "marks": bytes(walk.marks)})
    return facts if added else None
