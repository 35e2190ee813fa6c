"""Whatever is sent as a rule is either taken and can be counted, or refused with the path to its fault."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.audiences.rules.vocabulary import FIELDS
from tests.audiences.people import Caller, a_contact

names = itertools.count(1)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PLAUSIBLE = (
    st.integers(-1, 200)
    | st.booleans()
    | st.sampled_from(["male", "opted_in", "GR", "vip", "%_\\'", "2024-02-29", "2026-01-01T00:00:00Z"])
    | st.dates().map(str)
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    | st.lists(st.integers(0, 150), min_size=2, max_size=2)
    | st.lists(st.sampled_from(["vip", "new", "GR", "Άλφα"]), min_size=1, max_size=3)
    | st.none()
)
KNOWN = st.sampled_from([(field, op) for field, operators in FIELDS.items() for op in operators])
LEAVES = st.builds(lambda known, value: {"field": known[0], "op": known[1], "value": value}, KNOWN, PLAUSIBLE)
RULES = st.recursive(
    LEAVES | JSON,
    lambda inner: st.dictionaries(
        st.sampled_from(["all", "any"]), st.lists(inner, max_size=4), min_size=1, max_size=1
    ),
    max_leaves=8,
)
WELL_FORMED = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(
        st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3), min_size=1, max_size=1
    ),
    max_leaves=4,
).map(lambda rule: {"all": [rule]})


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES | WELL_FORMED)
@example(rule={"all": [{"field": "createdAt", "op": "after", "value": "2200-12-31"}]})
@example(rule={"all": [{"field": "createdAt", "op": "before", "value": "1900-01-01T00:00:00+14:00"}]})
@example(rule={"all": [{"field": "createdAt", "op": "inLastDays", "value": 36500}]})
@example(rule={"all": [{"field": "age", "op": "atMost", "value": 150}]})
@example(rule={"all": [{"field": "firstName", "op": "is", "value": "\x00"}]})
@example(rule={"all": [{"field": "firstName", "op": "is", "value": "\ud800"}]})
@example(rule={"\x00": None})
def test_a_random_rule_is_taken_and_counted_or_refused(merchant: Caller, rule: Any) -> None:
    answer = merchant.call("POST", "/audiences/segments", {"name": f"Random {next(names)}", "rule": rule})

    if answer.status_code == 201:
        path = f"/audiences/segments/{answer.json['data']['id']}"
        assert merchant.data("GET", f"{path}/preview")["estimatedCount"] == 0
        merchant.data("DELETE", path)  # a shop has a bounded number of segments
    else:
        assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
        assert answer.json["details"][0]["field"].startswith("rule")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=KNOWN, value=PLAUSIBLE)
def test_a_contact_fits_all_of_a_condition_exactly_when_it_fits_any_of_it(
    merchant: Caller, known: tuple[str, str], value: Any
) -> None:
    if not merchant.reached("all"):
        a_contact(merchant.shop, first_name="Άννα", tags=["vip"], orders_count=2, region="GR")
    leaf = {"field": known[0], "op": known[1], "value": value}

    counts = [_count(merchant, {match: [leaf, leaf]}) for match in ("all", "any")]

    assert counts[0] == counts[1]


def _count(merchant: Caller, rule: dict[str, Any]) -> int | None:
    answer = merchant.call("POST", "/audiences/segments", {"name": f"Random {next(names)}", "rule": rule})
    if answer.status_code != 201:
        return None
    merchant.data("DELETE", f"/audiences/segments/{answer.json['data']['id']}")
    count: int = answer.json["data"]["estimatedCount"]
    return count
