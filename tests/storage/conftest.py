"""The same tests on both databases: every test that asks for `database` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text

from fraud.storage.database import Database, open_database
from fraud.storage.tables import METADATA
from tests.servers import fresh_schema, postgres_server

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server for the whole run."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_schema(server_url: str) -> Iterator[str]:
    """A schema with the tables in it, emptied before each test."""
    with fresh_schema(server_url) as url:
        open_database(url).close()
        yield url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables in it, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "fraud.sqlite3"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database whose tables are up to date and empty."""
    if request.param == "postgres":
        url = cast(str, request.getfixturevalue("migrated_schema"))
        _empty(url)
        return url
    path = tmp_path / "fraud.sqlite3"
    shutil.copy(request.getfixturevalue("migrated_file"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with empty tables."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'fraud.sqlite3'}"
        return
    with fresh_schema(request.getfixturevalue("server_url")) as url:
        yield url


def _empty(url: str) -> None:
    database = open_database(url)
    with database.transaction() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY"))
    database.close()
