"""Alembic's entry: one advisory lock, short lock waits, one transaction per migration."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool, text

sys.path.insert(0, str(Path(__file__).parent))

from app.core.database import db

MIGRATION_LOCK = 7_305_221


def run_migrations() -> None:
    engine = create_engine(current_app.config["SETTINGS"].direct_url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("SET lock_timeout = '1s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
    engine.dispose()


run_migrations()
