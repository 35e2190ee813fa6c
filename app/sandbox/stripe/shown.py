"""Stripe's objects as people read them: money with its sign, days, and what is bought line by line."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.sandbox.stripe import tax
from app.sandbox.stripe.cards import CARDS
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

SIGNS = {"eur": "€", "usd": "$", "gbp": "£"}
TEST_CARDS = (
    ("4242424242424242", "Pays"),
    ("4000000000000002", "Is declined"),
    ("4000000000009995", "Has too little money on it"),
    ("4000002500003155", "Asks for 3-D Secure"),
    ("4000000000000341", "Pays now, not at the renewal"),
    ("DE89370400440532013000", "SEPA debit: the money comes days later"),
    ("DE62370400440532013001", "SEPA debit: the money never comes"),
)
COUNTRIES = (
    *(("GR", "Greece"), ("CY", "Cyprus"), ("AT", "Austria"), ("BE", "Belgium"), ("BG", "Bulgaria")),
    *(("HR", "Croatia"), ("CZ", "Czechia"), ("DK", "Denmark"), ("EE", "Estonia"), ("FI", "Finland")),
    *(("FR", "France"), ("DE", "Germany"), ("HU", "Hungary"), ("IE", "Ireland"), ("IT", "Italy")),
    *(("LV", "Latvia"), ("LT", "Lithuania"), ("LU", "Luxembourg"), ("MT", "Malta"), ("NL", "Netherlands")),
    *(("PL", "Poland"), ("PT", "Portugal"), ("RO", "Romania"), ("SK", "Slovakia"), ("SI", "Slovenia")),
    *(("ES", "Spain"), ("SE", "Sweden"), ("GB", "United Kingdom"), ("US", "United States")),
)


@dataclass(frozen=True)
class Line:
    """One thing on a bill."""

    name: str
    amount: str
    note: str = ""


@dataclass(frozen=True)
class Bill:
    """What is bought and what it comes to. `every` is month or year, or nothing."""

    title: str
    lines: list[Line]
    subtotal: str
    total: str
    tax: Line | None = None
    every: str = ""


def money(cents: int | None, currency: str) -> str:
    """`€1,234.50`."""
    amount = cents or 0
    sign = SIGNS.get(currency, f"{currency.upper()} ")
    return f"{'−' if amount < 0 else ''}{sign}{abs(amount) / 100:,.2f}"


def day(seconds: int | None) -> str:
    """`24 November 2026`, or a dash."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %B %Y}" if seconds else "–"


def day_and_time(seconds: int) -> str:
    """`24 Nov 2026, 19:25`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b %Y, %H:%M}"


def card_number(number: str) -> str:
    """In groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def method_name(method: Document | None) -> str:
    """`Visa ···· 4242`."""
    if method is None:
        return ""
    kind = method["type"]
    brand = "SEPA debit" if kind == "sepa_debit" else str(method[kind]["brand"]).title()
    return f"{brand} ···· {method[kind]['last4']}"


def session_bill(world: Stripe, session: Document, items: list[Document], country: str | None) -> Bill:
    """A Checkout session's bill. With automatic tax, `country` says which VAT a customer from there pays."""
    lines = items
    added = int((session.get("total_details") or {}).get("amount_tax") or 0)
    note = ""
    if session["automatic_tax"]["enabled"] and session["status"] == "open":
        percent, reason = tax.rate(world, country, session["customer"])
        lines = tax.taxed(items, percent)
        added, note = sum(line["amount_tax"] for line in lines), _reason(percent, reason, country)
    currency, subtotal = session["currency"], sum(line["amount_subtotal"] for line in lines)
    is_inside = any(line["price"]["tax_behavior"] == "inclusive" for line in lines)
    recurring = next((line["price"]["recurring"] for line in lines if line["price"].get("recurring")), None)
    return Bill(
        title=lines[0]["description"] or "Astronote" if lines else "Astronote",
        lines=[_line(world, line, currency) for line in lines],
        subtotal=money(subtotal, currency),
        total=money(subtotal if is_inside else subtotal + added, currency),
        tax=Line(note or "VAT", money(added, currency)) if session["automatic_tax"]["enabled"] else None,
        every=recurring["interval"] if recurring else "",
    )


def invoice_bill(world: Stripe, invoice: Document) -> Bill:
    """An invoice's bill."""
    currency = invoice["currency"]
    added = invoice["total"] - (invoice["total_excluding_tax"] or 0)
    lines = [
        Line(
            product_name(world, (line.get("pricing") or {}).get("price_details", {}).get("product")),
            money(line["amount"], currency),
            f"{day(line['period']['start'])} – {day(line['period']['end'])}",
        )
        for line in invoice["lines"]["data"]
    ]
    return Bill(
        title=f"Invoice {invoice['number'] or 'draft'}",
        lines=lines,
        subtotal=money(invoice["subtotal"], currency),
        total=money(invoice["total"], currency),
        tax=Line("VAT", money(added, currency)) if invoice["automatic_tax"]["enabled"] else None,
    )


def product_name(world: Stripe, number: str | None) -> str:
    """What a product is called."""
    found = world.store.get("product", number) if number else None
    return str(found["name"]) if found else "Astronote"


def ticked_card(chosen: str | None) -> str:
    """The card that is ticked: the chosen one, if it is a test card."""
    return chosen if chosen in CARDS else TEST_CARDS[0][0]


def _line(world: Stripe, line: Document, currency: str) -> Line:
    count = line.get("quantity") or 1
    sold = world.store.get("product", line["price"]["product"]) or {}
    each = f"{count:,} × {money(line['price']['unit_amount'], currency)}" if count > 1 else ""
    note = " · ".join(filter(None, (sold.get("description"), each)))
    return Line(line["description"] or "Astronote", money(line["amount_subtotal"], currency), note)


def _reason(percent: int, reason: str, country: str | None) -> str:
    if reason == "reverse_charge":
        return "VAT: reverse charge"
    if country is None:
        return "VAT: by country"
    return f"VAT {percent} %" if percent else f"VAT: none in {country}"
