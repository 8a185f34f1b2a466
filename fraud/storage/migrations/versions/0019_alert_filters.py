"""Alerts say their typologies and the name to search in columns, and the indexes hold what the list is filtered by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fraud.domain.alerts import Alert
from fraud.storage.alert_queries import searchable, told_typologies
from fraud.storage.documents import decode

revision = "0019"
down_revision = "0016"

_QUEUE = ["program_id", "state", "expected_loss", "score", "opened_at", "alert_id", "suppressed_by", "snoozed_until"]
_READ = "SELECT document FROM alerts WHERE program_id = :program_id AND alert_id = :alert_id"
_WRITE = "UPDATE alerts SET typologies = :told, subject_name = :named WHERE program_id = :program_id AND alert_id = :alert_id"


def upgrade() -> None:
    """Adds the columns, fills them from what is kept, and makes the indexes."""
    op.add_column("alerts", sa.Column("typologies", sa.Text(), nullable=True, comment="each between two semicolons"))
    named = "the first 100 characters of subject_id in lower case, to be searched"
    op.add_column("alerts", sa.Column("subject_name", sa.Text(), nullable=True, comment=named))
    connection = op.get_bind()
    for program_id, alert_id in connection.execute(sa.text("SELECT program_id, alert_id FROM alerts")).all():
        key = {"program_id": program_id, "alert_id": alert_id}
        text = connection.execute(sa.text(_READ), key).scalar_one()
        alert = decode(text, Alert)
        told = {"told": told_typologies(alert.typologies), "named": searchable(alert.subject_id)}
        connection.execute(sa.text(_WRITE), key | told)
    op.drop_index("ix_alerts_queue", "alerts")
    op.create_index("ix_alerts_queue", "alerts", [*_QUEUE, "severity", "subject_kind", "typologies"])
    op.create_index("ix_alerts_subject", "alerts", ["program_id", "subject_name", "alert_id"])


def downgrade() -> None:
    """Drops the columns and gives the index its earlier form."""
    op.drop_index("ix_alerts_subject", "alerts")
    op.drop_index("ix_alerts_queue", "alerts")
    with op.batch_alter_table("alerts") as batch:
        batch.drop_column("subject_name")
        batch.drop_column("typologies")
    op.create_index("ix_alerts_queue", "alerts", _QUEUE)
