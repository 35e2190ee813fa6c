"""The SQL price and the Python price are the same number, for any text and any names."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contacts.queries import opted_in
from app.core.uow import unit_of_work
from app.messaging.pricing import is_gsm, parts_of
from app.messaging.service import freezing
from app.messaging.text.alphabet import septets
from app.messaging.text.parts import Encoding, count_parts
from app.messaging.text.template import clean_merge_value, compile_template
from app.shops.models import Shop
from tests import build, build_contacts, build_messages

# Letters that meet every rule: GSM-7, escapes, accents, Greek, emoji, blanks of many kinds, braces, controls.
LETTERS = st.sampled_from("aZ9 @€{}[]~^|\\ΩΓλάé’😀👍\n\u00a0\u2003\u0007,.!")
names = st.one_of(st.none(), st.text(LETTERS, min_size=1, max_size=60), st.text(min_size=1, max_size=20))
pieces = st.one_of(
    st.text(LETTERS, max_size=60),
    st.sampled_from(["{{firstName}}", " {{ last_name }} ", "{{phone}}", "{{email}}"]),
    st.sampled_from([" {{discount.code}}", "{{nope}}"]),
    st.integers(1, 170).map(lambda count: "x" * count),
    st.integers(1, 80).map(lambda count: "я" * count),
    st.integers(1, 90).map(lambda count: "€" * count),
)
texts = st.lists(pieces, min_size=1, max_size=6).map("".join).filter(lambda text: text.strip())


def storable(name: str | None) -> str | None:
    """The name as a contact could have it."""
    cleaned = "".join(c for c in name or "" if c != "\0" and not 0xD800 <= ord(c) <= 0xDFFF)[:100]
    return cleaned or None


@given(text=texts, first=names, last=names)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sql_price_is_the_python_price(
    app: Flask, text: str, first: str | None, last: str | None
) -> None:
    template = compile_template(text)
    values = {
        "firstName": storable(first),
        "lastName": storable(last),
        "phone": "+306900000001",
        "email": "a^b@x.gr",
        "discount.code": "SUMMERXXXXXXXX",
    }
    expected = count_parts(template.render(values))
    priced = sa.select(
        *(sa.literal(values[key], sa.Text).label(column) for column, key in COLUMNS.items()),
        *(
            sa.func.sms_septets(sa.func.merge_value(values[key])).label(f"{column}_septets")
            for column, key in NAMES.items()
        ),
        *(
            sa.func.sms_utf16(sa.func.merge_value(values[key])).label(f"{column}_utf16")
            for column, key in NAMES.items()
        ),
    ).subquery()

    with unit_of_work(1) as session:
        parts, gsm = session.execute(sa.select(parts_of(template, priced), is_gsm(template, priced))).one()

    assert parts == max(expected.parts, 1)
    assert gsm == (expected.encoding is Encoding.GSM7)


NAMES = {"first_name": "firstName", "last_name": "lastName"}
COLUMNS = {**NAMES, "phone": "phone", "email": "email", "discount_code": "discount.code"}


@given(st.text(LETTERS, max_size=400))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sql_functions_count_like_python(app: Flask, text: str) -> None:
    with unit_of_work(1) as session:
        row = session.execute(
            sa.select(
                sa.func.sms_septets(text),
                sa.func.sms_utf16(text),
                sa.func.sms_parts(text),
                sa.func.merge_value(text),
            )
        ).one()

    assert row[0] == (-1 if septets(text) is None else septets(text))
    assert row[1] == len(text.encode("utf-16-le")) // 2
    assert row[2] == count_parts(text).parts
    assert row[3] == clean_merge_value(text)


def test_freezing_holds_exactly_what_the_preview_said(app: Flask) -> None:
    shop = a_shop_with_people()
    text = "Γεια {{firstName}} {{lastName}}, " + "μια νέα συλλογή " * 6

    with unit_of_work(shop.id):
        wording = build_messages.word(text, constants={}, link_base=build_messages.LINK_BASE)
        price = freezing.price(wording.text, opted_in(shop.id))
    frozen = build_messages.a_run(shop, text)

    assert (frozen.recipients, frozen.credits) == (price.recipients, price.credits)
    assert build_messages.balance_of(shop).held == price.credits
    build_messages.assert_books_balance()


def test_a_text_without_tags_is_priced_for_everybody(app: Flask) -> None:
    shop = build.a_shop()
    build_messages.people(shop, 7)

    with unit_of_work(shop.id):
        price = freezing.price("x" * 161, opted_in(shop.id))

    assert (price.recipients, price.credits, price.parts_histogram) == (7, 14, {2: 7})


def test_every_message_is_as_long_as_it_was_priced(app: Flask) -> None:
    shop = a_shop_with_people()

    frozen = build_messages.a_run(shop, "Hi {{firstName}} {{lastName}}! " + "x" * 90)

    run = build_messages.run_of(shop, frozen.run_id)
    for message in build_messages.messages_of(shop, frozen.run_id):
        values = {"firstName": message.first_name, "lastName": message.last_name, "phone": message.phone}
        assert count_parts(freezing.body_of(run, message.id, values)).parts == message.parts


def a_shop_with_people() -> Shop:
    shop = build.a_shop()
    build_messages.credit(shop)
    people = [("Maria", "Papa"), ("Γιώργος", None), (None, None), ("😀" * 30, "O'Neill"), ("[x]" * 13, "~")]
    for first, last in people:
        build_contacts.a_contact(shop, first_name=first, last_name=last)
    build_contacts.a_contact(shop, consent="opted_out")
    return shop
