from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fraud.events import formats
from fraud.events.reading import Owner, Reading, read_table
from fraud.events.sources import inspect
from fraud.events.staging import stage

Read = Callable[..., tuple[Reading, list[dict[str, Any]]]]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    yield connection
    connection.close()


@pytest.fixture
def read(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Read:
    """Reads bytes as a file of one kind; gives the reading and its usable rows as dictionaries."""

    def _read(data: bytes | str, kind: str = "clicks", form: str = "auto", program_id: str | None = None) -> tuple[Reading, Any]:
        file = tmp_path / "given.dat"
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        staged = stage(con, inspect(file, tmp_path), formats.known_columns(form))
        chosen = formats.choose(form, kind, staged.columns)
        reading = read_table(con, staged, chosen, kind, Owner(program_id, b"pepper"))
        return reading, con.table(reading.relation).order("ordinal").to_arrow_table().to_pylist()

    return _read
