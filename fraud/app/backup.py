"""Backup of a running workspace into a folder, and back: everything as of one moment, proved by checksums.

The order is what makes it hold together while the service works. The journal comes first: what leaves it afterwards is in the database
and the lake, which come later, and what is in both counts once. The database comes before evidence and models: what a decision names was
kept before it was. Files that are written once and never changed are linked where the disk allows it, and copied otherwise.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fraud import __version__
from fraud.app.parts import App
from fraud.domain.hashing import readable_json
from fraud.errors import InputError, StorageError
from fraud.settings import Settings
from fraud.storage.database import newest_revision, open_database
from fraud.storage.database_copy import copy_database, copy_sqlite, fill_database, require_empty, rows_of
from fraud.storage.workspace import LAKE_COPIES

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "fraud.sqlite3"
"""The database's place in a backup, whatever it is a copy of."""

SECRETS = "secrets"
_APART = frozenset({"pages", "journal", "lake", LAKE_COPIES})
"""Folders that are left out, because they are a cache of what was fetched, or taken at a moment of their own."""
_ONCE = ("lake", "evidence", "models")
"""Folders whose files are written once and never changed."""
_BLOCK = 1024 * 1024


class KeptFile(msgspec.Struct, frozen=True):
    """A file of a backup: where it is, how long, and its SHA-256."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and of what."""

    format: int
    made_at: datetime
    version: str
    revision: str
    tables: dict[str, int]
    files: tuple[KeptFile, ...]
    lake_url: str = ""
    """Where the events stand that are not in the backup."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def back_up(app: App, target: Path, *, secrets: bool = True, link: bool = True) -> Manifest:
    """Makes a backup of the workspace and its database in a new folder. It appears whole, or not at all.

    Without `secrets` the pepper must be kept elsewhere: without it no model is loaded and nothing hashed is matched again.
    """
    if target.exists():
        raise InputError(f"{target} exists already; name a new folder for the backup.")
    partial = target.with_name(f".{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        manifest = _fill(app, partial, secrets=secrets, link=link)
        partial.rename(target)
    except OSError as fault:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(f"The backup {target} cannot be written: {fault}.") from fault
    return manifest


def check_backup(source: Path) -> Manifest:
    """The manifest of a backup whose every file is as it was written; an `InputError` names the first that is not."""
    manifest = _manifest(source)
    for file in manifest.files:
        path = source / file.path
        if not path.resolve().is_relative_to(source.resolve()):
            raise InputError(f"The backup {source} names a file outside itself ({file.path}); do not use it.")
        if not path.is_file() or _kept(source, path) != file:
            raise InputError(f"The backup {source} is damaged: {file.path} is not what was written. Use another backup.")
    if rows_of(source / DATABASE) != manifest.tables:
        raise InputError(f"The backup {source} is damaged: its tables do not have the rows they had. Use another backup.")
    return manifest


def restore(settings: Settings, source: Path) -> Manifest:
    """Puts a checked backup into an empty workspace, and its tables into the settings' database; `InputError` when they are not empty.

    A backup of an earlier version is brought up to date; one of a newer version is a `StorageError`.
    """
    manifest = check_backup(source)
    root = settings.workspace.absolute()
    if root.exists() and any(root.iterdir()):
        raise InputError(f"The workspace {root} is not empty; restore into a new folder, and put that in its place.")
    if settings.database_url:
        _require_empty(settings.database_url)
    try:
        for file in manifest.files:
            if file.path != DATABASE or not settings.database_url:
                _copy(source / file.path, root / file.path)
    except OSError as fault:
        raise StorageError(f"The workspace {root} cannot be written: {fault}. Empty it and try again.") from fault
    _restore_database(settings, source / DATABASE, root)
    return manifest


def _restore_database(settings: Settings, copy: Path, root: Path) -> None:
    database = open_database(settings.database_url or f"sqlite:///{root / DATABASE}")
    try:
        if settings.database_url:
            fill_database(database, copy)
    finally:
        database.close()


def _require_empty(url: str) -> None:
    database = open_database(url)
    try:
        with database.reading() as connection:
            require_empty(connection)
    finally:
        database.close()


def _fill(app: App, target: Path, *, secrets: bool, link: bool) -> Manifest:
    root = app.workspace.root
    _take(root, _below(root / "journal"), target, link=False)
    tables = copy_database(app.database, target / DATABASE)
    others = [path for path in _below(root) if _is_wanted(path.relative_to(root), secrets=secrets)]
    _take(root, [path for path in others if path.suffix != ".sqlite3"], target, link=link)
    _take(root, app.lake.everything(), target, link=link)
    for path in others:
        if path.suffix == ".sqlite3":
            copy_sqlite(path, _place(target / path.relative_to(root)))
    files = tuple(_kept(target, path) for path in sorted(_below(target)))
    made = Manifest(
        format=FORMAT,
        made_at=app.clock.now(),
        version=__version__,
        revision=newest_revision(),
        tables=tables,
        files=files,
        lake_url=app.settings.lake_url,
    )
    (target / MANIFEST).write_bytes(readable_json(made))
    return made


def _is_wanted(path: Path, *, secrets: bool) -> bool:
    first, name = path.parts[0], path.name
    if first in _APART or (first == SECRETS and not secrets):
        return False
    if name.endswith((".lock", "-wal", "-shm")) or name.startswith("."):
        return False
    return name != DATABASE or len(path.parts) > 1


def _below(folder: Path) -> Iterator[Path]:
    """The files under a folder; links to elsewhere are no part of it."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _take(root: Path, paths: Iterator[Path] | list[Path], target: Path, *, link: bool) -> None:
    for path in paths:
        place = target / path.relative_to(root)
        once = path.relative_to(root).parts[0] in _ONCE
        try:
            _link(path, place) if link and once else _copy(path, place)
        except FileNotFoundError:
            continue  # removed meanwhile: by retention, or because what the journal held is in the database now


def _link(path: Path, place: Path) -> None:
    try:
        os.link(path, _place(place))
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one that knows no links
        _copy(path, place)


def _copy(path: Path, place: Path) -> None:
    shutil.copy2(path, _place(place))


def _place(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _kept(root: Path, path: Path) -> KeptFile:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return KeptFile(path.relative_to(root).as_posix(), path.stat().st_size, digest.hexdigest())


def _manifest(source: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as fault:
        raise InputError(f"{source} is no backup: its {MANIFEST} cannot be read ({fault}).") from fault
    if manifest.format != FORMAT:
        raise InputError(
            f"The backup {source} has the format {manifest.format}, this version reads {FORMAT}; install the one that made it."
        )
    return manifest
