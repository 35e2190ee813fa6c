"""Row-level security, the same for every tenant table. Used by the migrations only."""

from __future__ import annotations

from alembic import op


def protect(table: str, *, column: str = "shop_id") -> None:
    """Force row-level security on `table`: a transaction sees the rows of `app.shop_id`, or all when it
    crosses shops.

    The sub-selects are evaluated once per statement, not once per row.
    """
    visible = (
        f"({column} = (SELECT nullif(current_setting('app.shop_id', true), '')::bigint)"
        " OR (SELECT current_setting('app.all_shops', true)) = 'on')"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING {visible} WITH CHECK {visible}")


def append_only(table: str) -> None:
    """Refuse UPDATE and DELETE on `table` whoever asks (the trigger), and do not grant them (the role)."""
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def grant(*tables: str, privileges: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Give the application's role its rights on `tables`, where such a separate role exists."""
    for table in tables:
        op.execute(f"""
            DO $$ BEGIN
              IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'astronote_app') THEN
                REVOKE ALL ON {table} FROM astronote_app;
                GRANT {privileges} ON {table} TO astronote_app;
              END IF;
            END $$""")  # noqa: S608 (the names are ours)
