"""The embedded servers, through whatever happens on a developer's machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from app.local.environment import ROOT
from app.local.errors import LocalServersUnavailable
from app.local.servers import LocalServers, embedded_servers, remove

pytestmark = pytest.mark.usefixtures("unset")


def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def postgres_pid(servers: LocalServers) -> int:
    pid = servers.postgres_pid()
    assert pid is not None
    return pid


def test_the_app_and_the_owner_have_only_their_own_rights(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        app, owner = servers.env["DATABASE_URL"], servers.env["DIRECT_URL"]
        sql(owner, "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, text text)")

        sql(app, "INSERT INTO notes (text) VALUES ('by the app')")
        rights = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            sql(app, "DROP TABLE notes")

        assert sql(app, rights) == sql(owner, rights) == [(False,)]


def test_the_database_knows_greek_letters(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        sql(servers.env["DIRECT_URL"], "CREATE EXTENSION pg_trgm")

        answer = sql(servers.env["DATABASE_URL"], "SELECT lower('ΑΘΉΝΑ'), similarity('ΑΘΉΝΑ', 'αθήνα')")

        assert answer == [("αθήνα", 1.0)]


def test_a_second_start_finds_the_data_of_the_first(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        sql(servers.env["DIRECT_URL"], "CREATE TABLE kept AS SELECT 1 AS one")
        first = servers.env["DATABASE_URL"]

    with embedded_servers(data_dir) as servers:
        assert sql(servers.env["DATABASE_URL"], "SELECT one FROM kept") == [(1,)]
        assert servers.env["DATABASE_URL"] == first


def test_the_last_user_to_leave_stops_the_servers(data_dir: Path):
    with embedded_servers(data_dir) as first:
        with embedded_servers(data_dir) as second:
            pid = postgres_pid(first)
            assert postgres_pid(second) == pid
        assert sql(first.env["DATABASE_URL"], "SELECT 1") == [(1,)]

    assert is_gone(pid)
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(first.env["REDIS_URL"]) as client:
        client.ping()


def test_two_folders_never_meet(tmp_path: Path):
    one, other = tmp_path / "one", tmp_path / "other"
    with embedded_servers(one) as first, embedded_servers(other) as second:
        sql(first.env["DIRECT_URL"], "CREATE TABLE only_here AS SELECT 1")

        with pytest.raises(psycopg2.errors.UndefinedTable):
            sql(second.env["DATABASE_URL"], "SELECT * FROM only_here")

        assert first.env["REDIS_URL"] != second.env["REDIS_URL"]
    remove(one)
    remove(other)


def test_a_killed_postgres_starts_again_with_everything_that_was_committed(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        sql(servers.env["DIRECT_URL"], "CREATE TABLE committed AS SELECT 7 AS seven")

        servers.kill_postgres()
        servers.start_postgres()

        assert sql(servers.env["DATABASE_URL"], "SELECT seven FROM committed") == [(7,)]


def test_a_restart_ends_every_session(data_dir: Path):
    with (
        embedded_servers(data_dir) as servers,
        closing(psycopg2.connect(servers.env["DATABASE_URL"])) as session,
        session.cursor() as cursor,
    ):
        servers.restart_postgres("immediate")

        with pytest.raises(psycopg2.DatabaseError):
            cursor.execute("SELECT 1")
        assert sql(servers.env["DATABASE_URL"], "SELECT 1") == [(1,)]


def test_redis_can_be_flushed_and_restarted_under_its_url(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        with redis.Redis.from_url(servers.env["REDIS_URL"]) as client:
            client.set("bell", 1)
            servers.redis_flush()
            assert client.get("bell") is None
            servers.stop_redis()

        servers.start_redis()

        with redis.Redis.from_url(servers.env["REDIS_URL"]) as client:
            assert client.ping()


def test_a_stale_process_number_of_another_program_is_no_obstacle(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        pid_file = servers._embedded_postgres()._data / "postmaster.pid"
        lines = pid_file.read_text()
    pid_file.write_text(lines.replace(lines.split("\n")[0], str(os.getpid()), 1))

    with embedded_servers(data_dir) as servers:
        assert sql(servers.env["DATABASE_URL"], "SELECT 1") == [(1,)]


def test_what_a_killed_user_left_running_is_taken_over_and_stopped(data_dir: Path):
    program = (
        "import os, pathlib, sys; from app.local.servers import embedded_servers\n"
        "with embedded_servers(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, data_dir], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL

    with embedded_servers(data_dir) as servers:
        pid = postgres_pid(servers)
        assert sql(servers.env["DATABASE_URL"], "SELECT 1") == [(1,)]

    assert is_gone(pid)


def test_an_interrupted_first_start_is_no_obstacle(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        data = servers._embedded_postgres()._data
    data.rename(data.with_name("data.draft"))

    with embedded_servers(data_dir) as servers:
        assert sql(servers.env["DATABASE_URL"], "SELECT 1") == [(1,)]


def test_a_folder_too_deep_for_a_socket_works(tmp_path: Path):
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 4)
    with embedded_servers(deep) as servers:
        assert sql(servers.env["DATABASE_URL"], "SELECT 1") == [(1,)]
    remove(deep)


def test_servers_that_are_given_are_used_and_left_alone(data_dir: Path):
    given = {"DATABASE_URL": "postgresql://db.example/astronote", "REDIS_URL": "redis://q.example/0"}

    with embedded_servers(data_dir, environ=given) as servers:
        assert servers.env == given
        with pytest.raises(LocalServersUnavailable, match="DATABASE_URL is set"):
            servers.stop_postgres()

    assert not data_dir.exists()


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(LocalServersUnavailable, match="cannot be written") as refused,
        embedded_servers(tmp_path / "file" / "data"),
    ):
        pass

    assert "\n" not in str(refused.value)


def test_data_of_another_version_is_said_in_one_sentence(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        version = servers._embedded_postgres()._data / "PG_VERSION"
        right = version.read_text()
    version.write_text("9\n")

    with pytest.raises(LocalServersUnavailable, match="is of PostgreSQL 9"), embedded_servers(data_dir):
        pass

    version.write_text(right)


def test_data_in_use_is_not_removed(data_dir: Path):
    with embedded_servers(data_dir) as servers:
        with pytest.raises(LocalServersUnavailable, match="in use"):
            remove(data_dir)

        assert sql(servers.env["DATABASE_URL"], "SELECT 1") == [(1,)]
