"""Evidence is what its name says, or an error."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.errors import NotFound, StorageError
from fraud.storage.evidence import EvidenceFolder

PAGE = b"<html><title>Shoes</title>" + b"<p>very good shoes</p>" * 1000


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence")


def file_of(root: Path, sha256: str) -> Path:
    """Where a blob lies."""
    return root / "evidence" / sha256[:2] / sha256[2:4] / sha256


def test_bytes_are_kept_under_their_hash_and_compressed(evidence: EvidenceFolder, tmp_path: Path) -> None:
    sha256 = evidence.put(PAGE)
    assert sha256 == hashlib.sha256(PAGE).hexdigest()
    assert evidence.has(sha256)
    assert evidence.get(sha256) == PAGE
    assert file_of(tmp_path, sha256).stat().st_size < len(PAGE) / 10


@given(data=st.binary())
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_come_back(evidence: EvidenceFolder, data: bytes) -> None:
    assert evidence.get(evidence.put(data)) == data


def test_keeping_the_same_bytes_twice_writes_once(evidence: EvidenceFolder, tmp_path: Path) -> None:
    first = file_of(tmp_path, evidence.put(PAGE)).stat()
    second = file_of(tmp_path, evidence.put(PAGE)).stat()
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_writers_of_the_same_bytes_do_not_disturb_each_other(evidence: EvidenceFolder, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(evidence.put, [PAGE] * 16))
    (sha256,) = names
    assert evidence.get(sha256) == PAGE
    assert os.listdir(file_of(tmp_path, sha256).parent) == [sha256]  # noqa: PTH208 -- hidden files count too


@pytest.mark.parametrize(
    "tampered",
    [zstandard.ZstdCompressor().compress(b"another page"), b"not compressed at all", b"", zstandard.ZstdCompressor().compress(PAGE)[:-9]],
    ids=["another page", "no zstd", "emptied", "cut short"],
)
def test_altered_bytes_are_never_served(evidence: EvidenceFolder, tmp_path: Path, tampered: bytes) -> None:
    sha256 = evidence.put(PAGE)
    file_of(tmp_path, sha256).write_bytes(tampered)
    with pytest.raises(StorageError, match="was altered"):
        evidence.get(sha256)


@pytest.mark.parametrize(
    "name", ["", "ab", "00" * 32, "../../../../etc/passwd", "0" * 63 + "\n", "A" * 64, "\x00" * 64, "é" * 64, "0" * 65]
)
def test_a_name_that_is_no_kept_hash_is_not_found(evidence: EvidenceFolder, name: str) -> None:
    evidence.put(PAGE)
    assert not evidence.has(name)
    with pytest.raises(NotFound, match="no evidence"):
        evidence.get(name)


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file in the way")
    with pytest.raises(StorageError, match="could not be written"):
        EvidenceFolder(tmp_path / "evidence").put(PAGE)


def test_evidence_that_cannot_be_read_is_a_storage_error(evidence: EvidenceFolder, tmp_path: Path) -> None:
    sha256 = evidence.put(PAGE)
    file_of(tmp_path, sha256).unlink()
    file_of(tmp_path, sha256).mkdir()
    with pytest.raises(StorageError, match="could not be read"):
        evidence.get(sha256)
