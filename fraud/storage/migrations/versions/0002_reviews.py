"""Reviews: what people found when they looked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "reviews",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column(
            "subject_key",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the subject's id, which may be longer than an index can hold",
        ),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "review_id"),
    )
    op.create_index("ix_reviews_subject", "reviews", ["program_id", "subject_kind", "subject_key", "reviewed_at"])
    op.create_index("ix_reviews_reviewed_at", "reviews", ["program_id", "reviewed_at"])


def downgrade() -> None:
    """Drops it, with what it holds."""
    op.drop_table("reviews")
