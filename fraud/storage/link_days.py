"""The counted days of the graph, one Parquet file a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from fraud.storage.files import write_whole


class LinkDays:
    """Keeps the edges of each day of a program under a folder; a changed day replaces its file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, program_id: str, day: date, stamp: str) -> pd.DataFrame | None:
        """The edges of a day under that stamp, or `None` when it was never kept or has changed."""
        file = self._file(program_id, day, stamp)
        return pd.read_parquet(file) if file.exists() else None

    def put(self, program_id: str, day: date, stamp: str, edges: pd.DataFrame) -> None:
        """Keeps the edges of a day, in place of what was kept of it."""
        file = self._file(program_id, day, stamp)
        earlier = [one for one in file.parent.glob(f"{day.isoformat()}_*.parquet") if one != file] if file.parent.exists() else []
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, edges.to_parquet(index=False))
        for one in earlier:
            one.unlink(missing_ok=True)

    def _file(self, program_id: str, day: date, stamp: str) -> Path:
        return self._root / quote(program_id, safe="") / f"{day.isoformat()}_{stamp}.parquet"
