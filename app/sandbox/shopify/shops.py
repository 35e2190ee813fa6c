"""Shops: who they are, and whether the app is installed there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.sandbox.shopify.clock import local
from app.sandbox.shopify.gids import gid, is_domain
from app.sandbox.shopify.state import Shopify

INSERT = """
INSERT INTO shops (domain, id, name, email, currency, timezone, country, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class NoSuchShop(LookupError):
    """No shop has this address."""


class BadWish(ValueError):
    """Somebody asked for something that a shop cannot do."""


@dataclass(frozen=True)
class Shop:
    """One row of `shops`."""

    domain: str
    id: int
    name: str
    email: str
    currency: str
    timezone: str
    country: str
    is_installed: bool
    scopes: str
    uninstalled_at: int
    created_at: int
    updated_at: int


def create(world: Shopify, domain: str, **wish: Any) -> Shop:
    """Open a shop; an existing one is given back as it is. Raises BadWish when the address is none."""
    if not is_domain(domain):
        raise BadWish(f"{domain!r} is not an address like demo.myshopify.com")
    with world.store.changing():
        if _row(world, domain) is None:
            name = str(wish.get("name") or domain.partition(".")[0].replace("-", " ").title())
            now = world.clock.now()
            values = (
                domain,
                world.store.take_numbers("Shop"),
                name,
                str(wish.get("email") or f"owner@{domain.partition('.')[0]}.example"),
                str(wish.get("currency") or "EUR"),
                str(wish.get("timezone") or "Europe/Athens"),
                str(wish.get("country") or "GR"),
                now,
                now,
            )
            world.store.run(INSERT, values)
    return by_domain(world, domain)


def by_domain(world: Shopify, domain: str) -> Shop:
    """Raises NoSuchShop."""
    row = _row(world, domain)
    if row is None:
        raise NoSuchShop(domain)
    return row


def every(world: Shopify) -> list[Shop]:
    """All shops, by address."""
    return [_shop(row) for row in world.store.rows("SELECT * FROM shops ORDER BY domain")]


def change(world: Shopify, domain: str, **values: Any) -> Shop:
    """Set columns that `update_shop` of the control API allows; tell the app nothing."""
    allowed = {"name", "email", "currency", "timezone", "country"}
    if unknown := set(values) - allowed:
        raise BadWish(f"a shop has no {', '.join(sorted(unknown))}")
    for column, value in values.items():
        world.store.run(f"UPDATE shops SET {column} = ? WHERE domain = ?", (str(value), domain))  # noqa: S608
    world.store.run("UPDATE shops SET updated_at = ? WHERE domain = ?", (world.clock.now(), domain))
    return by_domain(world, domain)


def installed(world: Shopify, domain: str, scopes: str) -> None:
    """The app is in this shop now, with these scopes."""
    world.store.run("UPDATE shops SET is_installed = 1, scopes = ? WHERE domain = ?", (scopes, domain))


def update(world: Shopify, domain: str, **values: Any) -> Shop:
    """The merchant changes something about the shop."""
    shop = change(world, domain, **values)
    world.emitter.emit(domain, "shop/update", payload(shop))
    return shop


def rescope(world: Shopify, domain: str, scopes: str) -> None:
    """The merchant grants other scopes. Tokens stay good and have them at once."""
    shop = by_domain(world, domain)
    world.store.run("UPDATE shops SET scopes = ? WHERE domain = ?", (scopes, domain))
    told = {
        "id": shop.id,
        "previous": shop.scopes.split(","),
        "current": scopes.split(","),
        "updated_at": local(world.clock.now(), shop.timezone),
    }
    world.emitter.emit(domain, "app/scopes_update", told)


def uninstall(world: Shopify, domain: str) -> None:
    """Tokens die at once; the app is told; its subscriptions are gone."""
    shop = by_domain(world, domain)
    with world.store.changing():
        world.store.run("DELETE FROM tokens WHERE shop = ?", (domain,))
        world.store.run(
            "UPDATE shops SET is_installed = 0, scopes = '', uninstalled_at = ? WHERE domain = ?",
            (world.clock.now(), domain),
        )
        world.emitter.emit(domain, "app/uninstalled", payload(shop))
        world.store.run("DELETE FROM documents WHERE shop = ? AND kind = 'subscription'", (domain,))


def payload(shop: Shop) -> dict[str, Any]:
    """A shop as webhooks show it."""
    return {
        "id": shop.id,
        "admin_graphql_api_id": gid("Shop", shop.id),
        "name": shop.name,
        "email": shop.email,
        "domain": shop.domain,
        "myshopify_domain": shop.domain,
        "country": shop.country,
        "country_code": shop.country,
        "currency": shop.currency,
        "iana_timezone": shop.timezone,
        "plan_name": "basic",
        "created_at": local(shop.created_at, shop.timezone),
        "updated_at": local(shop.updated_at, shop.timezone),
    }


def granted(scopes: Iterable[str]) -> str:
    """Scopes as Shopify gives them back: without the read_x that a write_x implies."""
    asked = {scope.strip() for scope in scopes if scope.strip()}
    implied = {"read_" + scope.removeprefix("write_") for scope in asked if scope.startswith("write_")}
    return ",".join(sorted(asked - implied))


def _row(world: Shopify, domain: str) -> Shop | None:
    row = world.store.row("SELECT * FROM shops WHERE domain = ?", (domain,))
    return _shop(row) if row else None


def _shop(row: Any) -> Shop:
    return Shop(**{**dict(row), "is_installed": bool(row["is_installed"])})
