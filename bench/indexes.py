"""Filling a table with millions of rows and building its indexes once, afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.engine import Connection

# Unique constraints that a foreign key leans on must stay, and so must primary keys.
CONSTRAINTS = text("""
    SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', r.relname, c.conname) AS without,
      format('ALTER TABLE %I ADD CONSTRAINT %I %s', r.relname, c.conname, pg_get_constraintdef(c.oid))
        AS again
    FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
    WHERE r.relname = ANY (:tables) AND r.relnamespace = 'public'::regnamespace AND c.contype = 'u'
      AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid)""")
INDEXES = text("""
    SELECT format('DROP INDEX %I', i.relname) AS without, pg_get_indexdef(i.oid) AS again
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class r ON r.oid = x.indrelid
    WHERE r.relname = ANY (:tables) AND r.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid)""")


@contextmanager
def without_indexes(connection: Connection, *tables: str) -> Iterator[None]:
    """The tables have primary keys only while the block runs. The connection commits by itself."""
    found = [connection.execute(known, {"tables": list(tables)}).all() for known in (CONSTRAINTS, INDEXES)]
    removable = [row for rows in found for row in rows]
    for row in removable:
        connection.exec_driver_sql(row.without)
    try:
        yield
    finally:
        connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
        for row in removable:
            connection.exec_driver_sql(row.again.replace("%", "%%"))
        connection.exec_driver_sql("RESET maintenance_work_mem")
