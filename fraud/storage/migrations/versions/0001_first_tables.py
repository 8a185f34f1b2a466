"""The first tables."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TABLES = (
    "actor_keys",
    "actors",
    "alert_sightings",
    "alerts",
    "applications",
    "audit_log",
    "decisions",
    "dossiers",
    "jobs",
    "programs",
    "scans",
)


def upgrade() -> None:
    """Makes every table."""
    _programs_and_applicants()
    _decisions_and_scans()
    _alerts()
    _actors()
    _jobs()


def downgrade() -> None:
    """Drops every table, with what it holds."""
    for table in _TABLES:
        op.drop_table(table)


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _text(name: str, *, comment: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _programs_and_applicants() -> None:
    op.create_table(
        "programs",
        _text("program_id"),
        _text("document"),
        sa.PrimaryKeyConstraint("program_id", name="pk_programs"),
    )
    op.create_table(
        "applications",
        _text("program_id"),
        _text("application_id"),
        _time("applied_at", nullable=True),
        _text("document"),
        sa.PrimaryKeyConstraint("program_id", "application_id", name="pk_applications"),
    )
    op.create_table(
        "dossiers",
        _position(),
        _text("program_id"),
        _text("application_id"),
        _text("decision_id"),
        _time("as_of"),
        _text("outcome"),
        sa.Column("score", sa.Float(), nullable=False),
        _text("document"),
        sa.PrimaryKeyConstraint("position", name="pk_dossiers"),
    )
    op.create_index("ix_dossiers_application", "dossiers", ["program_id", "application_id", "as_of"])


def _decisions_and_scans() -> None:
    op.create_table(
        "decisions",
        _position(),
        _text("decision_id"),
        _text("program_id"),
        _text("kind"),
        _text("subject_kind"),
        _text("subject_id"),
        _text("subject_key", comment="SHA-256 of subject_id, which may be longer than an index can hold"),
        _time("as_of"),
        _time("decided_at"),
        _text("outcome"),
        sa.Column("score", sa.Float(), nullable=False),
        _text("run_id"),
        _text("document"),
        sa.PrimaryKeyConstraint("position", name="pk_decisions"),
    )
    op.create_index("ux_decisions_decision_id", "decisions", ["decision_id"], unique=True)
    op.create_index("ix_decisions_subject", "decisions", ["program_id", "kind", "subject_key", "decided_at"])
    op.create_index("ix_decisions_run", "decisions", ["program_id", "run_id"])
    op.create_table(
        "scans",
        _position(),
        _text("scan_id"),
        _text("program_id"),
        _time("as_of"),
        _text("document"),
        sa.PrimaryKeyConstraint("position", name="pk_scans"),
    )
    op.create_index("ux_scans_scan_id", "scans", ["scan_id"], unique=True)
    op.create_index("ix_scans_as_of", "scans", ["program_id", "as_of"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        _text("program_id"),
        _text("alert_id"),
        _text("subject_kind"),
        _text("subject_id"),
        _text("severity"),
        _text("state"),
        sa.Column("expected_loss", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("times_seen", sa.Integer(), nullable=False),
        _time("opened_at"),
        _time("last_seen_at"),
        _text("document"),
        sa.PrimaryKeyConstraint("program_id", "alert_id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_open", "alerts", ["program_id", "state", "expected_loss"])
    op.create_table(
        "alert_sightings",
        _text("program_id"),
        _text("sighting_key", comment="SHA-256 of alert_id and decision_id: one sighting counts once"),
        sa.PrimaryKeyConstraint("program_id", "sighting_key", name="pk_alert_sightings"),
    )


def _actors() -> None:
    op.create_table(
        "actors",
        _text("actor_id"),
        _text("kind"),
        _text("name"),
        _text("role"),
        _text("programs", comment="a JSON list of program ids; * is all of them"),
        sa.PrimaryKeyConstraint("actor_id", name="pk_actors"),
    )
    op.create_table(
        "actor_keys",
        _text("secret_hash", comment="SHA-256 of the secret, which itself is kept nowhere"),
        _text("actor_id"),
        _time("created_at"),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_actor_keys"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.actor_id"], name="fk_actor_keys_actor_id"),
    )
    op.create_index("ix_actor_keys_actor_id", "actor_keys", ["actor_id"])
    op.create_table(
        "audit_log",
        _position(),
        _text("program_id"),
        _time("at"),
        _text("actor_kind"),
        _text("actor_id"),
        _text("actor_name"),
        _text("action"),
        _text("subject"),
        _text("detail"),
        sa.PrimaryKeyConstraint("position", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["program_id", "at"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        _position(),
        _text("job_id"),
        _text("program_id"),
        _text("kind"),
        _text("payload"),
        _text("state"),
        _time("created_at"),
        _text("created_by"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("worker"),
        _time("lease_until", nullable=True),
        _time("finished_at", nullable=True),
        _text("result", nullable=True),
        _text("error"),
        sa.PrimaryKeyConstraint("position", name="pk_jobs"),
    )
    op.create_index("ux_jobs_job_id", "jobs", ["job_id"], unique=True)
    op.create_index("ix_jobs_state", "jobs", ["state", "created_at"])
    op.create_index("ix_jobs_program_id", "jobs", ["program_id"])
