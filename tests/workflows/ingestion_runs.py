"""An ingestion in a process of its own, which tests stop in the middle."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest


def main(lake: str, file: str) -> None:
    """Ingests clicks, saying when it begins."""
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    ingest(ParquetLake(Path(lake)), "p", "clicks", [Path(file)], IngestOptions(pepper=b"x", ingested_at=datetime(2026, 5, 1, tzinfo=UTC)))


if __name__ == "__main__":
    main(*sys.argv[1:])
