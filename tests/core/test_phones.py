"""What people type as a phone number, and proof that the quick reading agrees with the library."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat, PhoneNumberType

from app.core.phones import NotAPhone, NotAPhoneReason, Phone, PhoneKind, mask_phone, parse_phone

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
SMALL_LISTS_OF_REGIONS = ["GR", "CY", "GB", "GG", "DE", "FR", "IT", "US", "CA", "RU", "KZ", "AR", "BR", "MX"]
TYPES = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]


def by_the_library(raw: str, region: str) -> Phone | None:
    """The plain answer of phonenumbers, written without any of our code."""
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    kinds = {
        PhoneNumberType.MOBILE: PhoneKind.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: PhoneKind.FIXED_LINE_OR_MOBILE,
    }
    kind = kinds.get(phonenumbers.number_type(number))
    if kind is None or not phonenumbers.is_valid_number(number):
        return None
    home = phonenumbers.region_code_for_number(number)
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), home or "", kind)


def by_us(raw: str, region: str) -> Phone | None:
    try:
        return parse_phone(raw, region)
    except NotAPhone:
        return None


def spellings(number: phonenumbers.PhoneNumber) -> list[str]:
    formats = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
    written = [phonenumbers.format_number(number, style) for style in formats]
    digits = written[0][1:]
    plain = phonenumbers.national_significant_number(number)
    national = "".join(filter(str.isdigit, written[2]))
    return [
        *written,
        digits,
        "00" + digits,
        "011" + digits,
        plain,
        "0" + plain,
        national,
        f"({plain[:3]}) {plain[3:]}",
    ]


def examples(region: str) -> list[phonenumbers.PhoneNumber]:
    found = (phonenumbers.example_number_for_type(region, kind) for kind in TYPES)
    return [number for number in found if number is not None]


@pytest.mark.parametrize(
    ("raw", "region", "e164", "home"),
    [
        ("6984303406", "GR", "+306984303406", "GR"),
        ("00306984303406", "GR", "+306984303406", "GR"),
        ("+306984303406", "US", "+306984303406", "GR"),
        ("306984303406", "GR", "+306984303406", "GR"),
        (" 698 430-3406 ", "gr", "+306984303406", "GR"),
        ("(+30) 698.430.3406", "GR", "+306984303406", "GR"),
        ("６９８４３０３４０６", "GR", "+306984303406", "GR"),
        ("٦٩٨٤٣٠٣٤٠٦", "GR", "+306984303406", "GR"),
        ("+306984303406 ext. 12", "GR", "+306984303406", "GR"),
        ("07911 123456", "GB", "+447911123456", "GG"),
        ("357 99 123456", "CY", "+35799123456", "CY"),
        ("+14155552671", "GR", "+14155552671", "US"),
        ("+16135550123", "GR", "+16135550123", "CA"),
    ],
)
def test_a_number_is_understood_in_any_usual_spelling(raw: str, region: str, e164: str, home: str) -> None:
    phone = parse_phone(raw, region)

    assert (phone.e164, phone.region) == (e164, home)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [("+306984303406", PhoneKind.MOBILE), ("+14155552671", PhoneKind.FIXED_LINE_OR_MOBILE)],
)
def test_the_kind_says_what_can_be_known(raw: str, kind: PhoneKind) -> None:
    assert parse_phone(raw).kind is kind


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        ("", "GR", "empty"),
        (" \t\u00a0", "GR", "empty"),
        ("Maria", "GR", "not_a_number"),
        ("+", "GR", "not_a_number"),
        ("12/05/2024 maria@example.com", "GR", "not_a_number"),
        ("(555) 123-4567", "US", "not_valid"),
        ("123", "US", "not_valid"),
        ("+999123456789", "GR", "not_valid"),
        ("6984303406", "nowhere", "not_valid"),
        ("6984303406" * 30, "GR", "not_valid"),
        ("2101234567", "GR", "landline"),
        ("+302101234567", "GR", "landline"),
        ("8001234567", "GR", "landline"),
    ],
)
def test_a_refusal_says_why(raw: str, region: str, reason: str) -> None:
    with pytest.raises(NotAPhone) as refusal:
        parse_phone(raw, region)

    assert refusal.value.reason is NotAPhoneReason(reason)


@pytest.mark.parametrize("region", REGIONS)
def test_every_example_number_of_a_region_is_read_as_the_library_reads_it(region: str) -> None:
    for number in examples(region):
        for raw in spellings(number):
            assert by_us(raw, region) == by_the_library(raw, region), (raw, region)
            assert by_us(raw, "GR") == by_the_library(raw, "GR"), raw


@pytest.mark.parametrize("region", REGIONS)
def test_every_accepted_number_fits_e164(region: str) -> None:
    accepted = [phone for number in examples(region) if (phone := by_us(spellings(number)[0], region))]

    assert all(phone.e164.startswith("+") and len(phone.e164) <= 16 for phone in accepted)


@settings(max_examples=1500, deadline=None)
@given(
    region=st.sampled_from(REGIONS),
    code=st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)),
    lead=st.sampled_from(["+", "", "00", "011", "+00", "0", "1", "8"]),
    number=st.text("0123456789", min_size=3, max_size=15),
)
def test_random_digits_are_read_as_the_library_reads_them(
    region: str, code: int, lead: str, number: str
) -> None:
    for raw in (f"{lead}{code}{number}", lead + number):
        assert by_us(raw, region) == by_the_library(raw, region), raw


@settings(max_examples=1500, deadline=None)
@given(data=st.data(), region=st.sampled_from(REGIONS + SMALL_LISTS_OF_REGIONS * 10))
def test_numbers_near_real_ones_are_read_as_the_library_reads_them(data: st.DataObject, region: str) -> None:
    known = examples(region)
    number = data.draw(st.sampled_from(known))
    raw = data.draw(st.sampled_from(spellings(number)))
    kept = data.draw(st.integers(0, len(raw)))
    raw = raw[:kept] + data.draw(
        st.text("0123456789", min_size=len(raw) - kept, max_size=len(raw) - kept + 1)
    )

    assert by_us(raw, region) == by_the_library(raw, region), raw


@settings(max_examples=500, deadline=None)
@given(
    raw=st.text("+0123456789 -().x#/٣３", max_size=24),
    region=st.sampled_from(["GR", "US", "GB", "DE", "BR"]),
)
def test_odd_punctuation_is_read_as_the_library_reads_it(raw: str, region: str) -> None:
    assert by_us(raw, region) == by_the_library(raw, region)


@settings(deadline=None)
@given(raw=st.text(max_size=300))
def test_any_text_is_a_phone_or_a_refusal(raw: str) -> None:
    assert by_us(raw, "GR") == by_the_library(raw, "GR")


@pytest.mark.parametrize(
    ("e164", "shown"),
    [("+306984303456", "+3069•••456"), ("+14155552671", "+1415•••671"), ("+29012", "•••12"), ("", "•••")],
)
def test_a_masked_number_keeps_network_and_last_digits(e164: str, shown: str) -> None:
    assert mask_phone(e164) == shown
