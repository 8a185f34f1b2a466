"""A lake's files in an object store. Those that somebody reads are copied to a folder on this machine, once: they never change.

`kind/program=<name>/day=YYYY-MM-DD/<file>.parquet` as in a folder, besides `_log/` (`lake_log`), which says what counts. Files are sent
first and committed last, so an append counts whole or not at all, wherever it is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from fraud.domain.tables import Table
from fraud.errors import StorageError
from fraud.storage import lake_append, lake_quarantine
from fraud.storage.files import file_lock
from fraud.storage.lake_files import LOCK, made, pending_folder, program_folder, program_of
from fraud.storage.lake_log import CommitLog, Entry, State, folder_of, new_commit
from fraud.storage.lake_upkeep import Removed
from fraud.storage.objects import Objects

_STATE = ".log.json"
_FETCHED = "fetch-*"


class ObjectFiles:
    """The files of a lake below a URL; `root` is the folder of copies on this machine, which may be deleted at any time of rest."""

    def __init__(self, url: str, root: Path) -> None:
        self.root = made(root)
        self.temporary = made(root / "tmp")
        self._objects = Objects(url.rstrip("/"))
        self._log = CommitLog(self._objects, root / _STATE)
        self._began = 0

    def finish(self) -> None:
        """See `LakeFiles`."""
        with file_lock(self.root / LOCK):
            self._log.refresh()

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """See `LakeFiles`. Other machines may write meanwhile: who commits first is first."""
        with file_lock(self.root / LOCK):
            lake_append.recover(self.temporary, self.root)
            self._log.refresh()
            self._began = self._log.state.number
            with pending_folder(self.temporary) as pending:
                yield pending

    def paths(self, table: Table, program_id: str) -> list[Path]:
        """See `LakeFiles`."""
        return [self.root / name for name in self._names(table, program_id)]

    def here(self, files: Sequence[Path]) -> Sequence[Path]:
        """See `LakeFiles`; `StorageError` when one has not the length that it was committed with."""
        missing = [file for file in files if not file.exists()]
        self._objects.fetch([(self._name(file), file) for file in missing], self.temporary)
        live = self._log.state.live
        for file in missing:
            entry = live.get(self._name(file))
            if entry is not None and file.stat().st_size != entry.size:
                file.unlink()
                raise StorageError(
                    f"The lake's object {self._name(file)} at {self._objects.url} has not the length it was written with. "
                    "Restore it from the provider's earlier versions, and try again."
                )
        return files

    def programs(self) -> list[str]:
        """See `LakeFiles`."""
        apart = (entry.name for entry in self._objects.listed(lake_quarantine.FOLDER))
        return sorted({program_of(name.split("/")[1]) for name in (*self._log.state.live, *apart)})

    def add(self, pending: Path) -> None:
        """See `LakeFiles`."""
        written = {file.relative_to(pending).as_posix(): file for file in sorted(pending.rglob("*.parquet"))}
        folders = {folder_of(name) for name in written}
        self._commit(written, (), lambda _: not any(self._log.added_since(folder, self._began) for folder in folders))

    def replace(self, written: Path, files: Sequence[Path]) -> None:
        """See `LakeFiles`."""
        old = tuple(self._name(file) for file in files)
        self._commit({self._name(files[0].parent / written.name): written}, old, lambda state: state.live.keys() >= set(old))

    def drop(self, table: Table, program_id: str, before: date, pending: Path) -> Removed | None:
        """See `LakeFiles`; `pending` is not needed."""
        days = {name: date.fromisoformat(name.split("/")[2].removeprefix("day=")) for name in self._names(table, program_id)}
        old = {name: day for name, day in days.items() if day < before}
        if not old:
            return None
        rows = sum(self._log.state.live[name].rows for name in old)
        self._commit({}, tuple(old), lambda state: state.live.keys() >= old.keys())
        return Removed("", table.kind, len(set(old.values())), rows, min(old.values()), max(old.values()))

    def sweep(self, before: datetime) -> None:
        """See `LakeFiles`. Objects that no commit names are those of stopped writers, or of one that is sending them just now, for which
        nobody takes as long as replaced files stay. Copies of what is gone go too."""
        state = self._log.state
        late = {number for number in set(state.gone.values()) if self._is_before(self._log.removed_at(number), before)}
        gone = tuple(name for name, number in state.gone.items() if number in late)
        stray = [
            entry.name
            for entry in self._objects.listed()
            if entry.name.endswith(".parquet") and entry.name not in state.live and entry.name not in state.gone and entry.modified < before
        ]
        self._objects.delete([*gone, *stray])
        if gone:
            self._commit({}, (), lambda _: True, gone)
        self._forget_copies(before)

    @contextmanager
    def apart(self, folder: Path) -> Iterator[None]:
        """See `LakeFiles`. Single objects appear whole; those that others are needed for are put last and deleted first."""
        with file_lock(self.root / LOCK):
            before = self._copied(folder)
            yield
            after = {file.name for file in folder.iterdir()} if folder.exists() else set()
            self._objects.send([(folder / name, self._name(folder / name)) for name in sorted(after - before, key=_rows_last)])
            self._objects.delete([self._name(folder / name) for name in sorted(before - after, key=_rows_last, reverse=True)])

    def everything(self) -> list[Path]:
        """Nothing: what stands in an object store is kept there."""
        return []

    def _commit(
        self, written: dict[str, Path], old: tuple[str, ...], still: Callable[[State], bool], deleted: tuple[str, ...] = ()
    ) -> None:
        """Sends files and makes them count in the place of old ones; what was sent in vain `sweep` deletes."""
        entries = {name: Entry(file.stat().st_size, pq.read_metadata(file).num_rows) for name, file in written.items()}
        self._objects.send([(file, name) for name, file in written.items()])
        self._log.commit(new_commit(entries, old, deleted), still)
        for name, file in written.items():
            made((self.root / name).parent)
            file.replace(self.root / name)

    def _names(self, table: Table, program_id: str) -> list[str]:
        folder = f"{table.kind}/{program_folder(program_id)}/"
        return sorted(name for name in self._log.state.live if name.startswith(folder))

    def _name(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def _is_before(self, name: str, moment: datetime) -> bool:
        modified = self._objects.modified(name)
        return modified is not None and modified < moment

    def _copied(self, folder: Path) -> set[str]:
        """Makes the copy of a folder that is kept apart the same as the folder; the names in it."""
        names = {entry.name.rpartition("/")[2] for entry in self._objects.listed(self._name(folder))}
        there = {file.name for file in folder.iterdir()} if folder.exists() else set()
        for name in there - names:
            (folder / name).unlink()
        self._objects.fetch([(self._name(folder / name), folder / name) for name in names - there], self.temporary)
        return names

    def _forget_copies(self, before: datetime) -> None:
        state = self._log.state
        for file in self.root.glob("*/program=*/**/*.parquet"):
            if self._name(file) not in state.live and self._name(file) not in state.gone:
                file.unlink()
        for file in self.temporary.glob(_FETCHED):
            if file.stat().st_mtime < before.timestamp():
                file.unlink()


def _rows_last(name: str) -> tuple[bool, str]:
    return lake_quarantine.is_rows(name), name
