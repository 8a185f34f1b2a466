"""A workspace backed up while it is used, and put back: everything there, proved, and nothing written over."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from fraud.app.backup import DATABASE, MANIFEST, back_up, check_backup, restore
from fraud.app.parts import App
from fraud.app.replaying import replay_decision
from fraud.domain.actors import SYSTEM
from fraud.errors import InputError, StorageError
from fraud.storage.database import alembic_config, newest_revision, open_engine
from tests.app.conftest import Scanned
from tests.conftest import MORNING, OpenApp, settings_of


@pytest.fixture
def kept(app: App, tmp_path: Path) -> Path:
    """A backup of a workspace with a little in it."""
    app.stores.audit.record(SYSTEM, "default", "test", "x", MORNING, {})
    app.evidence.put(b"seen")
    back_up(app, tmp_path / "backup")
    return tmp_path / "backup"


def test_what_comes_back_is_what_was_there(scanned: Scanned, tmp_path: Path, open_at: OpenApp) -> None:
    app = scanned.app
    made = back_up(app, tmp_path / "backup")
    assert check_backup(tmp_path / "backup") == made
    assert restore(settings_of(tmp_path / "new"), tmp_path / "backup") == made
    back = open_at(tmp_path / "new")
    (first, *_) = scanned.run.result.affiliates
    assert back.stores.scans.get("default", scanned.run.result.scan_id) == scanned.run.result
    assert back.lake.time_range("default") == app.lake.time_range("default")
    assert [info.sha256 for info in back.registry.list()] == [info.sha256 for info in app.registry.list()]
    assert replay_decision(back, first.decision_id).same
    assert back.pepper == app.pepper


def test_files_that_never_change_are_linked_and_what_is_put_back_is_apart(scanned: Scanned, tmp_path: Path) -> None:
    back_up(scanned.app, tmp_path / "linked")
    back_up(scanned.app, tmp_path / "copied", link=False)
    restore(settings_of(tmp_path / "new"), tmp_path / "linked")
    (events, *_) = (path.relative_to(tmp_path / "linked") for path in (tmp_path / "linked" / "lake").rglob("*.parquet"))
    inodes = {name: (tmp_path / name / events).stat().st_ino for name in ("linked", "copied", "new")}
    assert inodes["linked"] == (scanned.app.workspace.root / events).stat().st_ino
    assert len(set(inodes.values())) == 3


def test_nobody_else_may_read_it_and_secrets_may_stay_away(app: App, kept: Path, tmp_path: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0
    assert app.pepper
    back_up(app, tmp_path / "without", secrets=False)
    assert not (tmp_path / "without" / "secrets").exists()


def test_it_is_of_one_moment_while_others_write(app: App, tmp_path: Path) -> None:
    """Two rows that are always written together are never seen apart."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with app.database.transaction() as connection:
                for table in ("left", "right"):
                    values = {"p": "default", "a": MORNING.isoformat(), "s": f"{table}-{number}"}
                    connection.exec_driver_sql(
                        "INSERT INTO audit_log (program_id, at, actor_kind, actor_id, actor_name, action, subject, detail) "
                        "VALUES (:p, :a, 'system', 'system', 'system', 'pair', :s, '{}')",
                        values,
                    )

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        counts = [back_up(app, tmp_path / f"backup-{number}").tables["audit_log"] for number in range(3)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert all(count % 2 == 0 for count in counts)
    assert counts == sorted(counts)
    assert counts[-1] > 0


def appended(backup: Path) -> None:
    path = next(path for path in (backup / "evidence").rglob("*") if path.is_file())
    path.write_bytes(path.read_bytes() + b"!")


def removed(backup: Path) -> None:
    next(path for path in (backup / "evidence").rglob("*") if path.is_file()).unlink()


def emptied(backup: Path) -> None:
    (backup / MANIFEST).write_bytes(b"{}")


def outside(backup: Path) -> None:
    manifest = json.loads((backup / MANIFEST).read_text())
    manifest["files"][0]["path"] = "../../elsewhere"
    (backup / MANIFEST).write_text(json.dumps(manifest))


def fewer_rows(backup: Path) -> None:
    manifest = json.loads((backup / MANIFEST).read_text())
    manifest["tables"]["audit_log"] += 1
    (backup / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("harm", [appended, removed, emptied, outside, fewer_rows])
def test_a_backup_that_is_not_as_it_was_written_is_not_put_back(kept: Path, tmp_path: Path, harm: Callable[[Path], Any]) -> None:
    for path in kept.rglob("*"):
        path.chmod(0o700)
    harm(kept)
    with pytest.raises(InputError, match="backup"):
        restore(settings_of(tmp_path / "new"), kept)
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(app: App, kept: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        back_up(app, kept)
    with pytest.raises(InputError, match="not empty"):
        restore(settings_of(app.workspace.root), kept)


def test_what_cannot_be_written_leaves_nothing_behind(app: App, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        back_up(app, tmp_path / "file" / "backup")


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(app: App, tmp_path: Path, open_at: OpenApp) -> None:
    app.stores.audit.record(SYSTEM, "default", "test", "x", MORNING, {})
    with app.database.transaction() as connection:
        command.downgrade(alembic_config(connection), "0007")
    back_up(app, tmp_path / "backup")
    restore(settings_of(tmp_path / "new"), tmp_path / "backup")
    back = open_at(tmp_path / "new")
    assert back.stores.audit.entries("default", 1)[0]["action"] == "test"
    assert back.stores.actors.every_key() == []


def test_a_backup_of_a_newer_version_is_refused(app: App, tmp_path: Path) -> None:
    with app.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    back_up(app, tmp_path / "backup")
    with pytest.raises(StorageError, match="another version"):
        restore(settings_of(tmp_path / "new"), tmp_path / "backup")
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / DATABASE}")
    engine.dispose()
    assert newest_revision() != "9999"
