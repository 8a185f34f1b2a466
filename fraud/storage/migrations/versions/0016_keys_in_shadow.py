"""Keys in shadow: their events are answered `allow`, whatever the verdict."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Adds the column; keys there are stay live."""
    op.add_column("actors", sa.Column("shadow", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drops it: a key in shadow goes live."""
    with op.batch_alter_table("actors") as batch:
        batch.drop_column("shadow")
