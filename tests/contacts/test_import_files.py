"""Importing a CSV file: uploaded, taken in by a job, and looked at meanwhile."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.background import JsonQueue
from app.contacts.importing import running
from app.contacts.jobs import run_import, sweep_imports
from app.core.jobs import JobFailed
from app.core.redis import redis_client
from tests import build, build_contacts
from tests.contacts.import_files import (
    HEADER,
    csv_file,
    errors,
    import_file,
    mixed_rows,
    pieces_left,
    show,
    state,
    upload,
)

PHONE = "+306912345678"


@pytest.fixture
def shop(app: Flask) -> Any:
    return build.a_shop()


def test_a_file_waits_is_taken_in_by_a_job_and_leaves_only_contacts(client, shop):
    content = csv_file(
        [HEADER, [PHONE, "Μαρία", "Π.", "a@b.gr", "female", "15/05/1990", "opted_in", "VIP;Athens"]]
    )

    accepted = upload(client, shop, content, "lists/my list.csv")
    import_id = accepted.json["data"]["importId"]
    waiting = show(client, shop, import_id)
    run_import(shop.id, int(import_id))
    done = show(client, shop, import_id)

    assert (accepted.status_code, accepted.json["data"]["status"]) == (202, "waiting")
    assert (waiting["filename"], waiting["status"], waiting["progress"]) == ("my list.csv", "waiting", 0)
    assert (done["status"], done["progress"], done["total"], done["created"]) == ("completed", 100, 1, 1)
    assert done["finishedAt"].endswith("Z")
    (contact,) = state(shop)["contacts"]
    assert contact[0:6] == (PHONE, "GR", "a@b.gr", "Μαρία", "Π.", "female")
    assert (str(contact[6]), contact[7], contact[8]) == ("1990-05-15", ["VIP", "Athens"], "opted_in")
    assert pieces_left(shop) == 0


def test_bad_rows_are_listed_with_their_field_and_the_rest_comes_in(client, shop):
    rows = [
        ["phone", "email"],
        [PHONE, "junk"],
        ["2101234567", ""],
        [],
        ["", "x@y.gr"],
        ["6912345679", "ok@b.gr"],
    ]

    done = import_file(client, shop, csv_file(rows))

    assert [done[key] for key in ("status", "total", "created", "skipped", "warnings")] == [
        "completed",
        4,
        2,
        2,
        1,
    ]
    assert [(one["row"], one["field"], one["value"]) for one in errors(client, shop, done["id"])] == [
        (1, "email", "junk"),
        (2, "phoneE164", "2101234567"),
        (4, "phoneE164", ""),
    ]


def test_the_errors_can_be_had_as_a_file_in_which_nothing_is_a_formula(client, shop):
    done = import_file(client, shop, csv_file([["phone"], ['=HYPERLINK("x")'], ["+30 210 1234567"]]))

    file = client.get(
        f"/contacts/imports/{done['id']}/errors", headers={**build.auth(shop), "Accept": "text/csv"}
    )

    assert file.mimetype == "text/csv"
    header, first, second = file.get_data().decode("utf-8-sig").splitlines()
    assert header == "row,field,value,error"
    assert first.startswith('1,phoneE164,"\'=HYPERLINK(""x"")",')
    assert second.startswith("2,phoneE164,'+30 210 1234567,")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_are_read_without_a_question(client, shop, encoding):
    done = import_file(
        client, shop, csv_file([["κινητό", "όνομα"], [PHONE, "Ζωή 👩‍👩‍👧"]], encoding=encoding)
    )

    assert (done["created"], done["warnings"]) == (1, 0)
    assert state(shop)["contacts"][0][3] == "Ζωή 👩‍👩‍👧"


@pytest.mark.parametrize(
    ("encoding", "name", "said"),
    [("cp1253", "Ζωή Άννα", "Windows-1253"), ("cp1252", "José Ñúñez", "Windows-1252")],
)
def test_older_files_are_read_by_a_guess_that_is_told(client, shop, encoding, name, said):
    rows = [["phone", "first name"], [PHONE, name], ["6912345670", "Anna"]]

    done = import_file(client, shop, csv_file(rows, encoding=encoding))

    assert (done["status"], done["created"], done["warnings"]) == ("completed", 2, 1)
    assert {row[3] for row in state(shop)["contacts"]} == {name, "Anna"}
    (note,) = errors(client, shop, done["id"])
    assert (note["row"], note["field"]) == (0, "file")
    assert said in note["error"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_usual_delimiter_is_found(client, shop, delimiter):
    rows = [["Τηλέφωνο", "Επώνυμο", "Όνομα"], [PHONE, "two\nlines, and; more\t|", "Άννα"]]

    import_file(client, shop, csv_file(rows, delimiter=delimiter))

    assert state(shop)["contacts"][0][3:5] == ("Άννα", "two lines, and; more |")


def test_of_a_phone_and_a_mobile_column_the_mobile_counts_and_a_full_name_is_split(client, shop):
    import_file(client, shop, csv_file([["Phone", "Name", "Mobile"], ["2101234567", "Anna Maria P.", PHONE]]))

    assert state(shop)["contacts"][0][:5] == (PHONE, "GR", None, "Anna", "Maria P.")


GOOD = csv_file([["phone", "name"], [PHONE, "Άννα"]])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (csv_file([["name", "e-mail"], ["Anna", "a@b.gr"]]), "it reads: name, e-mail"),
        (b"\n\n  \n", "The file is empty."),
        (b"PK\x03\x04 and so on", "This is a spreadsheet"),
        (GOOD.decode().encode("utf-16-le"), "This is not a text file"),
        (b"\xff\xfe" + GOOD.decode().encode("utf-16-le")[:-1], "marked as UTF-16"),
        (GOOD + "6912345679,Ζωή\n691234567\u0660,Μαρ".encode()[:-1], "damaged in line 4"),
        (b"phone,name\n6912345678,\x81\xff\xfe\x8d\xd2\n", "encoding is not known"),
        (GOOD + b'6912345679,"Anna\n6912345670,Eva\n', "opened in line 3 and never closed"),
        (GOOD + b"6912345679," + b"x" * 100_000 + b"\n", "Line 3 is longer than 100,000 characters"),
        (GOOD + b'6912345679,"' + b"x" * 90_000 + b"\n" + b"x" * 90_000 + b'"\n', "Line 3 cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_fails_with_one_sentence_and_nothing_is_done(
    client, shop, content, reason
):
    done = import_file(client, shop, content)

    assert done["status"] == "failed"
    assert reason in done["failure"]
    assert (done["total"], state(shop)["contacts"], pieces_left(shop)) == (0, [], 0)


def test_an_upload_without_a_file_is_refused(client, shop):
    none = client.post(
        "/contacts/import", data={"other": "x"}, content_type="multipart/form-data", headers=build.auth(shop)
    )
    empty = upload(client, shop, b"")

    assert [(one.status_code, one.json["details"][0]["field"]) for one in (none, empty)] == [
        (400, "file")
    ] * 2


def test_a_file_above_the_limit_is_refused_before_it_is_read(client, shop, settings):
    response = client.post(
        "/contacts/import",
        headers=build.auth(shop),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={
            "CONTENT_LENGTH": str(settings.import_max_bytes + 1),
            "wsgi.input": io.BytesIO(b""),
        },
    )

    assert (response.status_code, response.json["code"]) == (413, "REQUEST_TOO_LARGE")
    assert "50 MB" in response.json["message"]


def test_the_same_file_twice_is_one_import_until_it_is_finished(client, shop):
    first, second = (upload(client, shop, GOOD).json["data"]["importId"] for _ in range(2))
    run_import(shop.id, int(first))
    third = upload(client, shop, GOOD).json["data"]["importId"]

    assert first == second != third


def test_imports_are_listed_newest_first_and_belong_to_their_shop(client, shop):
    ids = [upload(client, shop, GOOD + b"\n" * number).json["data"]["importId"] for number in range(3)]
    other = build.a_shop()

    listed = client.get("/contacts/imports?pageSize=2", headers=build.auth(shop)).json["data"]

    assert [one["importId"] for one in listed["items"]] == ids[:0:-1]
    assert (listed["total"], listed["pagination"]["hasNextPage"]) == (3, True)
    for path in (f"/contacts/imports/{ids[0]}", f"/contacts/imports/{ids[0]}/errors"):
        assert client.get(path, headers=build.auth(other)).status_code == 404
    assert client.get("/contacts/imports", headers=build.auth(other)).json["data"]["items"] == []


def test_a_lost_bell_is_rung_again_once_the_import_stands_still(client, shop, owner):
    import_id = int(upload(client, shop, GOOD).json["data"]["importId"])
    redis_client().flushdb()

    fresh = running.stalled_imports()
    age(owner, shop, "1 minute")
    sweep_imports()

    assert fresh == []
    (job,) = JsonQueue("imports", connection=redis_client()).jobs
    assert (job.func_name, tuple(job.args)) == ("app.contacts.jobs.run_import", (shop.id, import_id))


def test_an_import_that_never_ends_is_given_up_after_a_day(client, shop, owner):
    import_id = upload(client, shop, GOOD).json["data"]["importId"]
    age(owner, shop, "25 hours")

    assert running.stalled_imports() == []

    assert show(client, shop, import_id)["status"] == "failed"
    assert pieces_left(shop) == 0


def age(owner: sa.Engine, shop: Any, by: str) -> None:
    with owner.begin() as connection:
        connection.exec_driver_sql(f"SET app.shop_id = '{shop.id}'")
        connection.exec_driver_sql(f"UPDATE contact_imports SET created_at = created_at - interval '{by}'")


COUNTS = ("status", "progress", "total", "created", "updated", "skipped", "warnings")


def counts(done: dict[str, Any]) -> list[Any]:
    return [done[key] for key in COUNTS]


def all_errors(client, shop, import_id):
    return client.get(
        f"/contacts/imports/{import_id}/errors", headers={**build.auth(shop), "Accept": "text/csv"}
    ).get_data()


def test_an_import_whose_connection_is_cut_goes_on_as_if_nothing_had_happened(
    app, client, shop, owner, settings
):
    rows = mixed_rows(20_000)
    content = csv_file(rows)
    undisturbed = build.a_shop()
    for each in (undisturbed, shop):
        build_contacts.a_contact(each, phone=rows[12_000][0], consent="unknown")
    expected = import_file(client, undisturbed, content)
    import_id = upload(client, shop, content).json["data"]["importId"]
    stone = sa.create_engine(settings.database_url)

    # Somebody else is busy with a contact of the third batch, so the import waits there.
    with stone.connect() as other:
        other.exec_driver_sql(f"SELECT set_config('app.shop_id', '{shop.id}', true)")
        other.exec_driver_sql(f"SELECT id FROM contacts WHERE phone = '{rows[12_000][0]}' FOR UPDATE")
        run = threading.Thread(target=run_until_cut, args=(app, shop.id, int(import_id)))
        run.start()
        assert cut_the_waiting_connection(stone)
        run.join()
        other.rollback()
    stone.dispose()
    halfway = show(client, shop, import_id)
    run_import(shop.id, int(import_id))

    assert (halfway["status"], halfway["created"] > 5000) == ("running", True)
    assert 40 < halfway["progress"] < 60
    done = show(client, shop, import_id)
    assert counts(done) == counts(expected)
    assert done["created"] > 10_000
    assert done["skipped"] > 1000
    assert state(shop) == state(undisturbed)
    assert all_errors(client, shop, import_id) == all_errors(client, undisturbed, expected["id"])


def run_until_cut(app: Flask, shop_id: int, import_id: int) -> None:
    with app.app_context(), pytest.raises(JobFailed):
        run_import(shop_id, import_id)


def cut_the_waiting_connection(engine: sa.Engine) -> bool:
    """Terminate the backend that waits for a row of ours, as soon as there is one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            cut = connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND application_name = 'astronote'"
                " AND datname = current_database()"
            ).scalar()
        if cut:
            return True
    return False


def test_two_jobs_for_one_import_take_every_row_once(app, client, shop):
    content = csv_file(mixed_rows(12_000))
    undisturbed = build.a_shop()
    expected = import_file(client, undisturbed, content)
    import_id = int(upload(client, shop, content).json["data"]["importId"])

    def run() -> None:
        with app.app_context():
            run_import(shop.id, import_id)

    racers = [threading.Thread(target=run) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    run_import(shop.id, import_id)

    assert counts(show(client, shop, import_id)) == counts(expected)
    assert state(shop) == state(undisturbed)
