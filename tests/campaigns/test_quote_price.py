"""For any text, people, codes and caps: the quote is what is held, and never less than what is held later."""

from __future__ import annotations

from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import build_contacts, build_pools
from tests.build_campaigns import Merchant, a_merchant

# Letters that meet every rule: GSM-7, escapes, accents, Greek, typography, emoji, blanks, braces.
LETTERS = st.sampled_from("aZ9 @€[]~^|{}Γλάé’“…—😀👍\u00a0\n,.")
pieces = st.one_of(
    st.text(LETTERS, max_size=30),
    st.sampled_from(["{{firstName}}", " {{ last_name }} ", "{{shopName}}", " {{discountCode}}", "{{nope}}"]),
    st.sampled_from(["https://a.gr/x", " https://shop.example.com/a-long-path-to-somewhere/and-back?x=1 "]),
    st.integers(1, 150).map(lambda count: "x" * count),
    st.integers(1, 70).map(lambda count: "я" * count),
)
messages = st.lists(pieces, min_size=1, max_size=6).map("".join).filter(lambda text: text.strip())
names = st.one_of(st.none(), st.text(LETTERS.filter(lambda c: c != "\n"), min_size=1, max_size=45))
PHONES = ("+3069{:08}", "+1201{:07}", "+1204{:07}", "+3579{:07}", "+999{:07}")
people = st.lists(st.tuples(names, names, st.sampled_from(PHONES)), min_size=1, max_size=6)
caps = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "maxCreditsPerMessage": st.one_of(st.none(), st.integers(1, 4)),
            "countries": st.dictionaries(st.sampled_from(["GR", "US", "CA", "CY", "ZZ"]), st.integers(0, 4)),
        }
    ),
)
campaigns = st.fixed_dictionaries(
    {"message": messages, "smartEncoding": st.booleans(), "compressGreek": st.booleans()}
)
codes = st.sampled_from(["none", "one", "pool"])
slowly = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def a_world(app: Flask, who: Any, caps: Any) -> Merchant:
    merchant = a_merchant(app.test_client(), wallet=10_000)
    more(merchant, who)
    if caps is not None:
        merchant.data("PUT", "/billing/price-caps", caps)
    return merchant


def more(merchant: Merchant, who: Any) -> None:
    for first, last, phone in who:
        number = next(build_contacts.numbers)
        build_contacts.a_contact(merchant.shop, phone=phone.format(number), first_name=first, last_name=last)


def a_campaign(merchant: Merchant, body: Any, code: str) -> str:
    given = dict(body)
    if code == "one":
        given["discountCode"] = "Ήλιος-10"
    if code == "pool":
        given["discountPoolId"] = str(build_pools.a_pool(merchant.shop, 20))
    return merchant.a_campaign(**given)


@given(body=campaigns, who=people, caps=caps, code=codes)
@slowly
def test_the_quote_is_exactly_what_is_held(app: Flask, body: Any, who: Any, caps: Any, code: str) -> None:
    merchant = a_world(app, who, caps)
    campaign = a_campaign(merchant, body, code)

    quoted = merchant.data("POST", f"/campaigns/{campaign}/quote")
    shown = merchant.data("GET", f"/campaigns/{campaign}/preview")
    started = merchant.do("enqueue", campaign, {"quoteId": quoted["id"]})

    assert (shown["creditsRequired"], shown["recipientCount"]) == (quoted["credits"], quoted["recipients"])
    assert shown["parts"] == quoted["parts"]
    assert sum(one["credits"] for one in quoted["countries"]) == quoted["credits"]
    left_out = {one["reason"]: one["count"] for one in quoted["excluded"]}
    assert quoted["recipients"] + left_out.get("over_price_cap", 0) == len(who)
    if quoted["recipients"]:
        assert started.status_code == 200, started.json
        assert merchant.balance().held == quoted["credits"] == sum(one.parts for one in merchant.messages())
        assert len(merchant.messages()) == quoted["recipients"]
    else:
        assert started.json["code"] == "NO_RECIPIENTS"


@given(body=campaigns, other=campaigns, who=people, newcomers=people, caps=caps, other_caps=caps, code=codes)
@slowly
def test_whatever_changes_after_the_quote_it_never_costs_more(
    app: Flask, body: Any, other: Any, who: Any, newcomers: Any, caps: Any, other_caps: Any, code: str
) -> None:
    merchant = a_world(app, who, caps)
    campaign = a_campaign(merchant, body, code)
    quoted = merchant.data("POST", f"/campaigns/{campaign}/quote")

    more(merchant, newcomers)
    if len(newcomers) % 2:
        merchant.data("PUT", f"/campaigns/{campaign}", other)
    if other_caps is not None:
        merchant.data("PUT", "/billing/price-caps", other_caps)
    started = merchant.do("enqueue", campaign, {"quoteId": quoted["id"]})

    assert merchant.balance().held <= quoted["credits"]
    if started.status_code != 200:
        assert started.json["code"] in {
            "QUOTE_OUTDATED",
            "QUOTE_EXCEEDED",
            "NO_RECIPIENTS",
            "DISCOUNT_CODES_MISSING",
        }
        assert (merchant.messages(), merchant.balance().held) == ([], 0)


@given(body=campaigns, who=people)
@slowly
def test_what_a_character_costs_is_what_replacing_it_saves(app: Flask, body: Any, who: Any) -> None:
    merchant = a_world(app, who, None)
    campaign = merchant.a_campaign(**body)
    quoted = merchant.data("POST", f"/campaigns/{campaign}/quote")
    message = body["message"].strip()

    for dear in quoted["characters"]:
        merchant.data("PUT", f"/campaigns/{campaign}", {"message": replaced(message, dear)})
        cheaper = merchant.data("POST", f"/campaigns/{campaign}/quote")

        assert dear["credits"] == max(quoted["credits"] - cheaper["credits"], 0), dear
        merchant.data("PUT", f"/campaigns/{campaign}", {"message": message})
    for enabled, credits in ((True, "creditsWith"), (False, "creditsWithout")):
        if not (body["compressGreek"] and enabled):
            merchant.data("PUT", f"/campaigns/{campaign}", {"smartEncoding": enabled, "compressGreek": False})
            respelled = merchant.data("POST", f"/campaigns/{campaign}/quote")
            assert quoted["smartEncoding"][credits] == respelled["credits"]


def replaced(message: str, dear: Any) -> str:
    """The text with the replacement at each of the character's places, from the last to the first."""
    lines = message.split("\n")
    for place in reversed(dear["places"]):
        line, at = lines[place["line"] - 1], place["column"] - 1
        assert line.startswith(dear["character"], at)
        lines[place["line"] - 1] = line[:at] + dear["replacement"] + line[at + len(dear["character"]) :]
    return "\n".join(lines)
