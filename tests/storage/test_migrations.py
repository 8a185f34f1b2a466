"""The migrations make exactly the tables that the code expects, from any start, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from fraud.errors import StorageError
from fraud.storage.database import Database, alembic_config, migrate, newest_revision, open_database, open_engine
from fraud.storage.tables import METADATA
from tests.storage.processes import migrate_and_use, together


def differences(database: Database) -> list[Any]:
    """What Alembic would still change to make the database equal `tables.py`."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, METADATA))


def tables_of(database: Database) -> set[str]:
    """The tables there are."""
    with database.reading() as connection:
        return set(inspect(connection).get_table_names())


def test_from_empty_to_head_gives_the_tables_of_the_code(empty_url: str) -> None:
    database = open_database(empty_url)
    assert tables_of(database) == {*METADATA.tables, "alembic_version"}
    assert differences(database) == []
    database.close()


@pytest.mark.parametrize("change", ["DROP INDEX ix_jobs_state", "ALTER TABLE jobs ADD COLUMN extra TEXT", "DROP TABLE scans"])
def test_the_comparison_notices_a_difference(empty_url: str, change: str) -> None:
    database = open_database(empty_url)
    with database.transaction() as connection:
        connection.execute(text(change))
    assert differences(database) != []
    database.close()


def test_down_and_up_again_gives_the_same_tables(empty_url: str) -> None:
    database = open_database(empty_url)
    with database.transaction() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert tables_of(database) == {"alembic_version"}
    migrate(database.engine)
    assert differences(database) == []
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database.engine)
    assert differences(database) == []


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    database = Database(open_engine(empty_url))

    def fail_at_the_end() -> None:
        with database.transaction() as connection:
            command.upgrade(alembic_config(connection), "head")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        fail_at_the_end()
    assert tables_of(database) == set()
    database.close()


def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    seen = together(migrate_and_use, empty_url, 3)
    database = open_database(empty_url)
    assert max(seen, key=len) == ["program-0", "program-1", "program-2"]
    assert differences(database) == []
    database.close()


def test_threads_that_start_together_migrate_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        databases = list(pool.map(open_database, [empty_url] * 4))
    assert differences(databases[0]) == []
    for database in databases:
        database.close()


def test_a_database_of_a_newer_version_is_refused(database: Database, database_url: str) -> None:
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(StorageError, match="made by another version of this software"):
            open_database(database_url)
    finally:
        with database.transaction() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": newest_revision()})


def test_the_newest_file_is_alembics_only_head() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [newest_revision()]
