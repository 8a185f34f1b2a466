"""Objects in a store that is reached by URL (`s3://`, `gs://`, `az://`, or a folder by `file://`): put, got, listed and deleted by name.

Credentials, region and endpoint come from the environment, under the names that the provider's own tools read (`AWS_ACCESS_KEY_ID`,
`AWS_REGION`, `AWS_ENDPOINT_URL`, …). The client is the extra `objects`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from fraud.errors import InputError, StorageError

try:
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
    from obstore.store import ObjectStore, from_url
except ImportError as missing:
    raise InputError(
        "FRAUD_LAKE_URL needs the client of object stores, which is not installed: pip install 'affiliate-fraud[objects]'."
    ) from missing

AT_ONCE = 8
"""Objects that are sent or fetched at the same time."""

_PATIENCE = timedelta(seconds=30)
_RETRIES = 5
_PIECE = 1 << 23
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True)
class Listed:
    """An object as a listing tells it."""

    name: str
    size: int
    modified: datetime


class Objects:
    """The objects below a URL, by their names there. `InputError` when it is no such URL; every failure to reach them is a
    `StorageError` that names it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = _opened(url)

    def get(self, name: str) -> bytes | None:
        """An object's bytes; `None` when there is none."""
        with _reaching(self.url):
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def put(self, name: str, data: bytes) -> None:
        """Puts an object, in the place of one that is there."""
        with _reaching(self.url):
            obstore.put(self._store, name, data)

    def create(self, name: str, data: bytes) -> bool:
        """Puts an object where none is; false when one is there. Of several writers exactly one gets true."""
        with _reaching(self.url):
            try:
                obstore.put(self._store, name, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def send(self, files: Sequence[tuple[Path, str]]) -> None:
        """Puts files under names; each object is whole or not there."""

        def one(pair: tuple[Path, str]) -> None:
            with _reaching(self.url):
                obstore.put(self._store, pair[1], pair[0])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, files))

    def fetch(self, names: Sequence[tuple[str, Path]], temporary: Path) -> None:
        """Gets objects into files, which appear whole; `temporary` is a folder on the same disk. `StorageError` when one is gone."""

        def one(pair: tuple[str, Path]) -> None:
            name, target = pair
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial = temporary / f"fetch-{uuid.uuid4().hex}"
            with _reaching(self.url), os.fdopen(os.open(partial, _NEW, 0o600), "wb") as stream:
                for piece in obstore.get(self._store, name).stream(min_chunk_size=_PIECE):
                    stream.write(piece)
            partial.replace(target)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one, names))

    def listed(self, prefix: str = "") -> Iterator[Listed]:
        """Every object whose name begins with a folder's name, in no order."""
        with _reaching(self.url):
            for page in obstore.list(self._store, prefix or None, chunk_size=1000):
                yield from (Listed(entry["path"], entry["size"], entry["last_modified"]) for entry in page)

    def modified(self, name: str) -> datetime | None:
        """When an object was put, by the store's clock; `None` when there is none."""
        with _reaching(self.url):
            try:
                return obstore.head(self._store, name)["last_modified"]
            except FileNotFoundError:
                return None

    def delete(self, names: Sequence[str]) -> None:
        """Deletes objects; one that is gone already is no failure."""
        with _reaching(self.url):
            try:
                obstore.delete(self._store, names)
            except FileNotFoundError:  # some stores tell, and then it is not said which were deleted before
                for name in names:
                    with suppress(FileNotFoundError):
                        obstore.delete(self._store, name)


def _opened(url: str) -> ObjectStore:
    try:
        store: ObjectStore = from_url(url, retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE})
    except TypeError:  # a folder takes no such options
        store = from_url(url)
    except (BaseError, ValueError) as fault:
        raise InputError(
            f"FRAUD_LAKE_URL {url!r} cannot be used: {_first_line(fault)}. "
            "Write s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or az://CONTAINER/FOLDER."
        ) from fault
    return store


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as fault:
        raise StorageError(
            f"The lake at {url} cannot be used: {_first_line(fault)}. "
            "Check the address, the credentials in the environment and the network."
        ) from fault


def _first_line(fault: Exception) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0][:300].rstrip(".")
