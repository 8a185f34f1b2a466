"""Pages kept with their validators, so that a page that did not change is not sent again (RFC 9111 4.3, RFC 9110 13.1)."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Protocol

import msgspec
import zstandard
from msgspec import Struct

MOST_BODY = 2 * 1024 * 1024
"""Bytes of a body that is worth keeping."""


class Kept(Struct, frozen=True, kw_only=True):
    """An answer of 200 with a validator: `etag` or `last_modified`, headers (lower case) and inflated body."""

    url: str
    headers: dict[str, str]
    body: bytes
    etag: str = ""
    last_modified: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The request headers that ask whether it is still so."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


class HttpCache(Protocol):
    """Keeps answers by URL."""

    def get(self, url: str) -> Kept | None:
        """The answer that is kept, or None."""
        ...

    def put(self, kept: Kept) -> None:
        """Keeps an answer in place of an earlier one."""
        ...


class FolderCache:
    """An `HttpCache` in a folder, one file per URL; a file that cannot be read counts as none. Deleting the folder is safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, url: str) -> Kept | None:
        """The answer that is kept, or None."""
        try:
            packed = self._path(url).read_bytes()
            kept = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(packed, max_output_size=2 * MOST_BODY), type=Kept)
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError):
            return None
        return kept if kept.url == url else None

    def put(self, kept: Kept) -> None:
        """Keeps an answer in place of an earlier one; a disk that is full costs the saving, not the visit."""
        path = self._path(kept.url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(kept)))
            Path(file.name).replace(path)
        except OSError:
            return

    def _path(self, url: str) -> Path:
        name = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()
        return self._folder / name[:2] / name


def keepable(url: str, headers: dict[str, str], body: bytes) -> Kept | None:
    """The answer as it may be kept; None without a validator, with `no-store`, or too large."""
    etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
    if not (etag or modified) or "no-store" in headers.get("cache-control", "").lower() or len(body) > MOST_BODY:
        return None
    return Kept(url=url, headers=headers, body=body, etag=etag, last_modified=modified)
