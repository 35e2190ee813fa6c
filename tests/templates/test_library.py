"""The texts that we wrote. Nothing here needs a database."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict

import pytest

from app.messaging.link_tokens import OPT_OUT_LINK
from app.messaging.text.parts import Encoding, count_parts
from app.messaging.text.template import compile_template
from app.messaging.wording import OPT_OUT_LINE, short_url
from app.shops.models import EshopType
from app.templates.library import LIBRARY_VERSION, SHARED_LIBRARY, SHOP_SETS, STORE_CATEGORIES, LibraryText

ALL = [*SHARED_LIBRARY, *(entry for shop_set in SHOP_SETS.values() for entry in shop_set)]
LONG_NAME, LONG_CODE = "Christopherr", "SUMMER2026"
FUNCTIONAL = {
    "welcome",
    "promotion",
    "reminder",
    "loyalty",
    "engagement",
    "notification",
    "special",
    "upsell",
}
# Whoever changes a text raises LIBRARY_VERSION, and then puts the new digest here.
DIGESTS = {1: "75ca41157b1597f0"}

every_text = pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.key)


def rendered(entry: LibraryText, name: str | None, code: str = LONG_CODE) -> str:
    return compile_template(entry.content, {"discountCode": code}).render({"first_name": name})


def test_there_are_ten_store_categories_with_five_texts_each() -> None:
    by_category = {
        category.name: [entry.key for entry in category.entries()] for category in STORE_CATEGORIES
    }

    assert list(by_category) == [
        "Fashion & Apparel",
        "Beauty & Cosmetics",
        "Electronics & Gadgets",
        "Home & Living",
        "Health & Wellness",
        "Food & Beverage",
        "Jewelry & Accessories",
        "Baby & Kids",
        "Sports & Fitness",
        "Pet Supplies",
    ]
    assert by_category["Pet Supplies"] == [
        "pet_supplies_welcome_01",
        "pet_supplies_abandoned_cart_01",
        "pet_supplies_promo_01",
        "pet_supplies_back_in_stock_01",
        "pet_supplies_order_update_01",
    ]
    assert {len(keys) for keys in by_category.values()} == {5}
    assert len(SHARED_LIBRARY) == 50


def test_every_type_of_shop_has_a_set_of_five_for_five_functions() -> None:
    assert set(SHOP_SETS) == set(EshopType)
    for eshop_type, shop_set in SHOP_SETS.items():
        categories = {entry.category for entry in shop_set}
        assert len(shop_set) == len(categories) == 5
        assert categories <= FUNCTIONAL
        assert {entry.eshop_type for entry in shop_set} == {eshop_type}
    assert {entry.category for shop_set in SHOP_SETS.values() for entry in shop_set} == FUNCTIONAL


def test_no_two_texts_say_the_same() -> None:
    assert len({re.sub(r"\W+", " ", entry.content).casefold() for entry in ALL}) == len(ALL)
    assert len({entry.key for entry in ALL}) == len(ALL)
    assert len({entry.title for entry in SHARED_LIBRARY}) == len(SHARED_LIBRARY)


@every_text
def test_a_text_and_the_opt_out_line_are_one_part_of_plain_characters(entry: LibraryText) -> None:
    tail = OPT_OUT_LINE + short_url("https://s.example.com", OPT_OUT_LINK)

    assert count_parts(entry.content).encoding is Encoding.GSM7
    assert count_parts(entry.content).parts == 1
    whole = count_parts(rendered(entry, LONG_NAME) + tail)
    assert (whole.encoding, whole.parts) == (Encoding.GSM7, 1), whole.units


@every_text
def test_a_text_uses_no_other_tags_than_the_first_name_and_the_code(entry: LibraryText) -> None:
    tags = re.findall(r"{{(.*?)}}", entry.content)

    assert set(tags) <= {"first_name", "discountCode"}
    assert len(tags) == len(set(tags))
    assert ("discountCode" in tags) == (entry.category in {"promotion", "loyalty"} or "_promo_" in entry.key)
    assert compile_template(entry.content).unknown_tags == ()


@every_text
@pytest.mark.parametrize("name", ["Eva", None])
def test_a_text_reads_well_with_and_without_a_name(entry: LibraryText, name: str | None) -> None:
    text = rendered(entry, name)

    assert "  " not in text and "{" not in text
    assert not re.search(r"\s[,.!?:;]|[,:;][,.!?:;]|[.!?][,:;]", text)
    assert re.match(r"[A-Z]", text)
    assert re.search(rf"[.!?]\Z|{LONG_CODE}\Z", text)
    for sentence in re.split(r"(?<=[.!?]) ", text):
        assert sentence[0].isupper() or sentence.startswith(LONG_CODE)


@every_text
def test_a_text_says_what_it_is_for_and_fits_its_columns(entry: LibraryText) -> None:
    assert 1 <= len(entry.title) <= 100
    assert 1 <= len(entry.goal) <= 200
    assert 1 <= len(entry.suggested_metrics) <= 500


def test_the_version_of_the_library_follows_its_texts() -> None:
    digest = hashlib.sha256(json.dumps([asdict(entry) for entry in ALL]).encode()).hexdigest()[:16]

    assert {LIBRARY_VERSION: digest}.items() <= DIGESTS.items(), "raise LIBRARY_VERSION, add its digest"
