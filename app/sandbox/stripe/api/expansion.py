"""`expand[]`: ids become the objects they name, and lists that are only shown on demand appear."""

import re
from collections.abc import Callable
from typing import Any

from app.sandbox.stripe import ids
from app.sandbox.stripe.errors import Refusal
from app.sandbox.stripe.lists import whole_list
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

KINDS = {prefix: kind for kind, prefix in ids.PREFIXES.items()}
DEEPEST = 4  # docs.stripe.com/expand

Shown = Callable[[Stripe, Document], Document]


def _of(kind: str, member: str, url: str) -> Shown:
    """The list of objects whose `member` is this one."""

    def show(world: Stripe, owner: Document) -> Document:
        found = world.store.find(kind, **{member: owner["id"]})
        return whole_list(found, url.format(owner["id"]))

    return show


def _line_items(world: Stripe, session: Document) -> Document:
    items = world.store.kept("checkout.session", session["id"])["line_items"]
    return whole_list(items, f"/v1/checkout/sessions/{session['id']}/line_items")


ON_DEMAND: dict[tuple[str, str], Shown] = {
    ("customer", "tax_ids"): _of("tax_id", "customer", "/v1/customers/{}/tax_ids"),
    ("customer", "subscriptions"): _of("subscription", "customer", "/v1/customers/{}/subscriptions"),
    ("charge", "refunds"): _of("refund", "charge", "/v1/charges/{}/refunds"),
    ("invoice", "payments"): _of("invoice_payment", "invoice", "/v1/invoice_payments?invoice={}"),
    ("checkout.session", "line_items"): _line_items,
}


def expanded(world: Stripe, body: Document, wishes: list[str]) -> Document:
    """The body with what is wished for inside. Raises Refusal for what cannot be expanded."""
    for number, wish in enumerate(wishes):
        steps = wish.split(".")
        if len(steps) > DEEPEST:
            message = f"You cannot expand more than {DEEPEST} levels of a property."
            raise Refusal(message, param=f"expand[{number}]")
        _expand(world, body, steps, wish, f"expand[{number}]")
    return body


def _expand(world: Stripe, place: Any, steps: list[str], wish: str, param: str) -> None:
    if isinstance(place, list):
        for one in place:
            _expand(world, one, steps, wish, param)
        return
    step, rest = steps[0], steps[1:]
    shown = ON_DEMAND.get((str(place.get("object")), step))
    if shown is not None and not isinstance(place.get(step), dict):
        place[step] = shown(world, place)
    if step not in place:
        raise Refusal(f"This property cannot be expanded ({wish}).", param=param)
    if isinstance(place[step], str):
        place[step] = _named(world, place[step], wish, param)
    if rest and place[step] is not None:
        _expand(world, place[step], rest, wish, param)


def _named(world: Stripe, number: str, wish: str, param: str) -> Document:
    # `sub_sched_…` before `sub_…`: the longest prefix that fits.
    fitting = [prefix for prefix in KINDS if re.match(re.escape(prefix), number)]
    found = world.store.get(KINDS[max(fitting, key=len)], number) if fitting else None
    if found is None:
        raise Refusal(f"This property cannot be expanded ({wish}).", param=param)
    return found
