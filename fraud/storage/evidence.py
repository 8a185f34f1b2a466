"""Evidence as files: bytes named by their SHA-256, compressed, and checked against their name whenever they are read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import zstandard

from fraud.errors import NotFound, StorageError
from fraud.storage.files import write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")


class EvidenceFolder:
    """The `EvidenceStore` of a folder: `ab/cd/<sha256>`, each file one zstd frame."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Keeps bytes and returns their SHA-256 in hex; keeping the same bytes twice is free."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, zstandard.ZstdCompressor().compress(data))
            except OSError as error:
                raise StorageError(f"The evidence {sha256} could not be written ({error}); check the folder {self._root}.") from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes, or `NotFound`; bytes that no longer match their name are a `StorageError`."""
        if not _SHA256.fullmatch(sha256):
            raise NotFound(f"There is no evidence {sha256!r}; evidence is named by 64 lower-case hexadecimal digits.")
        try:
            packed = self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no evidence {sha256}; it may have been erased.") from None
        except OSError as error:
            raise StorageError(f"The evidence {sha256} could not be read ({error}); check the folder {self._root}.") from error
        return _verified(packed, sha256)

    def remove(self, sha256: str) -> None:
        """Erases the bytes; whoever asks for them later is told that they may have been erased."""
        if _SHA256.fullmatch(sha256):
            self._path(sha256).unlink(missing_ok=True)

    def has(self, sha256: str) -> bool:
        """Whether the bytes are kept."""
        return bool(_SHA256.fullmatch(sha256)) and self._path(sha256).is_file()

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256


def _verified(packed: bytes, sha256: str) -> bytes:
    altered = f"The evidence {sha256} was altered after it was kept; restore it from a backup and find out who changed it."
    try:
        data = zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise StorageError(altered) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StorageError(altered)
    return data
