"""The workspace's copies of enrichment sources and the versions of tables made from them, each whole or not there at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraud.errors import StorageError
from fraud.storage.files import write_whole

VERSIONS_KEPT = 3
"""Of the tables: the one in use and two to look back at."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


@dataclass(frozen=True)
class SourceCopy:
    """A source as it was last read: what is known of it (JSON) and its files in order."""

    about: bytes
    files: tuple[Path, ...]


class EnrichmentFolder:
    """The folder `enrichment` of a workspace, made when something is first kept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sources, self._tables = root / "sources", root / "networks"

    def sources(self) -> dict[str, SourceCopy]:
        """Every source that is kept, by its id."""
        return {path.stem: self._copy(path) for path in sorted(self._sources.glob("*.json"))}

    def keep_source(self, source_id: str, about: bytes, files: Sequence[bytes]) -> None:
        """Keeps a source, in place of an earlier copy of it."""
        try:
            self._sources.mkdir(parents=True, exist_ok=True)
            folder = _written(self._sources, f"{_checked(source_id)}.", {str(number): data for number, data in enumerate(files)})
            pointer = {"folder": folder.name, "files": len(files), "about": about.decode()}
            write_whole(self._sources / f"{source_id}.json", json.dumps(pointer).encode())
            self._drop_copies(source_id, folder)
        except OSError as fault:
            raise _refused(self._sources, fault) from fault

    def forget_source(self, source_id: str) -> bool:
        """Drops a source; whether there was one."""
        pointer = self._sources / f"{_checked(source_id)}.json"
        there = pointer.exists()
        pointer.unlink(missing_ok=True)
        self._drop_copies(source_id, None)
        return there

    def keep_tables(self, version: str, files: Mapping[str, bytes]) -> Path:
        """Keeps a version of the tables, makes it the one in use and drops the oldest; the same version again changes nothing."""
        try:
            self._tables.mkdir(parents=True, exist_ok=True)
            target = self._tables / _checked(version)
            if not target.exists():
                _written(self._tables, ".building-", files).rename(target)
            write_whole(self._tables / "current", version.encode())
            for old in sorted(path for path in self._tables.iterdir() if path.is_dir() and path != target)[: 1 - VERSIONS_KEPT]:
                shutil.rmtree(old)
        except OSError as fault:
            raise _refused(self._tables, fault) from fault
        return target

    def tables(self) -> Path | None:
        """The folder of the version in use, or `None` when there is none."""
        try:
            return self._tables / (self._tables / "current").read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise StorageError(f"The enrichment tables in {self._tables} cannot be read ({fault}); check their permissions.") from fault

    def versions(self) -> list[str]:
        """The versions of tables that are kept, oldest first."""
        return sorted(path.name for path in self._tables.glob("*") if (path / "manifest.json").exists())

    def _copy(self, pointer: Path) -> SourceCopy:
        try:
            said = json.loads(pointer.read_bytes())
            folder = self._sources / _checked(said["folder"])
            return SourceCopy(said["about"].encode(), tuple(folder / str(number) for number in range(said["files"])))
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise StorageError(f"The copy of an enrichment source in {pointer} is damaged ({fault}); delete that file.") from fault

    def _drop_copies(self, source_id: str, but: Path | None) -> None:
        for folder in self._sources.glob(f"{source_id}.*"):
            if folder.is_dir() and folder != but:
                shutil.rmtree(folder)


def _written(parent: Path, prefix: str, files: Mapping[str, bytes]) -> Path:
    """A new folder in `parent` that holds the files, all of them on disk."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        for name, data in files.items():
            with (folder / _checked(name)).open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _checked(name: str) -> str:
    """A name that is one step in a path and nothing else."""
    if not _NAME.fullmatch(name):
        raise StorageError(f"{name!r} cannot name anything in the enrichment folder.")
    return name


def _refused(folder: Path, fault: OSError) -> StorageError:
    return StorageError(f"Nothing can be kept in {folder} ({fault}); check its permissions and the space that is left.")
