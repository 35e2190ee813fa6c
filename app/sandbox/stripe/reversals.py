"""Money that goes back: refunds, and disputes that customers raise with their banks."""

from app.sandbox.stripe.errors import Missing, Refusal
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document


def refund(
    world: Stripe,
    payment_intent: str,
    amount: int | None = None,
    *,
    reason: str | None = None,
    metadata: Document | None = None,
) -> Document:
    """Give back so many cents, or all that is left; `charge.refunded`, `refund.created`. Raises Refusal."""
    with world.store.changing():
        charge = charge_of(world, payment_intent)
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if charge["disputed"] and not _is_won(world, charge):
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise Refusal(message, code="charge_disputed")
        wanted = left if amount is None else amount
        if wanted > left:
            message = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
            raise Refusal(message, param="amount")
        made = _refund(world, charge, wanted, reason, metadata)
        _recount(world, charge, "charge.refunded")
        world.events.emit("refund.created", made)
        return made


def fail_refund(world: Stripe, number: str) -> Document:
    """A refund that came back from the bank; `refund.failed`. Its amount is no longer refunded."""
    with world.store.changing():
        before = world.store.known("refund", number)
        after = before | {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        world.store.put(after)
        charge = world.store.known("charge", before["charge"])
        _recount(world, charge, "charge.updated")
        for kind in ("refund.failed", "refund.updated", "charge.refund.updated"):
            world.events.emit(kind, after, {"status": before["status"]})
        return after


def dispute(
    world: Stripe, payment_intent: str, amount: int | None = None, *, reason: str = "fraudulent"
) -> Document:
    """The bank takes the money back; `charge.dispute.created`, `charge.dispute.funds_withdrawn`."""
    with world.store.changing():
        charge = charge_of(world, payment_intent)
        number = new_id("dispute")
        made = {
            "id": number,
            "object": "dispute",
            "amount": amount or charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": world.clock.now(),
            "currency": charge["currency"],
            "evidence": {},
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "needs_response",
        }
        world.store.put(made)
        world.events.changed("charge.updated", charge, charge | {"disputed": True})
        world.events.emit("charge.dispute.created", made)
        world.events.emit("charge.dispute.funds_withdrawn", made)
        return made


def close_dispute(world: Stripe, number: str, won: bool) -> Document:
    """The bank has decided; `charge.dispute.closed`, when won `charge.dispute.funds_reinstated`."""
    with world.store.changing():
        before = world.store.known("dispute", number)
        if before["status"] in ("won", "lost"):
            raise Refusal(f"This dispute is already closed: {before['status']}.")
        after = before | {"status": "won" if won else "lost"}
        world.store.put(after)
        world.events.emit("charge.dispute.closed", after, {"status": before["status"]})
        if won:
            world.events.emit("charge.dispute.funds_reinstated", after)
        return after


def charge_of(world: Stripe, payment_intent: str) -> Document:
    """The charge that took the money. Raises Missing, and Refusal when none did."""
    intent = world.store.get("payment_intent", payment_intent)
    if intent is None:
        raise Missing("payment_intent", payment_intent, "payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({payment_intent}) does not have a successful charge to refund."
        raise Refusal(message, param="payment_intent", code="payment_intent_unexpected_state")
    return world.store.known("charge", intent["latest_charge"])


def _refund(
    world: Stripe, charge: Document, amount: int, reason: str | None, metadata: Document | None
) -> Document:
    number = new_id("refund")
    made = {
        "id": number,
        "object": "refund",
        "amount": amount,
        "balance_transaction": f"txn_{number[3:]}",
        "charge": charge["id"],
        "created": world.clock.now(),
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "failure_reason": None,
        "metadata": metadata or {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "status": "succeeded",
    }
    return world.store.put(made)


def _recount(world: Stripe, charge: Document, event: str) -> None:
    counted = [one for one in world.store.find("refund", charge=charge["id"]) if one["status"] == "succeeded"]
    total = sum(one["amount"] for one in counted)
    after = charge | {"amount_refunded": total, "refunded": total == charge["amount"]}
    world.store.put(after)
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    world.events.emit(event, after, previous)


def _is_won(world: Stripe, charge: Document) -> bool:
    found = world.store.find("dispute", charge=charge["id"])
    return all(one["status"] == "won" for one in found)
