"""The phone inbox as a browser uses it."""

from typing import Any
from urllib.parse import quote

import pytest

from app.sandbox.parts import count_parts
from tests.sandbox.conftest import Carrier, Receiver
from tests.sandbox.waiting import eventually

MARIA, NIKOS = "+306900001111", "+14155550199"


def conversations(carrier: Carrier, **query: Any) -> list[dict[str, Any]]:
    found = carrier.call("GET", "/inbox/conversations", params=query).json()["conversations"]
    return list(found)


def bubbles(carrier: Carrier, phone: str, **query: Any) -> list[dict[str, Any]]:
    return list(carrier.call("GET", f"/inbox/conversations/{quote(phone)}", params=query).json()["messages"])


def test_the_page_and_its_own_files_load_and_nothing_else_is_allowed_to(carrier: Carrier) -> None:
    page = carrier.call("GET", "/")

    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("inbox.css", "inbox.js", "wording.js", "inbox.svg"):
        assert carrier.call("GET", f"/static/{name}").status_code == 200
    assert "//" not in page.text.replace("</", "").split("<body>")[0]


def test_phones_are_listed_with_the_newest_text_first(carrier: Carrier) -> None:
    carrier.send(MARIA, "first")
    carrier.send(NIKOS, "second")
    carrier.send(MARIA, "third")

    found = conversations(carrier)

    assert [(one["phone"], one["text"]) for one in found] == [(MARIA, "third"), (NIKOS, "second")]
    assert all(one["unread"] and one["sender"] == "MyShop" for one in found)


@pytest.mark.parametrize(
    ("search", "phones"),
    [
        ("0199", [NIKOS]),
        ("+1 415", [NIKOS]),
        ("myshop", [NIKOS, MARIA]),
        ("παπούτσια", [MARIA]),
        ("100%", [NIKOS]),
        ("%", [NIKOS]),
        ("nobody", []),
    ],
)
def test_phones_are_found_by_number_sender_and_text(carrier: Carrier, search: str, phones: list[str]) -> None:
    carrier.send(MARIA, "Νέα παπούτσια")
    carrier.send(NIKOS, "100% cotton")

    assert [one["phone"] for one in conversations(carrier, search=search)] == phones


def test_the_list_is_cut_and_says_that_there_is_more(carrier: Carrier) -> None:
    carrier.bulk(*[f"+30690000{n}" for n in range(1111, 1116)])

    found = carrier.call("GET", "/inbox/conversations?limit=3").json()

    assert (len(found["conversations"]), found["more"]) == (3, True)


def test_a_page_that_has_seen_everything_is_told_so_in_few_bytes(carrier: Carrier) -> None:
    version = carrier.call("GET", "/inbox/conversations").json()["version"]

    assert carrier.call("GET", f"/inbox/conversations?seen={version}").status_code == 204
    carrier.send(MARIA)
    assert carrier.call("GET", f"/inbox/conversations?seen={version}").status_code == 200


def test_a_bubble_tells_its_parts_encoding_and_status(carrier: Carrier) -> None:
    carrier.send(MARIA, "Καλημέρα")
    carrier.settle()

    bubble = bubbles(carrier, MARIA)[0]

    assert (bubble["parts"], bubble["encoding"], bubble["status"]) == (1, "UCS-2", "Delivered")
    assert bubble["isReply"] is False


def test_only_newer_bubbles_are_asked_for_while_the_page_is_open(carrier: Carrier) -> None:
    carrier.send(MARIA, "old")
    seen = bubbles(carrier, MARIA)[-1]["seq"]
    carrier.send(MARIA, "new")

    assert [one["text"] for one in bubbles(carrier, MARIA, after=seen)] == ["new"]


def test_a_long_conversation_opens_at_its_end_and_can_be_followed_back(carrier: Carrier) -> None:
    for start in (0, 150):
        items = [f"text {n}" for n in range(start, start + 150)]
        for text in items:
            carrier.send(MARIA, text)

    latest = carrier.call("GET", f"/inbox/conversations/{quote(MARIA)}").json()
    before = bubbles(carrier, MARIA, before=latest["messages"][0]["seq"])

    assert (latest["messages"][-1]["text"], len(latest["messages"]), latest["earlier"]) == (
        "text 299",
        200,
        True,
    )
    assert [one["text"] for one in before] == [f"text {n}" for n in range(100)]


def test_the_dot_goes_when_somebody_has_looked_and_comes_with_the_next_text(carrier: Carrier) -> None:
    carrier.send(MARIA)
    carrier.call("POST", f"/inbox/conversations/{quote(MARIA)}/read", {})
    assert conversations(carrier)[0]["unread"] is False

    carrier.send(MARIA, "again")

    assert conversations(carrier)[0]["unread"] is True


def test_a_reply_appears_on_the_phone_and_reaches_the_shop(carrier: Carrier, receiver: Receiver) -> None:
    carrier.send(MARIA)

    answer = carrier.call("POST", f"/inbox/conversations/{quote(MARIA)}/reply", {"text": " STOP "})

    assert answer.status_code == 200
    assert bubbles(carrier, MARIA)[-1]["isReply"] is True
    eventually(receiver.replies)
    expected = {"from": MARIA, "to": "MyShop", "text": "STOP", "messageId": answer.json()["messageId"]}
    assert receiver.replies() == [expected]


def test_an_empty_reply_and_a_reply_from_a_stranger_are_refused(carrier: Carrier) -> None:
    carrier.send(MARIA)

    assert (
        carrier.call("POST", f"/inbox/conversations/{quote(MARIA)}/reply", {"text": " "}).status_code == 400
    )
    assert (
        carrier.call("POST", f"/inbox/conversations/{quote(NIKOS)}/reply", {"text": "x"}).status_code == 404
    )


def test_the_totals_count_every_outcome(carrier: Carrier) -> None:
    carrier.bulk("+306900000001", "+306900000002", "+306900000003", "+306900000007")
    carrier.settle()

    totals = carrier.call("GET", "/inbox/conversations").json()["totals"]

    assert totals == {"onTheWay": 1, "delivered": 2, "failed": 1, "replies": 1}


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 460, "GSM-7", 460, 4),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("я" * 70, "UCS-2", 70, 1),
        ("я" * 135, "UCS-2", 135, 3),
        ("😀" * 36, "UCS-2", 72, 2),
        ("я" * 66 + "😀" + "я" * 66, "UCS-2", 134, 3),
        ("[x]", "GSM-7", 5, 1),
        ("ΚΑΛΗΜΕΡΑ", "UCS-2", 8, 1),
        ("KAΛHMEPA", "GSM-7", 8, 1),
    ],
)
def test_parts_are_counted_as_phones_count_them(text: str, encoding: str, units: int, parts: int) -> None:
    count = count_parts(text)

    assert (count.encoding, count.units, count.parts) == (encoding, units, parts)
