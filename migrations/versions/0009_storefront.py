"""What the storefront and the public pages leave with us.

Locks: none, new tables only.
"""

from __future__ import annotations

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
