"""An ingestion in a process of its own, which tests stop in the middle, or which stops itself."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest

CHANGES = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree", "tempfile.mkdtemp"})
"""What Python tells before it happens (https://docs.python.org/3/library/audit_events.html) and changes files."""


class Changes:
    """Counts the changes of files of this process, and ends it, as `kill -9` does, before the one of a number (0: none)."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def __call__(self, event: str, given: tuple[object, ...]) -> None:
        """Takes Python's word on what it is about to do."""
        if event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)):
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def main(lake: str, file: str, last: str = "0") -> None:
    """Ingests clicks, saying when it begins, and at the end how many changes of files it took."""
    options = IngestOptions(pepper=b"x", ingested_at=datetime(2026, 5, 1, tzinfo=UTC))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    changes = Changes(int(last))
    sys.addaudithook(changes)
    ingest(ParquetLake(Path(lake)), "p", "clicks", [Path(file)], options)
    sys.stdout.write(f"{changes.count}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
