"""The tables. Whole documents stand beside the columns they are searched by; every row that belongs to a program names it.

A change here needs a migration in `fraud/storage/migrations/versions`; a test compares the two on both databases.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, Table

from fraud.storage.columns import Name, Position, UtcDateTime, Words

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

programs = Table(
    "programs",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("document", Words, nullable=False),
)

applications = Table(
    "applications",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("application_id", Name, primary_key=True),
    Column("applied_at", UtcDateTime),
    Column("document", Words, nullable=False),
)

dossiers = Table(
    "dossiers",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("program_id", Name, nullable=False),
    Column("application_id", Name, nullable=False),
    Column("decision_id", Words, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("score", Float, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_dossiers_application", "program_id", "application_id", "as_of"),
)

application_lines = Table(
    "application_lines",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("application_id", Name, primary_key=True),
    Column("application_key", Words, nullable=False, comment="SHA-256 of application_id, as reviews name their subjects"),
    Column("name", Words, nullable=False),
    Column("applied_at", UtcDateTime),
    Column("decision_id", Words),
    Column("as_of", UtcDateTime),
    Column("outcome", Words),
    Column("score", Float),
    Column("coverage", Float),
    Column("findings", Integer),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("decision_id", Name, nullable=False),
    Column("program_id", Name, nullable=False),
    Column("kind", Words, nullable=False),
    Column("subject_kind", Words, nullable=False),
    Column("subject_id", Words, nullable=False),
    Column("subject_key", Words, nullable=False, comment="SHA-256 of subject_id, which may be longer than an index can hold"),
    Column("as_of", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("score", Float, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("document", Words, nullable=False),
    Index("ux_decisions_decision_id", "decision_id", unique=True),
    Index("ix_decisions_subject", "program_id", "kind", "subject_key", "decided_at"),
    Index("ix_decisions_run", "program_id", "run_id"),
    Index("ix_decisions_kind", "program_id", "kind", "position"),
)

scans = Table(
    "scans",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("scan_id", Name, nullable=False),
    Column("program_id", Name, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Index("ux_scans_scan_id", "scan_id", unique=True),
    Index("ix_scans_as_of", "program_id", "as_of"),
)

scan_nights = Table(
    "scan_nights",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("scan_id", Name, primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_scan_nights_as_of", "program_id", "as_of"),
)

scan_subjects = Table(
    "scan_subjects",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("program_id", Name, nullable=False),
    Column("scan_id", Name, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("affiliate_id", Words, nullable=False),
    Column("affiliate_key", Words, nullable=False, comment="SHA-256 of affiliate_id, which may be longer than an index can hold"),
    Column("rank", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("alerted", Integer, nullable=False),
    Column("clicks", Integer, nullable=False),
    Column("conversions", Integer, nullable=False),
    Column("commission", Float),
    Column("at_risk", Float),
    Column("currency", Words),
    Column("why", Words, nullable=False),
    Index("ix_scan_subjects_scan", "program_id", "scan_id", "rank"),
    Index("ix_scan_subjects_affiliate", "program_id", "affiliate_key", "as_of"),
)

subject_facets = Table(
    "subject_facets",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("program_id", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("value", Words, nullable=False),
    Column("affiliate_key", Words, nullable=False, comment="SHA-256 of affiliate_id"),
    Column("alert_id", Name, nullable=False, comment="an alert that the affiliate is part of, or nothing"),
    Index("ix_subject_facets_affiliate", "program_id", "affiliate_key"),
    Index("ix_subject_facets_kind", "program_id", "kind"),
)

alerts = Table(
    "alerts",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("alert_id", Name, primary_key=True),
    Column("subject_kind", Words, nullable=False),
    Column("subject_id", Words, nullable=False),
    Column("severity", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("expected_loss", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("times_seen", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Column("suppressed_by", Words),
    Column("snoozed_until", UtcDateTime),
    Column("typologies", Words, comment="each between two semicolons"),
    Column("subject_name", Words, comment="the first 100 characters of subject_id in lower case, to be searched"),
    Index("ix_alerts_open", "program_id", "state", "expected_loss"),
    Index(
        "ix_alerts_queue",
        *("program_id", "state", "expected_loss", "score", "opened_at", "alert_id", "suppressed_by", "snoozed_until"),
        *("severity", "subject_kind", "typologies", "subject_name"),
    ),
)

alert_sightings = Table(
    "alert_sightings",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("sighting_key", Words, primary_key=True, comment="SHA-256 of alert_id and decision_id: one sighting counts once"),
)

reviews = Table(
    "reviews",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("review_id", Name, primary_key=True),
    Column("subject_kind", Words, nullable=False),
    Column("subject_key", Words, nullable=False, comment="SHA-256 of the subject's id, which may be longer than an index can hold"),
    Column("disposition", Words, nullable=False),
    Column("reviewed_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_reviews_subject", "program_id", "subject_kind", "subject_key", "reviewed_at"),
    Index("ix_reviews_reviewed_at", "program_id", "reviewed_at"),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("event_id", Name, primary_key=True),
    Column("program_id", Name, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
)

deliveries = Table(
    "deliveries",
    METADATA,
    Column("event_id", Name, ForeignKey("outbox.event_id"), primary_key=True),
    Column("sink", Name, primary_key=True),
    Column("number", Position, nullable=False, comment="the order in which events of one subject are delivered"),
    Column("program_id", Name, nullable=False),
    Column("subject_key", Words, nullable=False, comment="SHA-256 of program and subject"),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("error", Words, nullable=False),
    Index("ix_deliveries_due", "state", "due_at"),
    Index("ix_deliveries_subject", "sink", "subject_key", "number"),
)

cases = Table(
    "cases",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("case_id", Name, primary_key=True),
    Column("state", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_cases_state", "program_id", "state", "opened_at", "case_id"),
)

case_events = Table(
    "case_events",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("program_id", Name, nullable=False),
    Column("case_id", Name, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_case_events_case", "program_id", "case_id"),
)

suppressions = Table(
    "suppressions",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("suppression_id", Name, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
)

policies = Table(
    "policies",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("program_id", Name, nullable=False),
    Column("state", Words, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_policies_state", "program_id", "state"),
)

shadow_decisions = Table(
    "shadow_decisions",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("policy_hash", Name, primary_key=True),
    Column("decision_id", Name, primary_key=True),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("differs", Integer, nullable=False),
    Column("document", Words, nullable=False),
    Index("ix_shadow_decisions_at", "program_id", "policy_hash", "differs", "decided_at"),
)

report_links = Table(
    "report_links",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("link_id", Name, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
)

targets = Table(
    "targets",
    METADATA,
    Column("program_id", Name, primary_key=True),
    Column("target_id", Name, primary_key=True),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("document", Words, nullable=False),
)

actors = Table(
    "actors",
    METADATA,
    Column("actor_id", Name, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("programs", Words, nullable=False, comment="a JSON list of program ids; * is all of them"),
    Column("shadow", Integer, nullable=False, server_default="0"),
)

actor_keys = Table(
    "actor_keys",
    METADATA,
    Column("secret_hash", Words, primary_key=True, comment="SHA-256 of the secret, which itself is kept nowhere"),
    Column("actor_id", Name, ForeignKey("actors.actor_id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Index("ix_actor_keys_actor_id", "actor_id"),
)

audit_log = Table(
    "audit_log",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("program_id", Name, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_kind", Words, nullable=False),
    Column("actor_id", Name, nullable=False),
    Column("actor_name", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Index("ix_audit_log_at", "program_id", "at"),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("position", Position, primary_key=True, autoincrement=True),
    Column("job_id", Name, nullable=False),
    Column("program_id", Name, nullable=False),
    Column("kind", Words, nullable=False),
    Column("payload", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", Words, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("result", Words),
    Column("error", Words, nullable=False),
    Index("ux_jobs_job_id", "job_id", unique=True),
    Index("ix_jobs_state", "state", "created_at"),
    Index("ix_jobs_program_id", "program_id"),
)
