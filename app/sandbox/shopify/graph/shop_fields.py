"""`shop` and what belongs to the app's installation there."""

from typing import Any

from app.sandbox.shopify.clock import local, zulu
from app.sandbox.shopify.gids import gid
from app.sandbox.shopify.graph.asked import Asked, Info


def shop(info: Info) -> dict[str, Any]:
    """The shop itself."""
    asked: Asked = info.context
    found = asked.shop
    address = {"id": gid("ShopAddress", found.id), "countryCodeV2": found.country, "country": found.country}
    return {
        "id": gid("Shop", found.id),
        "name": found.name,
        "email": found.email,
        "contactEmail": found.email,
        "myshopifyDomain": found.domain,
        "url": f"https://{found.domain}",
        "primaryDomain": {
            "id": gid("Domain", found.id),
            "host": found.domain,
            "url": f"https://{found.domain}",
            "sslEnabled": True,
        },
        "currencyCode": found.currency,
        "ianaTimezone": found.timezone,
        "timezoneOffset": local(asked.world.clock.now(), found.timezone)[-6:].replace(":", ""),
        "plan": {"publicDisplayName": "Basic", "partnerDevelopment": True, "shopifyPlus": False},
        "shopAddress": address,
        "billingAddress": address,
        "shopOwnerName": "Maria Owner",
        "createdAt": zulu(found.created_at),
        "updatedAt": zulu(found.updated_at),
    }


def installation(info: Info) -> dict[str, Any]:
    """The scopes that are granted at this moment; write_x shows its read_x, too."""
    asked: Asked = info.context
    held = {scope for scope in asked.access.scopes.split(",") if scope}
    held |= {"read_" + scope.removeprefix("write_") for scope in held if scope.startswith("write_")}
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in sorted(held)]
    return {"id": gid("AppInstallation", asked.shop.id), "accessScopes": scopes}


def locales(info: Info, published: bool) -> list[dict[str, Any]]:
    """The languages of the shop: its country's, then English."""
    asked: Asked = info.context
    asked.require("read_locales")
    codes = dict.fromkeys(["el" if asked.shop.country in ("GR", "CY") else "en", "en"])
    return [
        {"locale": code, "name": code, "primary": n == 0, "published": True} for n, code in enumerate(codes)
    ]


QUERY = {"shop": shop, "currentAppInstallation": installation, "shopLocales": locales}
