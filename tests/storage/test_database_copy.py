"""A database copied into a SQLite file and back, from each kind and into each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from fraud.domain.actors import SYSTEM, Role
from fraud.errors import InputError, StorageError
from fraud.storage.actors import SqlActors
from fraud.storage.alerts import SqlAlerts
from fraud.storage.audit import SqlAudit
from fraud.storage.database import Database, open_database
from fraud.storage.database_copy import copy_database, copy_sqlite, fill_database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.jobs import SqlJobs
from fraud.storage.scans import SqlScans
from fraud.storage.tables import METADATA
from tests.storage.samples import NOON, alert, decision, scan


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.reading() as connection:
        return {
            name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()]
            for name, table in METADATA.tables.items()
        }


@pytest.fixture
def full(database: Database) -> Database:
    """A database with something in most tables, among it a text that some databases stumble over."""
    SqlActors(database).create_key("tracker “é” 𐍈", Role.SCORE, ["*"], NOON)
    SqlDecisions(database).add([decision(), decision("dec_2")])
    SqlScans(database).add(scan())
    SqlAlerts(database).record([alert()])
    for number in range(3):
        SqlAudit(database).record(SYSTEM, "shoes", "test", f"subject {number}", NOON, {"number": number})
    SqlJobs(database).enqueue("shoes", "scan", {"days": 1}, SYSTEM, NOON)
    return database


def test_there_and_back_is_the_same(full: Database, empty_url: str, tmp_path: Path) -> None:
    before = everything(full)
    rows = copy_database(full, tmp_path / "copy.sqlite3")
    assert rows == {name: len(found) for name, found in before.items()}
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.sqlite3"]
    target = open_database(empty_url.replace("fraud.sqlite3", "another.sqlite3"))
    fill_database(target, tmp_path / "copy.sqlite3")
    assert everything(target) == before
    SqlAudit(target).record(SYSTEM, "shoes", "after", "counters go on", NOON, {})
    assert SqlAudit(target).entries("shoes", 1)[0]["action"] == "after"
    with pytest.raises(InputError, match="not empty"):
        fill_database(target, tmp_path / "copy.sqlite3")
    target.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"no database " * 1000)
    with pytest.raises(StorageError, match="cannot be copied"):
        copy_sqlite(tmp_path / "noise", tmp_path / "copy")
