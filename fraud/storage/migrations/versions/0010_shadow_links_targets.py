"""What a pack in shadow would have said, the links that show affiliates their reports, and what affiliates were asked to reach."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "shadow_decisions",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("differs", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "policy_hash", "decision_id"),
    )
    op.create_index("ix_shadow_decisions_at", "shadow_decisions", ["program_id", "policy_hash", "differs", "decided_at"])
    op.create_table(
        "report_links",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "link_id"),
    )
    op.create_table(
        "targets",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "target_id"),
    )


def downgrade() -> None:
    """Drops them, with what they hold."""
    op.drop_table("targets")
    op.drop_table("report_links")
    op.drop_index("ix_shadow_decisions_at", "shadow_decisions")
    op.drop_table("shadow_decisions")
