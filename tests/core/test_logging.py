"""No personal data reaches a log, whoever writes the line."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
import structlog

from app.core.logging import REDACTED, configure_logging
from tests.core.conftest import EMAIL, PHONE, Line

Lines = Callable[[], list[Line]]
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdG9yZUlkIjoiMSJ9.c2lnbmF0dXJl"
ours = structlog.get_logger("trial")


def test_a_line_is_json_with_a_name_a_level_and_a_time(lines: Lines):
    ours.info("something_happened", campaign_id=7)

    (line,) = lines()
    assert line["event"] == "something_happened"
    assert (line["level"], line["logger"], line["campaign_id"]) == ("info", "trial", 7)
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("value", [PHONE, EMAIL, b"x", {"phone": PHONE}, [PHONE], object(), "any text"])
def test_what_may_be_personal_is_redacted(lines: Lines, value: object):
    ours.info("something_happened", payload=value)

    assert lines()[0]["payload"] == REDACTED


@pytest.mark.parametrize("value", [7, 1.5, True, None, [1, 2], []])
def test_numbers_and_flags_pass(lines: Lines, value: object):
    ours.info("something_happened", count=value)

    assert lines()[0]["count"] == value


def test_bound_context_is_redacted_too(lines: Lines):
    structlog.contextvars.bind_contextvars(shop_id=3, phone=PHONE)
    ours.info("something_happened")
    structlog.contextvars.clear_contextvars()

    (line,) = lines()
    assert (line["shop_id"], line["phone"]) == (3, REDACTED)


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        "306912345678",
        "+30 691 234 5678",
        "(691) 234-5678",
        EMAIL,
        JWT,
        "GET /r/Abc123-x",
        "/unsubscribe/abc.def",
        "/opt-out/Zz9",
    ],
)
def test_a_librarys_line_is_cut(lines: Lines, text: str):
    logging.getLogger("some.library").warning("sent to %s, now waiting", text)

    (line,) = lines()
    assert text.rpartition("/")[2] not in line["event"]
    assert REDACTED in line["event"]
    assert line["event"].endswith(", now waiting")
    assert line["logger"] == "some.library"


def test_a_librarys_line_without_anything_personal_stays(lines: Lines):
    logging.getLogger("some.library").warning("retry %d of %d after 1.5 s", 2, 3)

    assert lines()[0]["event"] == "retry 2 of 3 after 1.5 s"


@pytest.mark.parametrize("logger", [ours, logging.getLogger("some.library")])
def test_an_exception_is_logged_by_type_and_place(lines: Lines, logger: logging.Logger):
    try:
        raise ValueError(f"{PHONE} is not a number")
    except ValueError:
        logger.exception("broke")

    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["frames"][-1].startswith("test_logging.py:")
    assert PHONE not in str(line)


def test_configuring_twice_writes_every_line_once(lines: Lines, capsys: pytest.CaptureFixture[str]):
    configure_logging("INFO")
    configure_logging("INFO")
    ours.info("something_happened")

    assert len(capsys.readouterr().out.splitlines()) == 1


def test_lines_below_the_level_are_not_written(lines: Lines, capsys: pytest.CaptureFixture[str]):
    configure_logging("WARNING")
    ours.info("something_happened")
    ours.warning("something_odd_happened")

    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == [
        "something_odd_happened"
    ]
