"""Puts a simulated program on disk as the files that `fraud ingest` and `fraud scan` read, and the truth in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.simulation.program import SimulatedProgram

_CHUNK_ROWS = 250_000
_ISO = "%Y-%m-%dT%H:%M:%SZ"


def write(program: SimulatedProgram, out: Path, progress: Callable[[int, int, str], None] | None = None) -> None:
    """Writes `clicks.parquet`, `conversions.parquet`, `affiliates.csv`, `offers.csv`, `calendar.csv`, `labels.csv` where there are labels,
    and `truth/truth.json` into the folder `out`, which is made. Raises `InputError` when it cannot be written to.
    """
    steps: list[tuple[str, Callable[[Path], None]]] = [
        ("clicks.parquet", lambda path: _write_parquet(program.clicks, path)),
        ("conversions.parquet", lambda path: _write_parquet(program.conversions, path)),
        ("affiliates.csv", lambda path: _write_csv(program.affiliates, path)),
        ("offers.csv", lambda path: _write_csv(program.offers, path)),
        ("calendar.csv", lambda path: _write_csv(program.calendar, path)),
        ("truth/truth.json", lambda path: _write_json(program.truth.as_json(), path)),
    ]
    if len(program.labels):
        steps.insert(5, ("labels.csv", lambda path: _write_csv(program.labels, path)))
    try:
        (out / "truth").mkdir(parents=True, exist_ok=True)
        for done, (name, put) in enumerate(steps):
            if progress is not None:
                progress(done, len(steps), f"writing {name}")
            put(out / name)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"Cannot write the simulated program to {out}: {why}. Choose a folder that can be written to.") from error
    if progress is not None:
        progress(len(steps), len(steps), "done")


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """In pieces, so that text kept as categories in memory is spelled out for a part of the rows at a time."""
    schema = _plain_schema(pa.Schema.from_pandas(frame.iloc[:0], preserve_index=False))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, max(1, len(frame)), _CHUNK_ROWS):
            piece = pa.Table.from_pandas(frame.iloc[first : first + _CHUNK_ROWS], preserve_index=False)
            writer.write_table(piece.cast(schema))


def _plain_schema(schema: Any) -> Any:
    """Categories and large strings become plain strings, money stays decimal; no pandas metadata."""
    fields = []
    for field in schema:
        kind = field.type
        if pa.types.is_dictionary(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
            kind = pa.decimal128(14, 2) if field.name in ("amount", "commission") else pa.string()
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    spelled = frame.copy()
    for name in frame.select_dtypes("bool").columns:
        spelled[name] = frame[name].map({True: "true", False: "false"})
    spelled.to_csv(path, index=False, date_format=_ISO, lineterminator="\n")


def _write_json(value: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
