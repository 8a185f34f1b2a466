"""Opening databases, and what holds while they are used."""

from __future__ import annotations

import sys
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text

from fraud.errors import Conflict, NotFound, StorageError
from fraud.storage.alerts import SqlAlerts
from fraud.storage.database import Database, open_database, open_engine
from fraud.storage.decisions import SqlDecisions
from fraud.storage.programs import SqlPrograms
from fraud.storage.tables import actor_keys, programs
from fraud.storage.tables import decisions as decision_table
from tests.servers import free_port
from tests.storage.processes import accept_key, killed, see_alert, together, write_and_die
from tests.storage.samples import NOON, alert, decision, profile


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "cannot be read"),
        ("not a url", "cannot be read"),
        ("postgresql://user:hunter2@host:port/db", "cannot be read"),
        ("mysql://user:hunter2@host/db", "'mysql' is not supported"),
        ("postgresql+asyncpg://user:hunter2@host/db", "'postgresql\\+asyncpg' is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////dev/null/fraud.sqlite3", "cannot be opened"),
        ("sqlite:////proc/fraud.sqlite3", "cannot be opened"),
        ("sqlite:////proc/", "a folder is in its place"),
        ("sqlite:////proc/%00", "cannot be opened"),
    ],
)
def test_a_wrong_url_is_one_clear_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StorageError, match=sentence) as caught:
        open_engine(url)
    assert "\n" not in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("query", ["", "?password=hunter2", "?unheard_of=1"])
def test_a_server_that_does_not_answer_is_named_without_its_password(query: str) -> None:
    port = free_port()
    with pytest.raises(StorageError, match=rf"PostgreSQL database fraud at 127.0.0.1:{port} cannot be reached") as caught:
        open_engine(f"postgresql://user:hunter2@127.0.0.1:{port}/fraud{query}")
    assert "hunter2" not in caught.value.message


@pytest.mark.postgres
def test_a_wrong_password_is_said_but_not_shown(migrated_schema: str) -> None:
    wrong = make_url(migrated_schema).set(password="hunter2").render_as_string(hide_password=False)
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        open_engine(wrong)
    assert "hunter2" not in caught.value.message


@pytest.mark.postgres
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_a_postgresql_url_is_understood(migrated_schema: str, scheme: str) -> None:
    database = open_database(migrated_schema.replace("postgresql+psycopg", scheme, 1))
    database.ping()
    database.close()


@pytest.mark.postgres
def test_a_connection_that_the_server_dropped_is_replaced(migrated_schema: str) -> None:
    database, other = open_database(migrated_schema), open_database(migrated_schema)
    with database.reading() as connection:
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    with other.transaction() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
    database.ping()
    database.close()
    other.close()


def test_a_missing_driver_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StorageError, match="install affiliate-fraud\\[postgres\\]"):
        open_engine("postgresql://127.0.0.1/fraud")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text("Dear database, " * 100)
    with pytest.raises(StorageError, match="file is not a database"):
        open_engine(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear database")


@pytest.mark.parametrize("name", ["a b.sqlite3", "ü%20#.sqlite3"])
def test_a_sqlite_file_may_have_any_name_and_is_private(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    database = open_database(f"sqlite:///{path}".replace("%", "%25").replace("#", "%23"))
    assert path.stat().st_mode & 0o777 == 0o600
    with database.reading() as connection:
        pragmas = [connection.execute(text(f"PRAGMA {pragma}")).scalar() for pragma in ("journal_mode", "foreign_keys", "busy_timeout")]
    assert pragmas == ["wal", 1, 60_000]
    database.close()


def test_a_database_without_tables_says_what_is_missing(empty_url: str) -> None:
    database = Database(open_engine(empty_url))
    with pytest.raises(StorageError, match=r"could not do what was asked .*programs"):
        SqlPrograms(database).all()
    database.close()


def test_a_block_that_raises_keeps_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.transaction() as connection:
            connection.execute(programs.insert().values(program_id="shoes", document="{}"))
            raise Conflict("changed my mind")

    with pytest.raises(Conflict, match="changed my mind"):
        fail_half_way()
    assert SqlPrograms(database).all() == []


def test_readers_see_the_last_kept_state_while_a_writer_is_at_work(database: Database) -> None:
    SqlPrograms(database).save(profile("shoes"))
    with database.transaction() as connection:
        connection.execute(programs.delete())
        assert [one.program_id for one in SqlPrograms(database).all()] == ["shoes"]
    assert SqlPrograms(database).all() == []


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(StorageError, match=r"(?i)foreign key"), database.transaction() as connection:
        connection.execute(actor_keys.insert().values(secret_hash="00", actor_id="nobody", created_at=NOON))


def test_searched_times_are_aware_and_in_utc(database: Database) -> None:
    moment = NOON.replace(microsecond=7)
    elsewhere = moment.astimezone(tz=_zone(5.75))
    SqlDecisions(database).add([decision(decided_at=elsewhere)])
    with database.reading() as connection:
        read = connection.execute(select(decision_table.c.decided_at)).scalar_one()
    assert read == moment
    assert read.tzinfo is UTC


def test_processes_that_write_at_once_lose_nothing(database: Database, database_url: str) -> None:
    together(see_alert, database_url, 3)
    assert SqlAlerts(database).get("shoes", alert().alert_id).times_seen == 60


def test_processes_that_start_at_once_accept_one_key(database_url: str) -> None:
    assert len(set(together(accept_key, database_url, 3))) == 1


def test_a_process_killed_half_way_leaves_nothing_and_blocks_nobody(database: Database, database_url: str) -> None:
    killed(write_and_die, database_url)
    SqlPrograms(database).save(profile("shoes"))
    with pytest.raises(NotFound):
        SqlPrograms(database).get("half")


def _zone(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))
