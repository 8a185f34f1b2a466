"""The folder that holds everything the product keeps by default."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from fraud.domain.actors import Actor
from fraud.errors import StorageError
from fraud.storage.files import file_lock, write_once, write_whole

LAKE_COPIES = "lake-copies"
"""The folder of copies of what stands in object stores: no backup needs it."""

LEAST_ROOM = 16 * 1024**2
"""Bytes below which a disk counts as full: a second of records of the fastest service, and the database's own log."""

_SECRET_BYTES = 32
_PRIVATE = 0o700


@dataclass(frozen=True)
class Workspace:
    """The workspace at `root`; `open` makes it."""

    root: Path

    @classmethod
    def open(cls, path: Path) -> Workspace:
        """The workspace at `path`, made when it is not there yet; a `StorageError` when it cannot be."""
        workspace = cls(path.absolute())
        try:
            workspace._make_folders()
        except (FileExistsError, NotADirectoryError):
            raise StorageError(f"The workspace {path} cannot be used, because a file is in its place; name a folder.") from None
        except (OSError, ValueError) as error:
            raise StorageError(
                f"The workspace {path} cannot be written ({error}); check its permissions or name another folder."
            ) from error
        return workspace

    def require_room(self) -> None:
        """A `StorageError` when the journal's next records could not be kept: the disk has no room, or may only be read (after a fault of
        its own the system mounts it so)."""
        if os.statvfs(self.root).f_flag & os.ST_RDONLY or not os.access(self.root, os.W_OK):
            raise StorageError(f"The workspace {self.root} cannot be written to; look at how its disk is mounted and whose folder it is.")
        free = shutil.disk_usage(self.root).free
        if free < LEAST_ROOM:
            raise StorageError(f"The disk of the workspace {self.root} is full ({free:,} bytes are free); make room.")

    @property
    def database_url(self) -> str:
        """The URL of the workspace's own SQLite database."""
        return URL.create("sqlite", database=str(self.root / "fraud.sqlite3")).render_as_string()

    @property
    def lake(self) -> Path:
        """The folder of event tables."""
        return self.root / "lake"

    def lake_copies(self, url: str) -> Path:
        """The folder of copies of event tables that stand elsewhere; it may be deleted while nothing runs."""
        return self.root / LAKE_COPIES / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]

    @property
    def evidence(self) -> Path:
        """The folder of evidence."""
        return self.root / "evidence"

    @property
    def models(self) -> Path:
        """The folder of fitted models."""
        return self.root / "models"

    @property
    def secrets(self) -> Path:
        """The folder of secrets, open to its owner alone."""
        return self.root / "secrets"

    @property
    def keys_file(self) -> Path:
        """Where freshly made keys are written for the operator."""
        return self.secrets / "keys.txt"

    def secret_key(self) -> bytes:
        """The key that signs sessions and links, made on first use."""
        return self._secret("secret_key")

    def pepper(self) -> bytes:
        """The key of the keyed hashes, made on first use. Without it nothing hashed before can be matched again: back it up."""
        return self._secret("pepper")

    def write_keys(self, keys: Sequence[tuple[Actor, str]]) -> Path:
        """Adds freshly made keys (actor and secret) to `keys.txt` (mode 0600) and returns where that is."""
        lines = [f"{actor.role.value}\t{actor.actor_id}\t{actor.name}\t{secret}\n" for actor, secret in keys]
        try:
            with self.lock("keys"):
                earlier = (
                    self.keys_file.read_bytes() if self.keys_file.exists() else b"# role, actor, name, key; delete what you have noted\n"
                )
                write_whole(self.keys_file, earlier + "".join(lines).encode())
        except OSError as error:
            raise StorageError(f"The keys could not be written to {self.keys_file} ({error}); check its permissions.") from error
        return self.keys_file

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a lock among all processes that use this workspace, for what must happen once, such as the first start."""
        with file_lock(self.secrets / f".{name}.lock"):
            yield

    def _make_folders(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.lake, self.evidence, self.models):
            folder.mkdir(exist_ok=True)
        self.secrets.mkdir(mode=_PRIVATE, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root):
            pass  # a folder can be there and still refuse to be written

    def _secret(self, name: str) -> bytes:
        """The text of a secret file as bytes: the same as setting that text in the environment."""
        path = self.secrets / name
        try:
            if not path.exists():
                write_once(path, secrets.token_hex(_SECRET_BYTES).encode() + b"\n")
            secret = path.read_bytes().strip()
        except OSError as error:
            raise StorageError(f"The secret {path} cannot be read or made ({error}); check its permissions.") from error
        if not secret:
            raise StorageError(f"The secret {path} is empty; restore it from a backup.")
        return secret
