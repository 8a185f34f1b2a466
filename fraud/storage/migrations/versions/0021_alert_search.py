"""The index of the queue holds the name that is searched, so that a search reads one index, once, and none of names."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"

_QUEUE = ["program_id", "state", "expected_loss", "score", "opened_at", "alert_id", "suppressed_by", "snoozed_until"]
_ABOUT = ["severity", "subject_kind", "typologies"]


def upgrade() -> None:
    """Makes the index anew."""
    op.drop_index("ix_alerts_subject", "alerts")
    op.drop_index("ix_alerts_queue", "alerts")
    op.create_index("ix_alerts_queue", "alerts", [*_QUEUE, *_ABOUT, "subject_name"])


def downgrade() -> None:
    """Gives the indexes their earlier form."""
    op.drop_index("ix_alerts_queue", "alerts")
    op.create_index("ix_alerts_queue", "alerts", [*_QUEUE, *_ABOUT])
    op.create_index("ix_alerts_subject", "alerts", ["program_id", "subject_name", "alert_id"])
