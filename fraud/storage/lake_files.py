"""Where the lake's files stand and how they change: the seam between the lake and a folder, or an object store (`lake_objects`).

Whatever they stand in, a file is written once and never changed, several appear in one moment or not at all, and files that others
replace stay for a day for those who began to read them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote

from fraud.domain.tables import Table
from fraud.errors import StorageError
from fraud.storage import lake_append, lake_upkeep
from fraud.storage.files import file_lock
from fraud.storage.lake_upkeep import Removed

LOCK = ".lock"


class Overtaken(Exception):
    """Another writer was faster and changed what this one had read: read again and repeat."""


class LakeFiles(Protocol):
    """The files of a lake. `root` is the folder on this machine in which they are read, `temporary` a folder beside them."""

    @property
    def root(self) -> Path:
        """The folder in which files are read here."""
        ...

    @property
    def temporary(self) -> Path:
        """A folder on the same disk for what is not the lake's yet."""
        ...

    def finish(self) -> None:
        """Brings what is known here up to date; before anything is read."""
        ...

    def writing(self) -> AbstractContextManager[Path]:
        """Holds the lake against other writers of this machine, up to date; gives an empty folder to write into."""
        ...

    def paths(self, table: Table, program_id: str) -> list[Path]:
        """The files that count, in order; whether or not they are here already."""
        ...

    def here(self, files: Sequence[Path]) -> Sequence[Path]:
        """The same files, on this machine when it returns."""
        ...

    def programs(self) -> list[str]:
        """Every program with files, by name."""
        ...

    def add(self, pending: Path) -> None:
        """Makes the files below a folder of `writing`, which stand there as under `root`, part of the lake, all in one moment.

        `Overtaken` when another machine has added files to the same places since the folder was given."""
        ...

    def replace(self, written: Path, files: Sequence[Path]) -> None:
        """Puts a file that was written in a folder of `writing` in the place of others of one folder, in one moment.

        `Overtaken` when one of them does not count any more."""
        ...

    def drop(self, table: Table, program_id: str, before: date, pending: Path) -> Removed | None:
        """Removes the days of a program's events that lie before a date; what was removed, if anything."""
        ...

    def sweep(self, before: datetime) -> None:
        """Deletes what was replaced before a moment, and what stopped writers left. Called while `writing`."""
        ...

    def apart(self, folder: Path) -> AbstractContextManager[None]:
        """Holds a folder below `root` of small files that are no table's (rows set aside): they can be listed, read, added
        (in the folder, to be made first) and removed."""
        ...

    def everything(self) -> list[Path]:
        """Every file that must be copied to have the lake elsewhere, as of one moment between two appends."""
        ...


def program_folder(program_id: str) -> str:
    """The name of a program's folder."""
    return f"program={quote(program_id, safe='')}"


def program_of(folder: str) -> str:
    """The program that a folder is named for."""
    return unquote(folder.removeprefix("program="))


def made(folder: Path) -> Path:
    """The folder, made for its owner alone when it is not there; `StorageError` when it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise StorageError(f"The lake's folder {folder} cannot be made: {fault.strerror}. Check the workspace's permissions.") from fault
    return folder


@contextmanager
def pending_folder(temporary: Path) -> Iterator[Path]:
    """An empty folder to write into, gone afterwards unless it was renamed."""
    pending = Path(tempfile.mkdtemp(prefix=lake_append.PENDING, dir=temporary))
    try:
        yield pending
    finally:
        shutil.rmtree(pending, ignore_errors=True)


class FolderFiles:
    """A lake's files in a folder, which is made when it is not there; it may be shared by processes, and renaming is what counts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.temporary = root / "tmp"

    def finish(self) -> None:
        """Finishes an append that was stopped after it counted, so that nobody reads a part of it."""
        if any(self.temporary.glob(f"{lake_append.READY}*")):
            with file_lock(self.root / LOCK):
                lake_append.recover(self.temporary, self.root)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """See `LakeFiles`; what others left undone is finished first."""
        made(self.temporary)
        with file_lock(self.root / LOCK):
            lake_append.recover(self.temporary, self.root)
            with pending_folder(self.temporary) as pending:
                yield pending

    def paths(self, table: Table, program_id: str) -> list[Path]:
        """See `LakeFiles`."""
        pattern = "day=*/*.parquet" if table.by_day else "*.parquet"
        return lake_upkeep.standing(list(self._folder(table, program_id).glob(pattern)))

    def here(self, files: Sequence[Path]) -> Sequence[Path]:
        """They are."""
        return files

    def programs(self) -> list[str]:
        """See `LakeFiles`."""
        return sorted({program_of(folder.name) for folder in self.root.glob("*/program=*")})

    def add(self, pending: Path) -> None:
        """See `LakeFiles`."""
        lake_append.commit(pending, self.root)

    def replace(self, written: Path, files: Sequence[Path]) -> None:
        """See `LakeFiles`."""
        lake_upkeep.put_in_place(written, files)

    def drop(self, table: Table, program_id: str, before: date, pending: Path) -> Removed | None:
        """See `LakeFiles`. What is left of a stopped removal the next append clears away."""
        return lake_upkeep.remove_days(table, self._folder(table, program_id), before, pending)

    def sweep(self, before: datetime) -> None:
        """See `LakeFiles`."""
        lake_upkeep.sweep(self.root, before)

    @contextmanager
    def apart(self, folder: Path) -> Iterator[None]:
        """See `LakeFiles`: single files appear whole, so nobody needs to wait."""
        yield

    def everything(self) -> list[Path]:
        """See `LakeFiles`."""
        with self.writing():
            found = [path for path in self.root.rglob("*") if path.is_file() and self.temporary not in path.parents]
        return [path for path in found if not path.name.startswith(".")]

    def _folder(self, table: Table, program_id: str) -> Path:
        return self.root / table.kind / program_folder(program_id)
