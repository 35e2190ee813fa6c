"""A search may look for several patterns at once, such as two letters wherever a word begins.

Locks: `contact_words` exclusively for a moment.
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"

SETTING = "nullif(current_setting('app.contact_words', true), '')"
ANY_PATTERN = f"words LIKE ANY (coalesce(string_to_array({SETTING}, E'\\x1e'), '{{%}}'))"
ONE_PATTERN = f"words LIKE coalesce({SETTING}, '%')"


def upgrade() -> None:
    _look_for(ANY_PATTERN)


def downgrade() -> None:
    _look_for(ONE_PATTERN)


def _look_for(rule: str) -> None:
    policy = f"ALTER POLICY looked_for ON contact_words USING ({rule})"
    op.get_bind().exec_driver_sql(policy.replace("%", "%%"))
