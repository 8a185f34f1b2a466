"""Applicants in lines, so that the queue of thousands is searched, ordered and paged without their dossiers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application
from fraud.storage.applicants import keep_applicant, keep_dossier
from fraud.storage.documents import decode

revision = "0015"
down_revision = "0013"


def upgrade() -> None:
    """Makes the table and fills it from what is kept."""
    op.create_table(
        "application_lines",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column(
            "application_key",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of application_id, as reviews name their subjects",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_id", sa.Text(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("coverage", sa.Float(), nullable=True),
        sa.Column("findings", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("program_id", "application_id"),
    )
    op.create_index("ix_cases_state", "cases", ["program_id", "state", "opened_at", "case_id"])
    connection = op.get_bind()
    for text in connection.execute(sa.text("SELECT document FROM applications")).scalars().all():
        keep_applicant(connection, decode(text, Application))
    for position in connection.execute(sa.text("SELECT position FROM dossiers ORDER BY position")).scalars().all():
        text = connection.execute(sa.text("SELECT document FROM dossiers WHERE position = :p"), {"p": position}).scalar_one()
        keep_dossier(connection, decode(text, Dossier))


def downgrade() -> None:
    """Drops it; applications and dossiers stay."""
    op.drop_index("ix_cases_state", "cases")
    op.drop_table("application_lines")
