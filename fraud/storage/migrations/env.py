"""How Alembic reaches the database: over the connection, and inside the transaction, of whoever asked for the migration."""

from __future__ import annotations

from alembic import context

from fraud.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # true of SQLite too, since our transactions begin explicitly
    render_as_batch=True,
)
context.run_migrations()
