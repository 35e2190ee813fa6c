"""What the demo came to: from the API, the ledger and the carrier, and whether the three agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.demo.buying import Bought
from app.demo.carrier import Text
from app.demo.commands import Audit
from app.demo.ledger import Books

DELIVERED, FAILED = "Delivered", "Failure"


@dataclass(frozen=True)
class Sent:
    """One campaign: preview and metrics as the API gives them, and the texts that the carrier has of it."""

    name: str
    preview: dict[str, Any]
    metrics: dict[str, Any]
    texts: Sequence[Text]

    @property
    def refused(self) -> int:
        """Failed before the carrier accepted them: never charged."""
        return int(self.metrics["total"] - self.metrics["accepted"])

    def with_status(self, status: str) -> int:
        return sum(text.status == status for text in self.texts)

    def parts(self, *statuses: str) -> int:
        """Parts by the carrier's own count; of all texts when no status is named."""
        return sum(text.parts for text in self.texts if not statuses or text.status in statuses)

    @property
    def sent_twice(self) -> int:
        """Texts too many: nobody may get more than one of a campaign."""
        return len(self.texts) - len({text.phone for text in self.texts})


@dataclass(frozen=True)
class OptOuts:
    """Opted-out contacts as the API counts them, and what the customers did in between."""

    before: int
    after: int
    gone: frozenset[str]


@dataclass(frozen=True)
class Outcome:
    """Everything that the closing table shows."""

    bought: Bought
    sent: Sequence[Sent]
    automated: Sequence[Text]
    opt_outs: OptOuts
    books: Books
    balance: dict[str, Any]
    audit: Audit
    repeated_texts: int
    seconds: float

    def total(self, metric: str) -> int:
        return sum(int(one.metrics[metric]) for one in self.sent)

    @property
    def sent_twice(self) -> int:
        return max(self.repeated_texts, sum(one.sent_twice for one in self.sent))

    @property
    def opted_out(self) -> int:
        """How many left during the demo."""
        return self.opt_outs.after - self.opt_outs.before

    @property
    def credits_left(self) -> int:
        return int(self.balance["available"] + self.balance["subscription"]["remainingSmsThisPeriod"])

    def as_json(self) -> dict[str, Any]:
        """`demo.json`: both campaigns together. `refunded` counts texts, `credits.refunded` credits."""
        books = self.books
        return {
            "recipients": self.total("total"),
            "accepted": self.total("accepted"),
            "delivered": self.total("delivered"),
            "failed": self.total("failed"),
            "refunded": books.refunded_messages,
            "opted_out": self.opted_out,
            "sent_twice": self.sent_twice,
            "automation_texts": len(self.automated),
            "credits": {
                "bought": books.bought,
                "held": books.held,
                "captured": books.captured,
                "released": books.released,
                "refunded": books.refunded,
            },
            "paid_cents": self.bought.paid_cents,
            "audit": {"checks": self.audit.checks, "differences": self.audit.differences},
            "seconds": round(self.seconds, 1),
        }


def disagreements(outcome: Outcome) -> list[str]:
    """Why the books do not balance: every fact of which two accounts differ. Empty when all is well."""
    return [
        f"{what}: {one:,} by {whose}, {other:,} by {others}"
        for what, one, whose, other, others in _comparisons(outcome)
        if one != other
    ]


Comparison = tuple[str, int, str, int, str]
API, LEDGER, CARRIER, RULES = "the API", "the ledger", "the carrier", "the rules"
STRIPE = "Stripe"


def _comparisons(outcome: Outcome) -> Iterator[Comparison]:
    yield "texts sent twice", outcome.sent_twice, CARRIER, 0, RULES
    yield "differences", outcome.audit.differences, "the audit", 0, RULES
    yield from _of_payment(outcome)
    for sent in outcome.sent:
        yield from _of_campaign(sent)
    yield from _of_credits(outcome)
    yield from _of_opt_outs(outcome)


def _of_payment(outcome: Outcome) -> Iterator[Comparison]:
    bought = outcome.bought
    yield "credits bought", outcome.books.bought, LEDGER, bought.credits, "the order"
    yield "credits bought", bought.credited, API, bought.credits, "the order"
    yield "cents paid", bought.paid_cents, STRIPE, bought.quoted_cents, API


def _of_campaign(sent: Sent) -> Iterator[Comparison]:
    told, failed = sent.metrics, sent.with_status(FAILED)
    yield f"{sent.name}, recipients", told["total"], API, sent.preview["recipientCount"], "the preview"
    yield f"{sent.name}, accepted", told["accepted"], API, len(sent.texts), CARRIER
    yield f"{sent.name}, delivered", told["delivered"], API, sent.with_status(DELIVERED), CARRIER
    yield f"{sent.name}, failed", told["failed"], API, failed + sent.refused, f"{CARRIER} and the refusals"
    yield f"{sent.name}, settled", told["delivered"] + told["failed"], API, told["total"], "its recipients"


def _of_credits(outcome: Outcome) -> Iterator[Comparison]:
    """The carrier counts parts by itself, so it is a witness for the money too."""
    books, campaigns = outcome.books, outcome.sent
    automated = sum(text.parts for text in outcome.automated)
    quoted = sum(one.preview["estimatedCost"] for one in campaigns) + automated
    yield "credits held", books.held, LEDGER, quoted, "the previews and the automation's parts"
    yield "credits held", books.held, LEDGER, books.captured + books.released, "capture and release"
    accepted, lost = sum(one.parts() for one in campaigns), sum(one.parts(FAILED) for one in campaigns)
    accepted += automated
    yield "credits captured", books.captured, LEDGER, accepted, f"{CARRIER}'s parts"
    yield "credits refunded", books.refunded, LEDGER, lost, f"{CARRIER}'s failures"
    failures = sum(one.with_status(FAILED) for one in campaigns)
    yield "texts refunded", books.refunded_messages, LEDGER, failures, CARRIER
    left = books.given - books.captured + books.refunded
    yield "credits left", outcome.credits_left, API, left, LEDGER
    yield "credits still reserved", outcome.balance["reserved"], API, 0, RULES


def _of_opt_outs(outcome: Outcome) -> Iterator[Comparison]:
    gone = outcome.opt_outs.gone
    yield "people who left", outcome.opted_out, API, len(gone), "the customers"
    yield "people who left", outcome.total("unsubscribes"), "the campaigns", len(gone), "the customers"
    texted_later = {text.phone for one in outcome.sent[1:] for text in one.texts}
    yield "texts to people who had left", len(texted_later & gone), CARRIER, 0, RULES
