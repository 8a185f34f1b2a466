"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fraud.storage.columns import Name, Position, UtcDateTime, Words

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Makes the change."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Takes it back."""
    ${downgrades if downgrades else "pass"}
