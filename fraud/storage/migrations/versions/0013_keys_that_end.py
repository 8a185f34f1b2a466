"""Keys that end by themselves, and when each was last used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"


def upgrade() -> None:
    """Adds the two columns; keys there are do not end, and were last used nobody knows when."""
    op.add_column("actor_keys", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("actor_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Drops them: a key that was to end lives on."""
    with op.batch_alter_table("actor_keys") as batch:
        batch.drop_column("last_used_at")
        batch.drop_column("expires_at")
