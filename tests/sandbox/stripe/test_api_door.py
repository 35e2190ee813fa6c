"""What every call goes through, with the real client, and over plain HTTP where the client is too polite."""

import threading
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.waiting import eventually
from tests.stripe_world import SECRET_KEY, StripeWorld

VERSION = "2026-10-28.endive"


def raw(world: StripeWorld, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
    """One request without the client's own headers and retries."""
    given = {"Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(
        method, f"{world.api_base}/v1{path}", data=body, headers=given | names, timeout=20
    )


def refusal_of(answer: requests.Response) -> dict[str, Any]:
    return dict(answer.json()["error"])


def test_brackets_become_nested_parameters(world: StripeWorld):
    wish: Any = {
        "name": "Maria & Söhne",
        "email": "maria@example.com",
        "address": {"line1": "Odos 1", "country": "GR"},
        "metadata": {"shopId": "7", "0": "zero"},
        "preferred_locales": ["el", "en"],
        "tax_id_data": [{"type": "eu_vat", "value": "EL123456789"}],
    }

    made = world.client().v1.customers.create(wish)

    assert (made.name, made.address.country, made.preferred_locales) == ("Maria & Söhne", "GR", ["el", "en"])
    assert made.metadata.to_dict() == {"shopId": "7", "0": "zero"}
    [number] = world.client().v1.customers.tax_ids.list(made.id).data
    assert (number.value, number.country) == ("EL123456789", "GR")


def test_a_wrong_key_opens_nothing(world: StripeWorld):
    with pytest.raises(stripe.AuthenticationError) as refused:
        world.client("sk_test_of_somebody_else").v1.customers.list()

    assert refused.value.http_status == 401
    assert raw(world, "GET", "/customers", Authorization="").status_code == 401
    assert "somebody" not in str(refused.value)


def test_answers_name_their_request_and_version(world: StripeWorld):
    answer = raw(world, "GET", "/customers")

    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == VERSION
    unknown = raw(world, "GET", "/customers", Stripe_Version="2019-01-01")
    assert (unknown.status_code, unknown.headers["Request-Id"][:4]) == (400, "req_")
    assert "2019-01-01" in refusal_of(unknown)["message"]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("nmae=x", "parameter_unknown", "nmae"),
        ("address[planet]=Mars", "parameter_unknown", "address[planet]"),
        ("name[first]=x", None, "name"),
        ("tax_exempt=perhaps", None, "tax_exempt"),
        ("next_invoice_sequence=one", "parameter_invalid_integer", "next_invoice_sequence"),
        ("expand[]=shoes", None, "expand[0]"),
    ],
)
def test_wrong_parameters_are_named(world: StripeWorld, body: str, code: str | None, param: str):
    answer = raw(world, "POST", "/customers", body)

    assert answer.status_code == 400
    error = refusal_of(answer)
    assert (error["type"], error.get("code"), error["param"]) == ("invalid_request_error", code, param)
    assert world.objects("customer") == []


@pytest.mark.parametrize(
    ("metadata", "is_fine"),
    [
        ({f"k{number}": "v" for number in range(50)}, True),
        ({f"k{number}": "v" for number in range(51)}, False),
        ({"k" * 40: "v" * 500}, True),
        ({"k" * 41: "v"}, False),
        ({"k": "v" * 501}, False),
    ],
)
def test_metadata_has_limits(world: StripeWorld, metadata: dict[str, str], is_fine: bool):
    if is_fine:
        assert world.client().v1.customers.create({"metadata": metadata}).metadata.to_dict() == metadata
    else:
        with pytest.raises(stripe.InvalidRequestError, match="Metadata"):
            world.client().v1.customers.create({"metadata": metadata})


def test_an_empty_text_takes_metadata_away(world: StripeWorld):
    customers = world.client().v1.customers
    made = customers.create({"metadata": {"a": "1", "b": "2"}, "name": "Maria"})

    changed = customers.update(made.id, {"metadata": {"a": "", "c": "3"}, "name": ""})
    cleared = customers.update(made.id, {"metadata": ""})

    assert (changed.metadata.to_dict(), changed.name) == ({"b": "2", "c": "3"}, None)
    assert cleared.metadata.to_dict() == {}


def test_what_is_not_there_is_missing(world: StripeWorld):
    for ask in (world.client().v1.customers.retrieve, world.client().v1.subscriptions.retrieve):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            ask("nothing_1")
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert raw(world, "GET", "/unicorns").status_code == 404


def test_a_repeated_key_gets_the_first_answer(world: StripeWorld):
    customers = world.client().v1.customers

    first = customers.create({"name": "A"}, {"idempotency_key": "customer:7"})
    again = customers.create({"name": "A"}, {"idempotency_key": "customer:7"})

    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(world.objects("customer")) == 1


def test_a_key_stands_for_one_wish(world: StripeWorld):
    customers = world.client().v1.customers
    customers.create({"name": "A"}, {"idempotency_key": "k"})

    with pytest.raises(stripe.IdempotencyError) as refused:
        customers.create({"name": "B"}, {"idempotency_key": "k"})

    assert refused.value.http_status == 400
    with pytest.raises(stripe.InvalidRequestError):
        customers.create({}, {"idempotency_key": "k" * 256})


def test_a_refused_wish_leaves_its_key_free(world: StripeWorld):
    answer = raw(world, "POST", "/customers", "nmae=x", Idempotency_Key="k")
    assert answer.status_code == 400

    assert raw(world, "POST", "/customers", "name=x", Idempotency_Key="k").status_code == 200


def test_a_key_in_flight_is_a_conflict(world: StripeWorld):
    world.fault("latency_ms", value=1500, on="POST /v1/customers")
    slow: list[requests.Response] = []
    thread = threading.Thread(
        target=lambda: slow.append(raw(world, "POST", "/customers", "name=x", Idempotency_Key="k"))
    )

    thread.start()
    eventually(lambda: world.ask("GET", "/faults")["faults"] == [])
    eventually(lambda: raw(world, "POST", "/customers", "name=x", Idempotency_Key="k").status_code == 409)
    thread.join()

    assert slow[0].status_code == 200
    after = raw(world, "POST", "/customers", "name=x", Idempotency_Key="k")
    assert after.json()["id"] == slow[0].json()["id"]


def test_a_key_is_forgotten_after_a_day(world: StripeWorld):
    customers = world.client().v1.customers
    first = customers.create({"name": "A"}, {"idempotency_key": "k"})

    world.advance(seconds=24 * 3600 + 5)

    assert customers.create({"name": "A"}, {"idempotency_key": "k"}).id != first.id


def test_a_500_after_the_effect_is_remembered(world: StripeWorld):
    world.fault("http_500_after", on="POST /v1/customers")

    with pytest.raises(stripe.APIError) as failed:
        world.client().v1.customers.create({"name": "A"}, {"idempotency_key": "k"})

    assert failed.value.http_status == 500
    assert len(world.objects("customer")) == 1
    assert raw(world, "POST", "/customers", "name=A", Idempotency_Key="k").status_code == 500


def test_a_500_before_the_effect_is_not(world: StripeWorld):
    world.fault("http_500", on="POST /v1/customers")

    made = world.client().v1.customers.create({"name": "A"})

    assert [one["id"] for one in world.objects("customer")] == [made.id]


def test_a_cut_connection_hides_an_effect_that_the_retry_finds(world: StripeWorld):
    world.fault("drop_after_accept", on="POST /v1/customers")

    made = world.client().v1.customers.create({"name": "A"})

    assert [one["id"] for one in world.objects("customer")] == [made.id]
    assert made.last_response.headers["Idempotent-Replayed"] == "true"


def test_other_troubles_come_as_the_client_knows_them(world: StripeWorld):
    customers = world.client().v1.customers
    world.fault("http_429", on="GET /v1/customers")
    with pytest.raises(stripe.RateLimitError):
        customers.list()
    world.fault("malformed_json", on="GET /v1/customers")
    with pytest.raises(stripe.APIError):
        customers.list()
    assert customers.list().data == []


def test_faults_meet_only_the_calls_that_they_name(world: StripeWorld):
    world.fault("http_429", on="GET /v1/customers/*", count=None)

    made = world.client().v1.customers.create({})

    with pytest.raises(stripe.RateLimitError):
        world.client().v1.customers.retrieve(made.id)


def test_pages_follow_each_other(world: StripeWorld):
    customers = world.client().v1.customers
    made = [customers.create({"name": str(number)}).id for number in range(7)]

    first = customers.list({"limit": 3})
    second = customers.list({"limit": 3, "starting_after": first.data[-1].id})
    back = customers.list({"limit": 2, "ending_before": second.data[0].id})

    assert [one.id for one in first.data] == made[:3:-1]
    assert (first.has_more, first.url) == (True, "/v1/customers")
    assert [one.id for one in back.data] == [made[5], made[4]]
    assert [one.id for one in customers.list({"limit": 3}).auto_paging_iter()] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError):
        customers.list({"limit": 101})
    assert customers.list({"created": {"gte": 4_000_000_000}}).data == []


def test_calls_are_recorded_without_the_key(world: StripeWorld):
    world.client().v1.customers.create({"name": "A"}, {"idempotency_key": "k"})

    [call] = world.requests(method="POST")

    assert (call["path"], call["wish"], call["key"]) == ("/v1/customers", {"name": "A"}, "k")
    assert (call["status"], call["is_replayed"]) == (200, False)
    assert SECRET_KEY not in str(call)


def test_events_say_what_caused_them(world: StripeWorld):
    made = world.client().v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    world.client().v1.customers.update(made.id, {"name": "B"})

    updated, created = world.client().v1.events.list().data

    assert (created.type, created.request.idempotency_key) == ("customer.created", "k")
    assert (updated.data.object["name"], updated.data.previous_attributes.to_dict()) == ("B", {"name": "A"})
    assert (created.api_version, created.livemode) == (VERSION, False)
    assert world.client().v1.events.retrieve(created.id).id == created.id
