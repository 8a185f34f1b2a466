"""Scans and their affiliates in lines, so that lists and histories are read without whole results; what keeps alerts from the queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fraud.domain.alerts import Alert
from fraud.domain.scans import ScanResult
from fraud.storage.documents import decode
from fraud.storage.nights import add_night
from fraud.storage.tables import alerts

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes the tables and columns, and fills them from what is kept."""
    op.create_table(
        "scan_nights",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("scan_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "scan_id"),
    )
    op.create_index("ix_scan_nights_as_of", "scan_nights", ["program_id", "as_of"])
    op.create_table(
        "scan_subjects",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("scan_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("affiliate_id", sa.Text(), nullable=False),
        sa.Column(
            "affiliate_key",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of affiliate_id, which may be longer than an index can hold",
        ),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("alerted", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("conversions", sa.Integer(), nullable=False),
        sa.Column("commission", sa.Float(), nullable=True),
        sa.Column("at_risk", sa.Float(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("ix_scan_subjects_scan", "scan_subjects", ["program_id", "scan_id", "rank"])
    op.create_index("ix_scan_subjects_affiliate", "scan_subjects", ["program_id", "affiliate_key", "as_of"])
    op.add_column("alerts", sa.Column("suppressed_by", sa.Text(), nullable=True))
    op.add_column("alerts", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_alerts_queue",
        "alerts",
        ["program_id", "state", "expected_loss", "score", "opened_at", "alert_id", "suppressed_by", "snoozed_until"],
    )
    _fill()


def downgrade() -> None:
    """Drops them, with what they hold."""
    op.drop_index("ix_alerts_queue", "alerts")
    with op.batch_alter_table("alerts") as batch:
        batch.drop_column("snoozed_until")
        batch.drop_column("suppressed_by")
    for table in ("scan_subjects", "scan_nights"):
        op.drop_table(table)


def _fill() -> None:
    connection = op.get_bind()
    for position in connection.execute(sa.text("SELECT position FROM scans ORDER BY position")).scalars().all():
        text = connection.execute(sa.text("SELECT document FROM scans WHERE position = :p"), {"p": position}).scalar_one()
        add_night(connection, decode(text, ScanResult))
    for text in connection.execute(sa.text("SELECT document FROM alerts")).scalars().all():
        alert = decode(text, Alert)
        if alert.suppressed_by or alert.snoozed_until:
            mine = (alerts.c.program_id == alert.program_id, alerts.c.alert_id == alert.alert_id)
            connection.execute(
                sa.update(alerts).where(*mine).values(suppressed_by=alert.suppressed_by or None, snoozed_until=alert.snoozed_until)
            )
