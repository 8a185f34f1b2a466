"""Decisions of one kind in the order they were made, without sorting all of them for each page."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the index."""
    op.create_index("ix_decisions_kind", "decisions", ["program_id", "kind", "position"])


def downgrade() -> None:
    """Drops it."""
    op.drop_index("ix_decisions_kind", "decisions")
