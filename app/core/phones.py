"""Phone numbers: what a person typed becomes E.164, or a reason why it cannot receive a text.

The phonenumbers library has the last word. Plain mobile numbers, nearly all of a contact list, are
decided by patterns compiled from the same metadata, some ten times faster; whatever these patterns
cannot accept for certain goes to the library.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneNumberType
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc


class PhoneKind(StrEnum):
    """What can be known about a number that may receive texts."""

    MOBILE = "mobile"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"  # North America: the number does not tell


class NotAPhoneReason(StrEnum):
    """Why a text is not a phone number we can send to."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NOT_VALID = "not_valid"  # digits, but no numbering plan has them
    LANDLINE = "landline"  # valid, but not mobile: fixed lines, free-phone, premium rate, …


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that may receive texts. `region` is its own, so it can differ from the shop's."""

    e164: str
    region: str
    kind: PhoneKind


class NotAPhone(ValueError):
    """The text is not a phone number that can receive texts."""

    def __init__(self, reason: NotAPhoneReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def parse_phone(raw: str, region: str = "GR") -> Phone:
    """Read a phone number in any usual spelling; `region` is the country of national numbers.

    Extensions are dropped. Raises NotAPhone. Metadata ages, so a refusal is not for ever.
    """
    region = region.upper()
    return _parse_plain(raw, region) or _parse_with_library(raw, region)


def mask_phone(e164: str) -> str:
    """The number as logs and support screens may show it: country and network, last three digits."""
    if len(e164) < 10:
        return "•••" + e164[-2:]
    return f"{e164[:5]}•••{e164[-3:]}"


# --- by the library

_ACCEPTED = {
    PhoneNumberType.MOBILE: PhoneKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: PhoneKind.FIXED_LINE_OR_MOBILE,
}


def _parse_with_library(raw: str, region: str) -> Phone:
    if not raw.strip():
        raise NotAPhone(NotAPhoneReason.EMPTY)
    try:
        number = phonenumbers.parse(raw, region)
    except NumberParseException as refusal:
        letters = refusal.error_type == NumberParseException.NOT_A_NUMBER
        raise NotAPhone(NotAPhoneReason.NOT_A_NUMBER if letters else NotAPhoneReason.NOT_VALID) from None
    home = phonenumbers.region_code_for_number(number)
    if home is None or not phonenumbers.is_valid_number(number):
        raise NotAPhone(NotAPhoneReason.NOT_VALID)
    kind = _ACCEPTED.get(phonenumbers.number_type(number))
    if kind is None:
        raise NotAPhone(NotAPhoneReason.LANDLINE)
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), home, kind)


# --- by compiled patterns: every function returns None when the library must decide

_Test = Callable[[str], object]
_PLAIN = re.compile(r"(\+?)([0-9]{7,17})").fullmatch
_SEPARATORS = str.maketrans("", "", " -().")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One region's numbering plan. Tests take a national number of ASCII digits."""

    region: str
    code: str
    general: _Test
    lengths: frozenset[int]
    texts: _Test  # mobile, and of no kind that takes precedence
    fixed: _Test
    valid: _Test
    leading: _Test | None  # shared country codes: the region is told by these digits alone
    prefix: Callable[[str], re.Match[str] | None] | None  # stripped from the front, as the 0 in Britain
    rewrites: bool  # the prefix may be replaced by other digits when its last group is filled
    dials_00: bool
    idd: _Test | None


@dataclass(frozen=True, slots=True)
class _Country:
    """A country code: the plan that reads its numbers, and its regions in the order of trial."""

    code: str
    main: _Plan
    plans: tuple[_Plan, ...]


def _parse_plain(raw: str, region: str) -> Phone | None:
    found = _PLAIN(raw)
    if found is None and len(raw) <= 40:
        found = _PLAIN(raw.translate(_SEPARATORS))
    if found is None:
        return None
    plus, digits = found.groups()
    return _international(digits) if plus else _national(digits, region)


def _international(digits: str) -> Phone | None:
    country = _country(digits[:2]) or _country(digits[:1]) or _country(digits[:3])
    if country is None:
        return None
    return _within(country, country.main, digits[len(country.code) :])


def _national(digits: str, region: str) -> Phone | None:
    plan = _plan(region)
    country = plan and _country(plan.code)
    if not plan or not country:
        return None
    if plan.idd and plan.idd(digits):
        return _international(digits[2:]) if plan.dials_00 and digits[2] != "0" else None
    if digits.startswith(plan.code) and (not plan.general(digits) or len(digits) > max(plan.lengths)):
        # The country code without its plus sign, as spreadsheets leave it.
        rest = digits[len(plan.code) :]
        clear = plan.general(rest) and not plan.general(digits) and not (plan.prefix and plan.prefix(rest))
        return _within(country, country.main, rest) if clear else None
    return _within(country, plan, digits)


def _within(country: _Country, plan: _Plan, number: str) -> Phone | None:
    prefix = plan.prefix and plan.prefix(number)
    if prefix:
        number = number[prefix.end() :]
        rewritten = plan.rewrites and prefix.groups()[-1:] != (None,)
        if rewritten or len(number) not in plan.lengths or not plan.general(number):
            return None
    home = _home(country, number)
    if home is None or not home.texts(number):
        return None
    kind = PhoneKind.FIXED_LINE_OR_MOBILE if home.fixed(number) else PhoneKind.MOBILE
    return Phone(f"+{country.code}{number}", home.region, kind)


def _home(country: _Country, number: str) -> _Plan | None:
    if len(country.plans) == 1:
        return country.main
    for plan in country.plans:
        belongs = plan.leading or plan.valid
        if belongs(number):
            return plan
    return None


# --- building the patterns


@cache
def _country(code: str) -> _Country | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    if code.startswith("0") or not regions:
        return None
    plans = [_plan(region) for region in regions]
    known = tuple(plan for plan in plans if plan is not None)
    if len(known) != len(plans):  # satellite and other numbers without a region
        return None
    return _Country(code, known[0], known)


def _plan(region: str) -> _Plan | None:
    # Only real regions are cached: a region comes from outside.
    return _compiled_plan(region) if region in phonenumbers.SUPPORTED_REGIONS else None


@cache
def _compiled_plan(region: str) -> _Plan | None:
    rules = PhoneMetadata.metadata_for_region(region)
    if rules is None or rules.general_desc is None or not rules.general_desc.national_number_pattern:
        return None
    stripped = rules.national_prefix_for_parsing
    idd = rules.international_prefix
    return _Plan(
        region=region,
        code=str(rules.country_code),
        general=re.compile(rules.general_desc.national_number_pattern).fullmatch,
        lengths=frozenset(rules.general_desc.possible_length),
        leading=re.compile(rules.leading_digits).match if rules.leading_digits else None,
        prefix=re.compile(stripped).match if stripped else None,
        rewrites=bool(rules.national_prefix_transform_rule),
        dials_00=idd == "00",
        idd=re.compile(idd).match if idd else None,
        **_kinds(rules),
    )


def _kinds(rules: PhoneMetadata) -> dict[str, _Test]:
    general = _union([rules.general_desc])
    first = (rules.premium_rate, rules.toll_free, rules.shared_cost, rules.voip)
    special = _union((*first, rules.personal_number, rules.pager, rules.uan, rules.voicemail))
    fixed = _union([rules.fixed_line])
    mobile = fixed if rules.same_mobile_and_fixed_line_pattern else _union([rules.mobile])
    return {
        "texts": re.compile(f"(?={general})(?!{special}){mobile}").match,
        "fixed": re.compile(fixed).match,
        "valid": re.compile(f"(?={general})(?:{special}|{fixed}|{mobile})").match,
    }


def _union(kinds: Iterable[PhoneNumberDesc | None]) -> str:
    whole = [_whole(kind) for kind in kinds if kind is not None and kind.national_number_pattern]
    return f"(?:{'|'.join(whole)})" if whole else "(?!)"  # (?!) matches nothing


def _whole(kind: PhoneNumberDesc) -> str:
    lengths = "|".join(f"[0-9]{{{length}}}" for length in kind.possible_length if length > 0)
    if kind.possible_length and not lengths:  # the metadata's way to say: none exist
        return "(?!)"
    return rf"(?=(?:{lengths or '[0-9]+'})\Z)(?:{kind.national_number_pattern})\Z"
