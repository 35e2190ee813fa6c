"""Merge tags: every recipient gets clean text, whatever is missing and whatever they are called."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.messaging.text.template import (
    MERGE_VALUE_MAX,
    URL_PATTERN,
    Literal,
    Slot,
    clean_merge_value,
    compile_template,
    fit,
    replace_long_urls,
)

ANN = {"firstName": "Ann", "lastName": "Lee", "phone": "+306984303406", "email": "ann@example.com"}


@pytest.mark.parametrize(
    "tag",
    [
        "{{firstName}}",
        "{{ firstName }}",
        "{{FIRSTNAME}}",
        "{{first_name}}",
        "{{First Name}}",
        "{{ first\tname}}",
    ],
)
def test_a_tag_may_be_spelled_in_many_ways(tag: str) -> None:
    assert compile_template(f"Hi {tag}!").render(ANN) == "Hi Ann!"


def test_constants_are_written_in_when_the_text_is_compiled() -> None:
    text = "{{shop_name}}: code {{ DiscountCode }} for {{firstName}}, {{orderNumber}}"

    template = compile_template(
        text, {"shopName": "Ta Dé", "discountCode": "AB{C}\n" + "9" * 60, "order_number": "7"}
    )

    assert template.segments == (
        Literal(f"Ta Dé: code ABC{'9' * 60} for"),
        Slot("firstName", " "),
        Literal(", 7"),
    )
    assert template.unknown_tags == ()


def test_a_constant_is_not_read_as_a_template() -> None:
    assert (
        compile_template(r"{{shopName}} \1", {"shopName": r"{{email}} $& \1"}).render(ANN)
        == r"email $& \1 \1"
    )


def test_an_unknown_tag_is_reported_and_leaves_nothing() -> None:
    template = compile_template("Hi {{ nickName }}, {{nickName}} {{ nickName }} {{}} ok {{discountCode}}.")

    assert template.render(ANN) == "Hi, ok."
    assert template.unknown_tags == ("{{ nickName }}", "{{nickName}}", "{{}}")


def test_dotted_variables_are_looked_up_without_regard_to_case() -> None:
    template = compile_template("Order {{ Order.Name }} of {{customer.firstName}}")

    assert template.render({"order.name": "#1001", "customer.firstName": "Ann"}) == "Order #1001 of Ann"
    assert template.slot_names == ("Order.Name", "customer.firstName")


@pytest.mark.parametrize(
    ("text", "empty", "filled"),
    [
        ("Hi {{firstName}}, sale!", "Hi, sale!", "Hi Ann, sale!"),
        ("Hi {{firstName}} {{lastName}}!", "Hi!", "Hi Ann Lee!"),
        ("Hi {{firstName}} there", "Hi there", "Hi Ann there"),
        ("Hi {{firstName}}", "Hi", "Hi Ann"),
        ("Hi {{firstName}}\nsale", "Hi\nsale", "Hi Ann\nsale"),
        ("{{firstName}} hi", "hi", "Ann hi"),
        ("Hi\n{{firstName}} hi", "Hi\nhi", "Hi\nAnn hi"),
        ("{{firstName}} {{lastName}} hi", "hi", "Ann Lee hi"),
        ("{{firstName}} {{lastName}}, hi", ", hi", "Ann Lee, hi"),
        ("{{firstName}}", "", "Ann"),
        ("A  {{firstName}} b", "A  b", "A  Ann b"),
        ("({{firstName}})", "()", "(Ann)"),
        ("Line\n\n{{firstName}}\n\nend", "Line\n\n\n\nend", "Line\n\nAnn\n\nend"),
    ],
)
def test_an_empty_value_takes_one_blank_with_it(text: str, empty: str, filled: str) -> None:
    template = compile_template(text)

    assert template.render({}) == template.render({"firstName": " ", "lastName": None}) == empty
    assert template.render(ANN) == filled


def test_a_customer_without_a_last_name_is_greeted_properly() -> None:
    ann = {"firstName": "Ann"}

    assert compile_template("{{firstName}} {{lastName}}, hi").render(ann) == "Ann, hi"
    assert compile_template("{{firstName}} {{lastName}} hi").render(ann) == "Ann hi"
    assert compile_template("Dear {{firstName}} {{lastName}}: hi").render(ann) == "Dear Ann: hi"


def test_slots_know_their_blanks_and_how_often_they_came_before() -> None:
    template = compile_template("{{email}} a {{email}} b")

    assert template.segments == (
        Slot("email", "", " "),
        Literal("a"),
        Slot("email", " ", "", occurrence=1),
        Literal(" b"),
    )
    assert template.literal_text == "a b"
    assert template.slot_names == ("email",)


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("Ann", "Ann"),
        ("  Ann\n\x00Lee\t ", "AnnLee"),
        ("{{lastName}}", "lastName"),
        ("x" * 50, "x" * MERGE_VALUE_MAX),
        ("x" * 39 + " y", "x" * 39),
        (r"$& \1 %s", r"$& \1 %s"),
        ("\ud800Ann", "Ann"),
        (None, ""),
    ],
)
def test_a_merge_value_is_one_short_clean_line(value: str | None, clean: str) -> None:
    assert clean_merge_value(value) == clean


def test_line_breaks_stay_and_other_controls_go() -> None:
    assert compile_template("a\r\n\nb\x00c\td\x07").render({}) == "a\n\nbc d"


@pytest.mark.parametrize(
    "text", ["Hi {{firstName", "{{ {{firstName}} }}", "{{{firstName}}}", "a {{ b } {{{{ c"]
)
def test_broken_braces_never_reach_a_phone(text: str) -> None:
    rendered = compile_template(text).render(ANN)

    assert "{{" not in rendered
    assert "}}" not in rendered


TAGS = st.sampled_from(
    ["{{firstName}}", "{{ last_name }}", "{{order.name}}", "{{nobody}}", "{{shopName}}", "{{}}"]
)
VALUES = st.dictionaries(
    st.sampled_from(["firstName", "lastName", "order.name"]), st.one_of(st.none(), st.text(max_size=60))
)


@given(
    st.lists(st.one_of(TAGS, st.text("{} \n\0a.", max_size=6), st.text(max_size=20))).map("".join),
    VALUES,
    st.text(max_size=20),
)
@example("{}}{", {}, "")
def test_no_text_crashes_and_none_shows_braces(text: str, values: dict[str, str | None], shop: str) -> None:
    rendered = compile_template(text, {"shopName": shop}).render(values)

    assert "{{" not in rendered
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", rendered)
    rendered.encode()


BETWEEN = st.text(" ,\nab", min_size=1, max_size=6).filter(lambda text: "  " not in text)
NAMES = st.dictionaries(
    st.sampled_from(["firstName", "lastName", "order.name"]), st.sampled_from(["", "Ann"])
)


@given(BETWEEN, st.lists(st.tuples(TAGS, BETWEEN), max_size=6), st.booleans(), st.booleans(), NAMES)
def test_empty_values_make_no_double_blanks(
    first: str, rest: list[tuple[str, str]], no_start: bool, no_end: bool, values: dict[str, str]
) -> None:
    text = first + "".join(tag + between for tag, between in rest)
    text = text[len(first) * no_start :]
    text = text[: len(text) - len(rest[-1][1])] if rest and no_end else text

    assert "  " not in compile_template(text).render(values)


@given(st.lists(st.one_of(TAGS, st.text("a ,\n", max_size=5))).map("".join), VALUES)
def test_a_text_is_the_sum_of_its_segments(text: str, values: dict[str, str | None]) -> None:
    template = compile_template(text)
    clean = {name: clean_merge_value(value) for name, value in values.items()}
    slots = [part for part in template.segments if isinstance(part, Slot)]

    longer = sum(len(part.before + clean[part.name] + part.after) for part in slots if clean.get(part.name))

    assert len(template.render(values)) == len(template.literal_text) + longer


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("See https://x.gr/a?b=1&c=2.", ["https://x.gr/a?b=1&c=2"]),
        ("(www.x.gr/a), HTTP://Y.gr!", ["www.x.gr/a", "HTTP://Y.gr"]),
        ("https://x.gr/{{ discountCode }}/z, ok", ["https://x.gr/{{ discountCode }}/z"]),
        ("https://x.gr/{{email}}", ["https://x.gr/{{email}}"]),
        ("mail awww.x.gr http:// www. x@www", []),
    ],
)
def test_addresses_are_found_without_the_punctuation_after_them(text: str, urls: list[str]) -> None:
    assert [found.group() for found in URL_PATTERN.finditer(text)] == urls


def test_only_long_addresses_are_replaced() -> None:
    text = "Go https://x.gr/" + "a" * 40 + "! or www.x.gr."

    assert replace_long_urls(text, 50, lambda url: f"<{len(url)}>") == "Go <53>! or www.x.gr."


def test_a_text_that_fits_is_not_cut() -> None:
    template = compile_template("a" * 50 + "{{firstName}}")

    assert fit(template, "tail", limit=94) is template
    assert fit(template, "tail", limit=93) is not template


def test_a_long_text_is_cut_before_the_tail() -> None:
    template = fit(
        compile_template("Hello {{firstName}}, " + "word " * 400), "\n\nUnsubscribe: https://a.b/c"
    )

    rendered = template.render({"firstName": "x" * 60})

    assert rendered.endswith("...")
    assert 1550 < len(rendered) + len("\n\nUnsubscribe: https://a.b/c") <= 1600


def test_neither_a_tag_nor_an_address_is_cut_in_two() -> None:
    text = "Go to https://x.gr/" + "a" * 30 + "?n={{firstName}}&z=1 now {{lastName}} soon"

    for limit in range(140):
        cut = fit(compile_template(text), "tail", limit=limit)
        shown = cut.render({"firstName": "N" * 40, "lastName": "L" * 40})
        assert len(shown) + 4 <= max(limit, 7)
        assert "https" not in shown or f"?n={'N' * 40}&z=1 " in shown


@given(
    st.lists(st.one_of(TAGS, st.text("a .\n", max_size=30), st.just("https://x.gr/abc"))).map("".join),
    st.integers(10, 300),
)
def test_a_fitted_text_always_fits(text: str, limit: int) -> None:
    template = fit(compile_template(text), "12345", limit=limit)
    longest = dict.fromkeys(template.slot_names, "m" * MERGE_VALUE_MAX)

    assert len(template.render(longest)) + 5 <= limit
