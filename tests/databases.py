"""An empty database for each test process, on whatever server the tests are given.

A role that may create databases gets one per process. A role that may not (a managed database with one
ordinary role) is given the database itself, by one process, if it is empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa

OWNS_TABLES = "SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'ledger_transfers'"

MAY_CREATE = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


def engine_for(url: str) -> sa.Engine:
    """An engine that commits each statement."""
    scheme, _, rest = url.partition("://")
    return sa.create_engine(f"{scheme.split('+')[0]}+psycopg2://{rest}", isolation_level="AUTOCOMMIT")


def may_create_databases(url: str) -> bool:
    """Whether the role of `url` may create databases."""
    engine = engine_for(url)
    with engine.connect() as connection:
        allowed = connection.exec_driver_sql(MAY_CREATE).scalar_one()
    engine.dispose()
    return bool(allowed)


def refusal_of_changes(connection: sa.Connection) -> str:
    """How the database refuses the connected role to change its past.

    An application role of its own lacks the right; a single role that owns the tables meets the trigger.
    """
    return "append-only" if connection.exec_driver_sql(OWNS_TABLES).scalar_one() else "permission denied"


def given_url() -> str | None:
    """The server that the caller wants the tests to use, if any."""
    return os.environ.get("DIRECT_URL") or os.environ.get("DATABASE_URL")


@contextmanager
def empty_database(url: str, direct_url: str, number: int) -> Iterator[tuple[str, str]]:
    """(DATABASE_URL, DIRECT_URL) of an empty database that only this process uses."""
    if may_create_databases(direct_url):
        name = f"{urlsplit(direct_url).path.lstrip('/')}_test_{number}"
        _execute(direct_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        _execute(direct_url, f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
        yield _named(url, name), _named(direct_url, name)
        return
    engine = engine_for(direct_url)
    with engine.connect() as connection:
        if connection.exec_driver_sql(TABLES).scalar_one():
            raise RuntimeError("The tests' database is not empty, and its role may not create another one.")
    engine.dispose()
    yield url, direct_url
    _execute(direct_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")


def _execute(url: str, *statements: str) -> None:
    engine = engine_for(url)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
