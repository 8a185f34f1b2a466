"""The history of the tables, as Alembic revisions; `fraud.storage.database.migrate` walks it."""
