"""OAuth, session tokens and the four grants, as the app meets them."""

import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest

from tests.sandbox.shopify.conftest import App
from tests.sandbox.shopify.world import API_KEY, API_SECRET, EXCHANGE, OFFLINE, ShopWorld, World

SHOP_NAME = "{ shop { name } }"


def authorize(shop: ShopWorld, app: App, **more: str) -> dict[str, str]:
    """What comes back to the app in the address."""
    asked = {
        "client_id": API_KEY,
        "scope": "read_customers,write_customers,read_orders",
        "redirect_uri": f"{app.url}/auth/callback",
        "state": "nonce&1",
        **more,
    }
    path = f"/shopify/{shop.domain}/admin/oauth/authorize"
    answer = shop.world.call("GET", path, params=asked, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(f"{app.url}/auth/callback?")
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def is_let_in(shop: ShopWorld, token: str) -> bool:
    return shop.graphql(SHOP_NAME, token=token).status_code == 200


def test_a_merchant_who_agrees_is_sent_back_with_a_signed_code_that_works_once(shop: ShopWorld, app: App):
    back = authorize(shop, app)
    first = shop.token_call(code=back["code"], expiring="1")
    second = shop.token_call(code=back["code"], expiring="1")

    signature = back.pop("hmac")
    message = "&".join(f"{name}={value.replace('&', '%26')}" for name, value in sorted(back.items()))
    assert signature == hmac.new(API_SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert (back["shop"], back["state"]) == (shop.domain, "nonce&1")
    answer = first.json()
    assert (answer["scope"], answer["expires_in"]) == ("read_orders,write_customers", 3600)
    assert is_let_in(shop, answer["access_token"])
    assert second.status_code == 400


def test_a_merchant_may_say_no(shop: ShopWorld, app: App):
    assert authorize(shop, app, deny="1")["error"] == "access_denied"


def test_only_the_registered_app_is_sent_back_to(shop: ShopWorld, app: App):
    path = f"/shopify/{shop.domain}/admin/oauth/authorize"
    elsewhere = {"client_id": API_KEY, "redirect_uri": "http://127.0.0.1:9/x", "state": "s"}
    assert shop.world.call("GET", path, params=elsewhere, allow_redirects=False).status_code == 400


def test_a_session_token_has_the_claims_of_a_real_one(shop: ShopWorld):
    claims = jwt.decode(
        shop.session_token(),
        API_SECRET,
        algorithms=["HS256"],
        audience=API_KEY,
        options={"require": ["iss", "dest", "aud", "sub", "exp", "nbf", "iat", "jti", "sid"]},
    )
    assert claims["dest"] == f"https://{shop.domain}"
    assert claims["iss"] == f"https://{shop.domain}/admin"
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    "claims", [{"aud": "another-app"}, {"exp": 1}, {"dest": "https://other.myshopify.com"}, {"nbf": 2**33}]
)
def test_a_session_token_that_is_wrong_is_not_exchanged(shop: ShopWorld, claims: dict[str, object]):
    answer = shop.exchange(shop.session_token(**claims))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_subject_token")


def test_a_forged_session_token_is_not_exchanged(shop: ShopWorld):
    good = shop.session_token()
    forged = jwt.encode(jwt.decode(good, options={"verify_signature": False}), "x" * 32, algorithm="HS256")
    assert shop.exchange(good).ok
    assert shop.exchange(forged).status_code == 400


def test_a_wrong_client_secret_gets_nothing(shop: ShopWorld):
    assert shop.token_call(client_secret="wrong", code="x").status_code == 401


def test_an_access_token_ends_after_an_hour_and_is_refreshed(shop: ShopWorld, world: World):
    first = shop.exchange(shop.session_token()).json()
    world.move_clock(3601)
    second = shop.token_call(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert not is_let_in(shop, first["access_token"])
    assert is_let_in(shop, second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]


def test_a_used_refresh_token_may_be_tried_again_until_its_replacement_is_used(shop: ShopWorld):
    def refresh(token: str) -> dict[str, str]:
        return dict(shop.token_call(grant_type="refresh_token", refresh_token=token).json())

    first = shop.exchange(shop.session_token()).json()["refresh_token"]
    second = refresh(first)["refresh_token"]
    assert refresh(first)["refresh_token"] == second
    refresh(second)
    assert refresh(first)["error"] == "invalid_grant"


def test_an_old_token_without_end_is_migrated_once(shop: ShopWorld):
    shop.session_token()
    back = shop.token_call(
        grant_type=EXCHANGE,
        subject_token=shop.session_token(),
        subject_token_type="urn:ietf:params:oauth:token-type:id_token",
        requested_token_type=OFFLINE,
    ).json()
    assert "expires_in" not in back
    migrate = {
        "grant_type": EXCHANGE,
        "subject_token": back["access_token"],
        "subject_token_type": OFFLINE,
        "requested_token_type": OFFLINE,
        "expiring": "1",
    }
    assert shop.token_call(**migrate).json()["expires_in"] == 3600
    assert shop.token_call(**migrate).status_code == 400
    assert not is_let_in(shop, back["access_token"])


def test_uninstalling_kills_every_token_at_once(shop: ShopWorld):
    before = shop.session_token()
    tokens = shop.exchange(before).json()
    shop.world.move_clock(5)
    shop.do("uninstall")

    assert shop.graphql(SHOP_NAME, token=tokens["access_token"]).status_code == 401
    refresh = shop.token_call(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refresh.status_code == 401
    assert shop.exchange(before).status_code == 400


def test_the_token_of_one_shop_opens_no_other(world: World, token: str):
    other = world.shop("other.myshopify.com")
    assert other.graphql(SHOP_NAME, token=token).status_code == 401


def test_a_rotated_secret_signs_and_the_old_one_still_signs_in(shop: ShopWorld, world: World):
    world.rotate_secret("n" * 40)
    jwt.decode(shop.session_token(), "n" * 40, algorithms=["HS256"], audience=API_KEY)
    assert shop.exchange(shop.session_token()).ok
