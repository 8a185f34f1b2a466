"""What affiliates and alerts are narrowed by: kind, offers and verticals; filled by the next scan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "subject_facets",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("affiliate_key", sa.Text(), nullable=False, comment="SHA-256 of affiliate_id"),
        sa.Column("alert_id", sa.Text(), nullable=False, comment="an alert that the affiliate is part of, or nothing"),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("ix_subject_facets_affiliate", "subject_facets", ["program_id", "affiliate_key"])
    op.create_index("ix_subject_facets_kind", "subject_facets", ["program_id", "kind"])


def downgrade() -> None:
    """Drops it."""
    op.drop_table("subject_facets")
