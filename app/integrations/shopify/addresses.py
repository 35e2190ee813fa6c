"""Where a shop's doors at Shopify are.

No URL is built before the whole name of the shop has matched: it comes from strangers, and a request to any
other host would carry our client secret there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from app.core.settings import settings

SHOP_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")


class NotAShop(ValueError):
    """The name is not a shop's: a bug in the caller, who must have checked what came from outside."""


def admin(domain: str) -> str:
    """The beginning of every address of the shop. Raises NotAShop."""
    if not SHOP_DOMAIN.fullmatch(domain):
        raise NotAShop
    return settings().shopify_admin_base.replace("{shop}", domain)


def graphql(domain: str) -> str:
    """The Admin API, at the pinned version. Raises NotAShop."""
    return f"{admin(domain)}/admin/api/{settings().shopify_api_version}/graphql.json"


def tokens(domain: str) -> str:
    """The token endpoint. Raises NotAShop."""
    return f"{admin(domain)}/admin/oauth/access_token"


def authorization(domain: str, *, scopes: Sequence[str], redirect_uri: str, state: str) -> str:
    """Where the merchant is asked whether we may. Raises NotAShop.

    Without `grant_options[]` Shopify gives an offline token, one for the shop and not for a person.
    """
    query = {
        "client_id": settings().shopify_api_key,
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{admin(domain)}/admin/oauth/authorize?{urlencode(query)}"
