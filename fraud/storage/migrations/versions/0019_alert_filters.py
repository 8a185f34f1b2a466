"""Alerts say their typologies in a column, and the queue's index holds what the list is filtered by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fraud.domain.alerts import Alert
from fraud.storage.alert_queries import told_typologies
from fraud.storage.documents import decode

revision = "0019"
down_revision = "0016"

_QUEUE = ["program_id", "state", "expected_loss", "score", "opened_at", "alert_id", "suppressed_by", "snoozed_until"]
_READ = "SELECT document FROM alerts WHERE program_id = :program_id AND alert_id = :alert_id"
_WRITE = "UPDATE alerts SET typologies = :told WHERE program_id = :program_id AND alert_id = :alert_id"


def upgrade() -> None:
    """Adds the column, fills it from what is kept, and makes the index anew."""
    op.add_column("alerts", sa.Column("typologies", sa.Text(), nullable=True, comment="each between two semicolons"))
    connection = op.get_bind()
    for program_id, alert_id in connection.execute(sa.text("SELECT program_id, alert_id FROM alerts")).all():
        key = {"program_id": program_id, "alert_id": alert_id}
        text = connection.execute(sa.text(_READ), key).scalar_one()
        connection.execute(sa.text(_WRITE), key | {"told": told_typologies(decode(text, Alert).typologies)})
    op.drop_index("ix_alerts_queue", "alerts")
    op.create_index("ix_alerts_queue", "alerts", [*_QUEUE, "severity", "subject_kind", "typologies"])


def downgrade() -> None:
    """Drops the column and gives the index its earlier form."""
    op.drop_index("ix_alerts_queue", "alerts")
    with op.batch_alter_table("alerts") as batch:
        batch.drop_column("typologies")
    op.create_index("ix_alerts_queue", "alerts", _QUEUE)
