"""The admin pages, as a person at a browser meets them."""

import pytest

from app.sandbox import SandboxConfig, create_sandbox
from app.sandbox.config import SandboxInProduction
from tests.sandbox.shopify.conftest import App
from tests.sandbox.shopify.world import ShopWorld, World


def look(world: World, path: str = "/shopify/") -> str:
    answer = world.call("GET", path)
    assert answer.status_code == 200
    return answer.text


def press(shop: ShopWorld, button: str, **form: str) -> str:
    """The page after pressing a button."""
    answer = shop.world.session.post(
        f"{shop.world.url}/shopify/{shop.domain}/do/{button}", data=form, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_shop_is_opened_on_the_page(world: World):
    form = {"name": "Aegean-Soap", "customers": "20"}
    opened = world.session.post(f"{world.url}/shopify/", data=form, timeout=30)
    assert "aegean-soap.myshopify.com" in opened.text
    assert "20 customers" in look(world)


def test_a_shop_with_an_impossible_name_is_refused(world: World):
    answer = world.session.post(f"{world.url}/shopify/", data={"name": "a b"}, timeout=30)
    assert "is not an address" in answer.text


def test_the_buttons_make_things_happen_and_the_page_shows_how_the_app_answered(
    shop: ShopWorld, token: str, app: App
):
    shop.do("subscribe", topic="orders/create", uri=f"{app.url}/x")
    press(shop, "create-customer", first_name="Ελένη", phone="+306911111111", sms_state="subscribed")
    person = str(shop.customers()[0]["id"])
    page = press(shop, "order", customer_id=person, price="12.50", landing_site="/?an=t")

    assert "The order is placed." in page
    assert all(
        text in page for text in ("Ελένη", "#1001 · 12.50 EUR", "orders/create", "taken", "subscribed")
    )
    assert app.got("orders/create")[0].json()["landing_site"] == "/?an=t"


def test_a_refusal_is_shown_on_the_page(shop: ShopWorld):
    assert "isn&#39;t valid" in press(shop, "order", email="a@example.com", discount_codes="NONE")


def test_names_cannot_become_markup(shop: ShopWorld):
    page = press(shop, "create-customer", first_name="<script>alert(1)</script>")
    assert "<script>" not in page
    policy = shop.world.call("GET", f"/shopify/{shop.domain}").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy


def test_another_site_cannot_press_the_buttons(shop: ShopWorld):
    url = f"{shop.world.url}/shopify/{shop.domain}/do/uninstall"
    answer = shop.world.session.post(url, headers={"Sec-Fetch-Site": "cross-site"}, timeout=30)
    assert answer.status_code == 403


def test_phone_inbox_and_admin_lead_to_each_other(world: World, shop: ShopWorld, app: App):
    shop.do("create-customer", phone="+306911111111")
    page = look(world, f"/shopify/{shop.domain}")
    assert 'href="/shopify/"' in look(world, "/")
    assert 'href="/"' in page
    assert 'href="/#%2B306911111111"' in page
    assert f"{app.url}/auth/shopify?shop={shop.domain}" in page


def test_it_does_not_start_in_production():
    with pytest.raises(SandboxInProduction):
        create_sandbox(SandboxConfig(app_env="production"))


def test_what_a_shop_holds_survives_a_restart(tmp_path):
    config = SandboxConfig(store=str(tmp_path / "sandbox.db"))
    for _ in range(2):
        sandbox = create_sandbox(config)
        client = sandbox.test_client()
        found = client.get("/sandbox/shopify/shops").json
        client.post("/sandbox/shopify/shops", json={"domain": "demo.myshopify.com", "customers": 3})
        sandbox.extensions["sandbox"].close()
    assert [shop["customers"] for shop in found["shops"]] == [3]
