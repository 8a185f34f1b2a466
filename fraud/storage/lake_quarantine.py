"""Rows that could not be read, kept beside the lake as they came, with what is needed to read them again.

A file of rows is named by its content, so that ingesting a file again sets its rows aside once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fraud.domain.clock import isoformat
from fraud.errors import StorageError
from fraud.storage.files import write_whole
from fraud.storage.lake_views import digest

FOLDER = "quarantine"
"""The folder of rows set aside, beside those of the tables."""

_ORIGIN = ".origin.json"
_ROWS = ".ndjson"
_DIGITS = 16


@dataclass(frozen=True)
class QuarantineFile:
    """Rows of one kind from one file: where they are kept, where they came from (empty when that was not kept), since when."""

    path: Path
    kind: str
    origin: dict[str, Any]
    set_aside_at: str
    rows: tuple[dict[str, Any], ...]


def keep(folder: Path, kind: str, rows: Sequence[Mapping[str, object]], origin: Mapping[str, object], at: datetime) -> Path:
    """Keeps rows as NDJSON, readable by the owner alone; the same rows of the same origin are kept once."""
    text = "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    data = text.encode("utf-8", "surrogatepass")
    stem = f"{kind}-{digest(data + json.dumps(origin, sort_keys=True).encode())[:_DIGITS]}"
    target = folder / f"{stem}{_ROWS}"
    if not target.exists():
        about = {"kind": kind, "set_aside_at": isoformat(at), "origin": dict(origin)}
        write_whole(folder / f"{stem}{_ORIGIN}", json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        write_whole(target, data)
    return target


def kept(folder: Path) -> list[QuarantineFile]:
    """Every file of rows in a folder, oldest first; `StorageError` for one that is no longer whole."""
    files = [_read(path) for path in folder.glob(f"*{_ROWS}")]
    return sorted(files, key=lambda file: (file.set_aside_at, file.path.name))


def is_rows(name: str) -> bool:
    """Whether a file holds rows, which count from when it is there; the others say where rows came from."""
    return name.endswith(_ROWS)


def remove(path: Path) -> None:
    """Removes a file of rows that have been read or kept anew."""
    path.unlink(missing_ok=True)
    _origin_path(path).unlink(missing_ok=True)


def _read(path: Path) -> QuarantineFile:
    try:
        rows = tuple(json.loads(line) for line in path.read_bytes().decode("utf-8", "surrogatepass").split("\n") if line)
        origin = _origin_path(path)
        about = json.loads(origin.read_bytes().decode("utf-8", "surrogatepass")) if origin.exists() else {}
    except (OSError, ValueError) as fault:
        raise StorageError(f"The quarantine file {path} cannot be read: {fault}. Restore it, or remove it to give its rows up.") from fault
    kind = about.get("kind") or path.name.partition("-")[0]
    return QuarantineFile(path, kind, about.get("origin", {}), about.get("set_aside_at", ""), rows)


def _origin_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(_ROWS) + _ORIGIN)
