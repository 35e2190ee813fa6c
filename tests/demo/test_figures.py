"""When the demo says that the books balance, and when it must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.demo.buying import Bought
from app.demo.carrier import Text
from app.demo.commands import Audit
from app.demo.figures import OptOuts, Outcome, Sent, disagreements
from app.demo.ledger import Books


def text(phone: str, status: str = "Delivered", body: str = "") -> Text:
    return Text(phone, phone, "Thyme1", body or f"text to {phone}", 2, status, 1.0)


def sent(*texts: Text, recipients: int, **metrics: int) -> Sent:
    told = {"total": recipients, "accepted": len(texts), "clicks": 0, "unsubscribes": 0, **metrics}
    preview = {"recipientCount": recipients, "estimatedCost": 2 * recipients}
    return Sent("Sale", preview, told, texts)


SALE = sent(
    text("+1"), text("+2"), text("+3", "Failure"), recipients=4, delivered=2, failed=2, unsubscribes=1
)
THANKS = sent(text("+2"), recipients=1, delivered=1, failed=0)
BALANCED = Outcome(
    sent=(SALE, THANKS),
    automated=(text("+9"),),
    opt_outs=OptOuts(before=5, after=6, gone=frozenset({"+1"})),
    bought=Bought(credits=90, quoted_cents=502, credited=90, paid_cents=502),
    books=Books(given=100, bought=90, held=12, captured=10, released=2, refunded=2, refunded_messages=1),
    balance={"available": 92, "reserved": 0, "subscription": {"remainingSmsThisPeriod": 0}},
    audit=Audit(13, 0),
    repeated_texts=0,
    seconds=12.34,
)


def test_a_balanced_outcome_has_nothing_to_say():
    assert disagreements(BALANCED) == []


def test_the_file_has_the_figures_of_both_campaigns():
    assert BALANCED.as_json() == {
        "recipients": 5,
        "accepted": 4,
        "delivered": 3,
        "failed": 2,
        "refunded": 1,
        "opted_out": 1,
        "sent_twice": 0,
        "automation_texts": 1,
        "credits": {"bought": 90, "held": 12, "captured": 10, "released": 2, "refunded": 2},
        "paid_cents": 502,
        "audit": {"checks": 13, "differences": 0},
        "seconds": 12.3,
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"audit": Audit(13, 1)}, "differences: 1"),
        ({"books": replace(BALANCED.books, bought=0)}, "credits bought: 0"),
        ({"bought": replace(BALANCED.bought, credited=80)}, "credits bought: 80"),
        ({"bought": replace(BALANCED.bought, paid_cents=405)}, "cents paid: 405"),
        ({"repeated_texts": 1}, "texts sent twice: 1"),
        ({"books": replace(BALANCED.books, refunded=0)}, "credits refunded: 0"),
        ({"books": replace(BALANCED.books, captured=8)}, "credits captured: 8"),
        ({"books": replace(BALANCED.books, released=0)}, "credits held: 12"),
        ({"balance": BALANCED.balance | {"reserved": 2}}, "credits still reserved: 2"),
        ({"balance": BALANCED.balance | {"available": 91}}, "credits left: 91"),
        ({"opt_outs": replace(BALANCED.opt_outs, after=5)}, "people who left: 0"),
        ({"opt_outs": replace(BALANCED.opt_outs, gone=frozenset({"+2"}))}, "texts to people who had left: 1"),
        ({"sent": (replace(SALE, texts=SALE.texts[:2]), THANKS)}, "Sale, accepted: 3 by the API, 2 by"),
        (
            {"sent": (SALE, replace(THANKS, texts=(text("+2"), text("+2", body="again"))))},
            "texts sent twice: 1",
        ),
    ],
)
def test_every_difference_is_told(wrong: dict[str, Any], said: str):
    reasons = disagreements(replace(BALANCED, **wrong))

    assert [reason for reason in reasons if reason.startswith(said)], reasons
