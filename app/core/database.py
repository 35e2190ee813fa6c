"""The engine and session, and the promise that the connected role cannot bypass row-level security."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, event, text
from sqlalchemy.orm import DeclarativeBase

from app.config import Settings

APP_ROLE = "astronote_app"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# expire_on_commit off: a row that a unit of work returns can be shown after it. autobegin stays on for
# Flask's teardown, but tenant rows are invisible outside `unit_of_work`.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:

    class Model(Base):
        """What a table's class inherits from; at run time Flask-SQLAlchemy's, which knows the app's
        engine.
        """

        __abstract__ = True
else:
    Model = db.Model


class UnsafeDatabaseRole(RuntimeError):
    """The connected role would see every shop's rows."""


def init_database(app: Flask, settings: Settings) -> None:
    """Bind the engine; every new connection drops to a role that row-level security holds."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_pre_ping": True,
        "pool_recycle": 300,
        "pool_size": 10,
        "max_overflow": 10,
        "connect_args": {
            "application_name": "astronote",
            "options": "-c timezone=UTC -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000",
        },
    }
    db.init_app(app)
    with app.app_context():
        event.listen(db.engine, "connect", _drop_privileges)


def _drop_privileges(dbapi_connection: Any, _record: Any) -> None:
    # Superusers and BYPASSRLS roles ignore policies, even forced ones, without a word.
    with dbapi_connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP_ROLE,))
            if cursor.fetchone() is None:
                raise UnsafeDatabaseRole(
                    "DATABASE_URL connects as a role that bypasses row-level security, and the role"
                    f" {APP_ROLE} does not exist. Run the migrations, or connect as an ordinary role."
                )
            cursor.execute(f"SET ROLE {APP_ROLE}")
    dbapi_connection.commit()


def ping() -> None:
    """One trivial round trip; raises whatever the driver raises when the database is away."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
