"""What happens to customers, and what the app is told of it."""

import uuid
from typing import Any

from app.sandbox.shopify import payloads, shops
from app.sandbox.shopify.clock import seconds_of
from app.sandbox.shopify.gids import gid
from app.sandbox.shopify.people import COLUMNS, Population
from app.sandbox.shopify.shops import BadWish, Shop
from app.sandbox.shopify.state import Shopify

INSERT = f"INSERT INTO customers ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
EDITABLE = ("first_name", "last_name", "email", "phone", "locale", "country", "tags")
STATES = ("subscribed", "unsubscribed", "not_subscribed", "pending", "redacted")
LEVELS = ("single_opt_in", "confirmed_opt_in", "unknown")
SET_CONSENT = """
UPDATE customers SET sms_state = ?, sms_level = ?, sms_at = ?, sms_from = ?, updated_at = ?
WHERE shop = ? AND id = ?
"""


class NoSuchCustomer(LookupError):
    """The shop has no such customer."""


def populate(world: Shopify, shop: Shop, crowd: Population) -> int:
    """Many customers at once, who have been there for long: nothing is told. The first number."""
    with world.store.changing():
        first = world.store.take_numbers("Customer", crowd.count)
        world.store.run_many(INSERT, crowd.rows(shop.domain, shop.country, first, world.clock.now()))
    return first


def by_id(world: Shopify, shop: Shop, number: int) -> Any:
    """Raises NoSuchCustomer."""
    row = world.store.row("SELECT * FROM customers WHERE shop = ? AND id = ?", (shop.domain, number))
    if row is None:
        raise NoSuchCustomer(number)
    return row


def create(world: Shopify, shop: Shop, wish: dict[str, Any]) -> Any:
    """Somebody signs up: `customers/create`.

    `wish`: first_name, last_name, email, phone, locale, country, tags, email_state; sms_state, sms_level,
    sms_from, sms_at.
    """
    now = world.clock.now()
    phone = wish.get("phone") or None
    state = _one_of(STATES, wish.get("sms_state") or "not_subscribed") if phone else None
    has_answered = state not in (None, "not_subscribed")
    values: dict[str, Any] = {
        "shop": shop.domain,
        "id": world.store.take_numbers("Customer"),
        **{name: wish.get(name) or None for name in EDITABLE},
        "locale": wish.get("locale") or ("el" if shop.country in ("GR", "CY") else "en"),
        "country": wish.get("country") or shop.country,
        "tags": wish.get("tags") or "",
        "sms_state": state,
        "sms_level": _one_of(LEVELS, wish.get("sms_level") or "single_opt_in") if phone else None,
        "sms_at": _moment(wish.get("sms_at"), now) if has_answered else None,
        "sms_from": (wish.get("sms_from") or "SHOPIFY") if phone else None,
        "email_state": wish.get("email_state") or "not_subscribed",
        "created_at": now,
        "updated_at": now,
    }
    _require_free(world, shop, phone, but=0)
    world.store.run(INSERT, [values[name] for name in COLUMNS])
    row = by_id(world, shop, int(values["id"]))
    world.emitter.emit(shop.domain, "customers/create", payloads.customer(row, shop))
    return row


def edit(world: Shopify, shop: Shop, number: int, wish: dict[str, Any]) -> Any:
    """Name, e-mail, phone, tags …: `customers/update`. A new phone has not consented to anything."""
    if unknown := set(wish) - set(EDITABLE):
        raise BadWish(f"a customer has no {', '.join(sorted(unknown))}")
    old = by_id(world, shop, number)
    with world.store.changing():
        for name, value in wish.items():
            sql = f"UPDATE customers SET {name} = ? WHERE shop = ? AND id = ?"  # noqa: S608 -- names of EDITABLE
            world.store.run(sql, (value or None, shop.domain, number))
        if "phone" in wish and wish["phone"] != old["phone"]:
            _require_free(world, shop, wish["phone"], but=number)
            state = "not_subscribed" if wish["phone"] else None
            level = "single_opt_in" if wish["phone"] else None
            _set_consent(world, shop, number, (state, level, None, None))
        row = touch(world, shop, number)
    world.emitter.emit(shop.domain, "customers/update", payloads.customer(row, shop))
    return row


def set_consent(
    world: Shopify,
    shop: Shop,
    number: int,
    state: str,
    *,
    level: str = "single_opt_in",
    at: int | None = None,
    collected_from: str = "SHOPIFY",
) -> Any:
    """A customer says yes or no to texts, at `at`: the newest answer stays. Tells both topics, as one event.

    Raises BadWish when there is no phone.
    """
    row = by_id(world, shop, number)
    if row["phone"] is None:
        raise BadWish("A phone number is required to set the SMS consent state.")
    at = world.clock.now() if at is None else at
    if row["sms_at"] is not None and at < row["sms_at"]:
        return row
    values = (_one_of(STATES, state), _one_of(LEVELS, level), at, collected_from)
    if values == (row["sms_state"], row["sms_level"], row["sms_at"], row["sms_from"]):
        return row
    with world.store.changing():
        _set_consent(world, shop, number, values)
        row = touch(world, shop, number)
    event = str(uuid.uuid4())
    change = payloads.consent_change(row, shop)
    world.emitter.emit(shop.domain, "customers_marketing_consent/update", change, event)
    world.emitter.emit(shop.domain, "customers/update", payloads.customer(row, shop), event)
    return row


def delete(world: Shopify, shop: Shop, number: int) -> None:
    """`customers/delete`."""
    by_id(world, shop, number)
    world.store.run("DELETE FROM customers WHERE shop = ? AND id = ?", (shop.domain, number))
    gone = {"id": number, "admin_graphql_api_id": gid("Customer", number), "phone": None, "addresses": []}
    world.emitter.emit(shop.domain, "customers/delete", gone)


def merge(world: Shopify, shop: Shop, number: int, kept: int) -> Any:
    """Two customers were one person: `kept` stays, the other is deleted. `customers/merge`."""
    gone, row = by_id(world, shop, number), by_id(world, shop, kept)
    with world.store.changing():
        world.store.run("DELETE FROM customers WHERE shop = ? AND id = ?", (shop.domain, number))
        if row["phone"] is None and gone["phone"]:
            world.store.run(
                "UPDATE customers SET phone = ? WHERE shop = ? AND id = ?", (gone["phone"], shop.domain, kept)
            )
            consent = (gone["sms_state"], gone["sms_level"], gone["sms_at"], gone["sms_from"])
            _set_consent(world, shop, kept, consent)
        row = touch(world, shop, kept)
    told: dict[str, Any] = {
        "admin_graphql_api_customer_kept_id": gid("Customer", kept),
        "admin_graphql_api_customer_deleted_id": gid("Customer", number),
        "admin_graphql_api_job_id": None,
        "status": "completed",
        "errors": [],
    }
    world.emitter.emit(shop.domain, "customers/merge", told)
    return row


def touch(world: Shopify, shop: Shop, number: int) -> Any:
    """Something about the customer is newer now."""
    sql = "UPDATE customers SET updated_at = max(?, updated_at) WHERE shop = ? AND id = ?"
    world.store.run(sql, (world.clock.now(), shop.domain, number))
    return by_id(world, shop, number)


def data_request(world: Shopify, shop: Shop, number: int) -> None:
    """The customer wants to know what is known: `customers/data_request`."""
    row = by_id(world, shop, number)
    told: dict[str, Any] = {
        **_person(shop, row),
        "orders_requested": _orders_of(world, shop, number),
        "data_request": {"id": world.store.take_numbers("DataRequest")},
    }
    world.emitter.emit(shop.domain, "customers/data_request", told)


def redact(world: Shopify, shop: Shop, number: int) -> None:
    """The customer wants to be forgotten: `customers/redact`. Shopify forgets the person itself as well."""
    row = by_id(world, shop, number)
    told = {**_person(shop, row), "orders_to_redact": _orders_of(world, shop, number)}
    world.emitter.emit(shop.domain, "customers/redact", told)
    sql = """
        UPDATE customers SET first_name = NULL, last_name = NULL, email = NULL, phone = NULL,
               sms_state = NULL, sms_level = NULL, sms_at = NULL, sms_from = NULL, updated_at = ?
        WHERE shop = ? AND id = ?
    """
    world.store.run(sql, (world.clock.now(), shop.domain, number))


def shop_redact(world: Shopify, shop: Shop) -> None:
    """48 hours after an uninstall: `shop/redact`."""
    world.emitter.emit(shop.domain, "shop/redact", {"shop_id": shop.id, "shop_domain": shop.domain})


def shown(world: Shopify, domain: str, number: int) -> dict[str, Any]:
    """A customer as webhooks would show it now."""
    shop = shops.by_domain(world, domain)
    return payloads.customer(by_id(world, shop, number), shop)


def _person(shop: Shop, row: Any) -> dict[str, Any]:
    person = {"id": row["id"], "email": row["email"], "phone": row["phone"]}
    return {
        "shop_id": shop.id,
        "shop_domain": shop.domain,
        "customer": {name: value for name, value in person.items() if value is not None},
    }


def _orders_of(world: Shopify, shop: Shop, number: int) -> list[int]:
    sql = """
        SELECT id FROM documents
        WHERE shop = ? AND kind = 'order' AND json_extract(body, '$.customer_id') = ? ORDER BY id
    """
    return [row["id"] for row in world.store.rows(sql, (shop.domain, number))]


def _set_consent(world: Shopify, shop: Shop, number: int, values: tuple[Any, ...]) -> None:
    world.store.run(SET_CONSENT, (*values, world.clock.now(), shop.domain, number))


def _require_free(world: Shopify, shop: Shop, phone: str | None, *, but: int) -> None:
    sql = "SELECT id FROM customers WHERE shop = ? AND phone = ? AND id <> ?"
    if phone and world.store.row(sql, (shop.domain, phone, but)):
        raise BadWish("Phone has already been taken")


def _one_of(words: tuple[str, ...], word: str) -> str:
    if word.lower() not in words:
        raise BadWish(f"{word!r} is not one of {', '.join(words)}")
    return word.lower()


def _moment(text: Any, now: int) -> int:
    try:
        return seconds_of(str(text)) if text else now
    except ValueError as error:
        raise BadWish(str(error)) from error
