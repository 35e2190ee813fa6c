"""Reading JSON bodies, ids and instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import marshmallow as ma
import pytest
from flask.testing import FlaskClient

from app.core.http import Schema, fields
from app.core.http.arguments import JSON_BODY_MAX
from app.core.http.envelope import envelope_schema


class Sample(Schema):
    id = fields.Id()
    at = fields.Instant()


def test_a_good_body_is_read(trial: FlaskClient):
    answer = trial.post("/trial/echo", json={"name": "Εύα 😀", "age": 3})

    assert answer.json["data"] == {"name": "Εύα 😀", "age": 3}


@pytest.mark.parametrize("kwargs", [{}, {"data": b""}, {"data": b"  ", "content_type": "text/plain"}])
def test_an_absent_body_is_an_empty_object(trial: FlaskClient, kwargs: dict[str, object]):
    refused = trial.post("/trial/echo", **kwargs)  # type: ignore[arg-type]

    assert refused.status_code == 400
    assert refused.json["details"] == [{"field": "name", "message": "Missing data for required field."}]


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", "INVALID_JSON"),
        (b"[]", "application/json", "INVALID_JSON"),
        (b"\xff", "application/json", "INVALID_JSON"),
        (b"[" * 100_000, "application/json", "INVALID_JSON"),
        (b'{"name": "x"}', "text/plain", "INVALID_CONTENT_TYPE"),
        (b"name=x", "application/x-www-form-urlencoded", "INVALID_CONTENT_TYPE"),
        (b'{"name": 5}', "application/json", "VALIDATION_ERROR"),
        (b'{"name": "a\\u0000"}', "application/json", "VALIDATION_ERROR"),
        (b'{"name": "\\ud800"}', "application/json", "VALIDATION_ERROR"),
    ],
)
def test_a_body_that_cannot_be_used_is_named(trial: FlaskClient, body: bytes, content_type: str, code: str):
    refused = trial.post("/trial/echo", data=body, content_type=content_type)

    assert (refused.status_code, refused.json["code"]) == (400, code)


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.api+json; charset=utf-8"])
def test_any_json_content_type_is_read(trial: FlaskClient, content_type: str):
    assert trial.post("/trial/echo", data=b'{"name": "x"}', content_type=content_type).status_code == 200


def test_a_body_of_5_mb_is_read_and_one_byte_more_is_not(trial: FlaskClient):
    frame = len(b'{"name": ""}')
    body = b'{"name": "' + b"x" * (JSON_BODY_MAX - frame) + b'"}'
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}

    for how in ({}, chunked):
        fits = trial.post("/trial/echo", data=body, content_type="application/json", environ_overrides=how)
        over = trial.post(
            "/trial/echo", data=body + b" ", content_type="application/json", environ_overrides=how
        )
        assert fits.status_code == 200
        assert (over.status_code, over.json["code"]) == (413, "REQUEST_TOO_LARGE")


def test_every_wrong_field_is_told_and_the_first_one_in_the_message(trial: FlaskClient):
    refused = trial.post("/trial/echo", json={"name": 5, "age": "x"})

    assert {detail["field"] for detail in refused.json["details"]} == {"name", "age"}
    first = refused.json["details"][0]
    assert refused.json["message"] == f"{first['field']}: {first['message']}"


@pytest.mark.parametrize("value", ["0", "7", str(2**63 - 1)])
def test_an_id_is_a_string_outside_and_a_number_inside(value: str):
    assert Sample().load({"id": value}) == {"id": int(value)}
    assert Sample().dump({"id": int(value)}) == {"id": value}


@pytest.mark.parametrize(
    "value", [7, "", "-1", "1.0", " 1", "٣", "²", str(2**63), "9" * 5_000, "abc", None, True, ["1"]]
)
def test_what_is_no_id_is_refused(value: object):
    with pytest.raises(ma.ValidationError):
        Sample().load({"id": value})


def test_an_instant_is_written_in_utc_with_milliseconds_and_z():
    athens = datetime(2026, 1, 20, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))

    assert Sample().dump({"at": athens}) == {"at": "2026-01-20T10:00:00.123Z"}
    assert Sample().dump({"at": None}) == {"at": None}


@pytest.mark.parametrize("ending", ["10:00:00Z", "10:00:00.000Z", "12:00:00+02:00", "10:00:00"])
def test_an_instant_is_read_with_any_offset_and_as_utc_without_one(ending: str):
    assert Sample().load({"at": f"2026-01-20T{ending}"})["at"] == datetime(2026, 1, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00:00Z", "", 5, None])
def test_what_is_no_instant_is_refused(text: object):
    with pytest.raises(ma.ValidationError):
        Sample().load({"at": text})


def test_a_mirrored_envelope_repeats_the_data_but_never_covers_its_own_fields():
    class Greedy(Schema):
        token = fields.String()
        success = fields.String()

    body = {"success": True, "data": {"token": "t", "success": "no"}}

    dumped = envelope_schema(Greedy, mirror=True)().dump(body)

    assert dumped["token"] == dumped["data"]["token"] == "t"
    assert dumped["success"] is True
