"""The counted days of the graph, one Parquet file a day, and beside them what of all days can link anybody."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from fraud.domain.clock import as_utc
from fraud.storage.files import write_whole

_ROWS = 20_000
"""Rows of a group: what one affiliate has is read without the rest of a large program."""
_AS_OF = b"as_of"


class SharedFile(NamedTuple):
    """What of a program can link anybody, sorted by affiliate: where it is kept and until when it is true."""

    file: Path
    as_of: datetime


class LinkDays:
    """Keeps the edges of each day of a program under a folder, and its shared edges; what changed replaces its file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, program_id: str, day: date, stamp: str) -> Path | None:
        """The edges of a day under that stamp, or `None` when it was never kept or has changed."""
        file = self._day(program_id, day, stamp)
        return file if file.exists() else None

    def put(self, program_id: str, day: date, stamp: str, edges: pa.Table) -> Path:
        """Keeps the edges of a day, in place of what was kept of it."""
        return self._replace(self._day(program_id, day, stamp), f"{day.isoformat()}_*.parquet", edges)

    def shared(self, program_id: str, stamp: str, since: datetime) -> SharedFile | None:
        """The shared edges under that stamp or made after `since`; `None` when there are none such."""
        for file in sorted(self._folder(program_id).glob("shared_*.parquet"), reverse=True):
            made, _, of = file.stem.removeprefix("shared_").partition("_")
            if of == stamp or made > _moment(since):
                return SharedFile(file, datetime.fromisoformat(pq.read_schema(file).metadata[_AS_OF].decode()))
        return None

    def put_shared(self, program_id: str, stamp: str, edges: pa.Table, times: tuple[datetime, datetime]) -> SharedFile:
        """Keeps the shared edges in place of earlier ones. `times`: until when they are true, and now."""
        as_of, now = times
        told = edges.replace_schema_metadata({_AS_OF: as_utc(as_of).isoformat().encode()})
        file = self._folder(program_id) / f"shared_{_moment(now)}_{stamp}.parquet"
        return SharedFile(self._replace(file, "shared_*.parquet", told), as_of)

    def _replace(self, file: Path, earlier: str, edges: pa.Table) -> Path:
        """Writes a file in place of those of a pattern."""
        file.parent.mkdir(parents=True, exist_ok=True)
        written = pa.BufferOutputStream()
        pq.write_table(edges, written, row_group_size=_ROWS)
        write_whole(file, written.getvalue().to_pybytes())
        for one in file.parent.glob(earlier):
            if one != file:
                one.unlink(missing_ok=True)
        return file

    def _folder(self, program_id: str) -> Path:
        return self._root / quote(program_id, safe="")

    def _day(self, program_id: str, day: date, stamp: str) -> Path:
        return self._folder(program_id) / f"{day.isoformat()}_{stamp}.parquet"


def _moment(at: datetime) -> str:
    """A moment as it sorts."""
    return f"{as_utc(at):%Y%m%dT%H%M%S%f}"
