"""Shopify's signatures, by its published examples and by everything that differs from them a little."""

from __future__ import annotations

import pytest

from app.integrations.shopify import signatures

SECRET = "hush"
BODY = b'{"shop_id":954889,"shop_domain":"some-shop.myshopify.com"}'
BODY_SIGNATURE = "Tr2c7Me17fTQwz4kN7AGPjEn0lRCShuYgLnmDSgxA4k="
CALLBACK = {
    "code": ["0907a61c0c8d55e99db179b68161bc00"],
    "shop": ["some-shop.myshopify.com"],
    "state": ["0.6784241404160823"],
    "timestamp": ["1337178173"],
}
CALLBACK_SIGNATURE = "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf"
HOST = {"host": ["YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvc29tZS1zaG9w"]}
LISTS = {
    "ids[]": ["1", "2"],
    "shop": ["some-shop.myshopify.com"],
    "timestamp": ["1337178173"],
    "x": ["a=b&c"],
}
PROXIED = {
    "extra": ["1", "2"],
    "logged_in_customer_id": [""],
    "path_prefix": ["/apps/astronote"],
    "shop": ["some-shop.myshopify.com"],
    "timestamp": ["1317327555"],
}
PROXY_SIGNATURE = "d55a66c07e43e6a97effd1f6d04db114c3e2b5756d7ecd955b5b55205d895b64"


def test_the_published_webhook_verifies() -> None:
    assert signatures.webhook_signature(BODY, SECRET) == BODY_SIGNATURE
    assert signatures.is_signed_webhook(BODY, BODY_SIGNATURE, ["another", SECRET])


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (BODY, None),
        (BODY, ""),
        (BODY, BODY_SIGNATURE[:-1]),
        (BODY, BODY_SIGNATURE.lower()),
        (BODY, "ΩΩΩ"),
        (BODY, "\udcff"),
        (BODY + b"\n", BODY_SIGNATURE),
        (BODY[:-1], BODY_SIGNATURE),
        (b'{"shop_domain":"some-shop.myshopify.com","shop_id":954889}', BODY_SIGNATURE),
        (b"", BODY_SIGNATURE),
    ],
)
def test_a_body_or_signature_that_differs_at_all_does_not(body: bytes, given: str | None) -> None:
    assert not signatures.is_signed_webhook(body, given, [SECRET])


def test_without_a_secret_nothing_verifies() -> None:
    assert not signatures.is_signed_webhook(BODY, BODY_SIGNATURE, signatures.secrets_of(None, "", " , "))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (CALLBACK, CALLBACK_SIGNATURE),
        (CALLBACK | HOST, "9fe3d5ea81959305fd96bd3d2d44e878654e753bc8e455b5369c15a009412163"),
        (LISTS, "ac5e43350304fab1474f2ff33336ad115e830bbefd6a51f5e4d5b24b41731380"),
    ],
)
def test_published_redirects_verify(query: dict[str, list[str]], expected: str) -> None:
    assert signatures.query_signature(query, SECRET) == expected
    assert signatures.is_signed_query({**query, "hmac": [expected], "signature": ["old"]}, [SECRET])


@pytest.mark.parametrize(
    "changed",
    [
        {"hmac": []},
        {"hmac": [CALLBACK_SIGNATURE, CALLBACK_SIGNATURE]},
        {"hmac": [CALLBACK_SIGNATURE.upper()]},
        {"shop": ["other-shop.myshopify.com"]},
        {"extra": ["1"]},
        {"code": ["0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com"]},
    ],
)
def test_a_redirect_that_differs_at_all_does_not(changed: dict[str, list[str]]) -> None:
    query = {**CALLBACK, "hmac": [CALLBACK_SIGNATURE], **changed}

    assert not signatures.is_signed_query(query, [SECRET])


def test_the_published_proxied_request_verifies_and_no_other() -> None:
    assert signatures.is_signed_proxy_request({**PROXIED, "signature": [PROXY_SIGNATURE]}, [SECRET])
    assert not signatures.is_signed_proxy_request(
        {**PROXIED, "logged_in_customer_id": ["7"], "signature": [PROXY_SIGNATURE]}, [SECRET]
    )
