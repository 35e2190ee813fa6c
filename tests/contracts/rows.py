"""An INSERT for any table, made from the catalogue: a new table needs nothing here."""

from __future__ import annotations

import re

import sqlalchemy as sa

BY_TYPE = {
    "bigint": "1",
    "integer": "1",
    "smallint": "1",
    "numeric": "1",
    "boolean": "false",
    "jsonb": "'{}'",
    "bytea": "''",
    "date": "current_date",
    "timestamp with time zone": "now()",
}
MUST_BE_GIVEN = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = '{table}' AND is_nullable = 'NO'
  AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'
ORDER BY ordinal_position"""
CHECKS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'c' AND conrelid = CAST('{table}' AS regclass)"""


def a_row_of(connection: sa.Connection, table: str, shop_id: int | None) -> str:
    """The statement that adds a row to `table`, a shop's or nobody's, with a value where one is needed."""
    columns = {
        row.column_name: row.data_type
        for row in connection.exec_driver_sql(MUST_BE_GIVEN.format(table=table))
    }
    if table != "shops":
        columns["shop_id"] = "bigint"
    words = _words(connection, table)
    parents = _parents(connection, table, shop_id)
    known = {**words, **parents, "shop_id": "NULL" if shop_id is None else str(shop_id)}
    values = {name: known.get(name) or _value(name, kind) for name, kind in columns.items()}
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def parents_first(connection: sa.Connection) -> list[str]:
    """All tables, each one after those that it refers to."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table.name for table in metadata.sorted_tables]


def _value(column: str, data_type: str) -> str:
    if column == "phone":
        return "'+306900000001'"
    if column == "code":  # discount codes are in capitals
        return "'CODE'"
    if column == "country":  # two letters
        return "'GR'"
    if column == "message":  # a text for people has a least length
        return "'Hello, hello'"
    return BY_TYPE.get(data_type, f"'{column}'")


def _words(connection: sa.Connection, table: str) -> dict[str, str]:
    """For columns that may hold certain words only: the last of them."""
    found = {}
    for (definition,) in connection.exec_driver_sql(CHECKS.format(table=table)):
        listed = re.match(r"CHECK \(\((\w+) = ANY \(ARRAY\[(.*?)\]", definition)
        if listed:
            found[listed[1]] = max(re.findall(r"'\w+'", listed[2]))
    return found


def _parents(connection: sa.Connection, table: str, shop_id: int | None) -> dict[str, str]:
    """For columns that refer to another table: an id that the shop has there."""
    found = {}
    shop = "NULL" if shop_id is None else shop_id
    for place, key in enumerate(sa.inspect(connection).get_foreign_keys(table)):
        if key["referred_table"] == "shops":
            continue
        newest = "max" if place % 2 else "min"  # a transfer needs two accounts that differ
        parent = f"FROM {key['referred_table']} WHERE shop_id IS NOT DISTINCT FROM {shop}"
        for column, referred in zip(key["constrained_columns"], key["referred_columns"], strict=True):
            found[column] = f"(SELECT {newest}({referred}) {parent})"
    return found
