"""What the app is told of events, how they are signed, and what happens when it does not listen."""

import json
from typing import Any

import pytest
import stripe

from app.sandbox.stripe.signing import header, signature
from tests.sandbox.stripe.conftest import App
from tests.stripe_world import WEBHOOK_SECRET, StripeWorld

SHORT = b'{"id":"evt_test_1","object":"event","type":"checkout.session.completed"}'
LONG = SHORT[:-1] + b',"data":{"object":{"id":"cs_test_1","object":"checkout.session"}}}'


def happen(told: StripeWorld, name: str = "Demo Shop") -> str:
    """Something that one event tells; the id of what it is about."""
    return str(told.client().v1.customers.create({"name": name}).id)


def is_genuine(post: Any, secret: str = WEBHOOK_SECRET) -> bool:
    try:
        stripe.WebhookSignature.verify_header(post.body.decode(), post.signature, secret, tolerance=300)
    except stripe.SignatureVerificationError:
        return False
    return True


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (SHORT, "ca796b857b81e24d595a4c37abf88d2fafb533a32ede6ce4cfc9b0e892a35b08"),
        (LONG, "4a2a3f39402d4bd02442ede6e477b3cbea42955b23b6d2cdab72e5a256f346f1"),
    ],
)
def test_signatures_are_those_of_the_known_vectors(body: bytes, digest: str):
    assert signature(body, "whsec_test_secret", 1700000000) == digest
    assert header(body, ["whsec_test_secret"], 1700000000) == f"t=1700000000,v1={digest}"


def test_an_event_is_posted_and_the_real_client_reads_it(told: StripeWorld, app: App):
    number = happen(told)
    told.all_told()

    [post] = app.got("customer.created")
    event = stripe.Webhook.construct_event(post.body, post.signature, WEBHOOK_SECRET)
    assert (post.path, event.data.object["id"]) == ("/webhooks/stripe", number)
    assert (event.api_version, event.livemode) == ("2026-10-28.endive", False)


def test_a_refused_event_comes_again_with_the_same_body(told: StripeWorld, app: App):
    app.refusals = 3
    happen(told)
    told.all_told()

    posts = app.got("customer.created")
    assert (len(posts), len({post.body for post in posts})) == (4, 1)
    assert all(is_genuine(post) for post in posts)
    assert told.deliveries(type="customer.created")[0]["statuses"] == [503, 503, 503, 200]


def test_it_is_given_up_after_the_last_retry(told: StripeWorld, app: App):
    told.switch(retry_seconds=0.001, retries=2)
    app.refusals = 1000
    happen(told)
    told.all_told()
    [delivery] = told.deliveries(type="customer.created")
    assert (delivery["state"], delivery["statuses"]) == ("given up", [503, 503, 503])


def test_a_slow_app_is_tried_again(told: StripeWorld, app: App):
    told.switch(timeout_seconds=0.05, retries=1, retry_seconds=0.01)
    with app.lock:  # nobody is answered while this is held
        happen(told)
        told.all_told()
    assert told.deliveries(type="customer.created")[0]["statuses"] == [None, None]


def test_a_duplicate_is_the_same_event(told: StripeWorld, app: App):
    told.fault("duplicate", value=2, on="customer.created")
    happen(told)
    told.all_told()
    assert len(app.got("customer.created")) == 3
    assert len({post.json()["id"] for post in app.got("customer.created")}) == 1


def test_reordered_events_arrive_in_another_order(told: StripeWorld, app: App):
    told.fault("reorder", value=4)
    numbers = [happen(told, f"Shop {n}") for n in range(4)]
    told.all_told()

    arrived = [post.json()["data"]["object"]["id"] for post in app.got("customer.created")]
    assert sorted(arrived) == sorted(numbers)
    assert arrived != numbers


def test_a_delayed_event_comes_later(told: StripeWorld, app: App):
    told.fault("delay", value=0.3)
    happen(told)
    assert app.got("customer.created") == []
    told.all_told()
    assert len(app.got("customer.created")) == 1


def test_a_lost_event_never_leaves_but_the_api_shows_it(told: StripeWorld, app: App):
    told.fault("lost")
    happen(told)
    told.all_told()
    assert app.posts == []
    assert [event.type for event in told.client().v1.events.list().data] == ["customer.created"]


@pytest.mark.parametrize("kind", ["wrong_signature", "truncated"])
def test_a_spoilt_event_does_not_verify(told: StripeWorld, app: App, kind: str):
    told.fault(kind)
    happen(told)
    told.all_told()
    assert not is_genuine(app.posts[0])


def test_an_old_timestamp_is_signed_well_but_too_old(told: StripeWorld, app: App):
    told.fault("old_timestamp", value=301)
    happen(told)
    told.all_told()

    [post] = app.posts
    assert not is_genuine(post)
    assert stripe.WebhookSignature.verify_header(post.body.decode(), post.signature, WEBHOOK_SECRET, 600)


def test_while_a_secret_is_rolled_events_carry_both_signatures(told: StripeWorld, app: App):
    fresh = told.roll_secret()
    happen(told)
    told.all_told()
    told.end_roll()
    happen(told)
    told.all_told()

    during, after = app.got("customer.created")
    assert during.signature.count("v1=") == 2
    assert is_genuine(during, fresh) and is_genuine(during)
    assert is_genuine(after, fresh) and not is_genuine(after)


def test_an_event_can_be_told_again(told: StripeWorld, app: App):
    happen(told)
    told.all_told()
    told.again(app.posts[0].json()["id"])
    told.all_told()

    first, second = app.posts
    assert first.body == second.body


def test_in_pull_mode_nothing_is_posted_and_a_test_takes_the_events(told: StripeWorld, app: App):
    told.switch(hold_back=True)
    number = happen(told)

    [held] = told.pull_signed()
    assert held["event"]["data"]["object"]["id"] == number
    assert json.loads(held["body"]) == held["event"]
    assert stripe.WebhookSignature.verify_header(held["body"], held["signature"], WEBHOOK_SECRET, 300)
    assert told.pull() == []
    assert app.posts == []
    assert told.deliveries()[0]["state"] == "held"


def test_the_account_chooses_the_events_that_it_wants(told: StripeWorld, app: App):
    told.account(enabled_events=["invoice.*"])
    happen(told)
    told.all_told()
    assert app.posts == []
