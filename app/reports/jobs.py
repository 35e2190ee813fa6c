"""Making answers ready before they are asked for."""

from __future__ import annotations

import flask

from app.core.jobs import doorbell
from app.shops import service as shops

# What a client asks first, and always in the same words.
FIRST_PAGES = (("/dashboard", "dashboard.show"), ("/reports/kpis", "reports.kpis"))


@doorbell("reports.warm")
def warm(shop_id: int) -> None:
    """Ask for the first pages as the shop would, so that they are kept when it does.

    Harmless if it runs twice, late, or never: what is kept is not computed again.
    """
    shop = shops.signed_in_shop(shop_id)
    for path, endpoint in FIRST_PAGES:
        with flask.current_app.test_request_context(path):
            flask.g.shop, flask.g.shop_id, flask.g.request_id = shop, shop.id, "warm"
            flask.current_app.view_functions[endpoint]()
