from __future__ import annotations

from pathlib import Path

import pytest

from fraud.errors import StorageError
from fraud.storage.enrichment import VERSIONS_KEPT, EnrichmentFolder


@pytest.fixture
def folder(tmp_path: Path) -> EnrichmentFolder:
    return EnrichmentFolder(tmp_path / "enrichment")


def test_nothing_is_kept_at_first(folder: EnrichmentFolder) -> None:
    assert (folder.sources(), folder.tables(), folder.versions()) == ({}, None, [])


def test_a_source_replaces_its_earlier_copy_and_leaves_nothing_behind(folder: EnrichmentFolder) -> None:
    folder.keep_source("asn", b'{"n":1}', [b"one", b"two"])
    folder.keep_source("asn", b'{"n":2}', [b"three"])
    copy = folder.sources()["asn"]
    assert (copy.about, [path.read_bytes() for path in copy.files]) == (b'{"n":2}', [b"three"])
    assert len(list((folder.root / "sources").iterdir())) == 2


def test_sources_with_like_names_do_not_touch_each_other(folder: EnrichmentFolder) -> None:
    folder.keep_source("asn", b"{}", [b"one"])
    folder.keep_source("asn-2", b"{}", [b"two"])
    assert folder.forget_source("asn")
    assert not folder.forget_source("asn")
    assert [path.read_bytes() for path in folder.sources()["asn-2"].files] == [b"two"]


def test_a_version_is_in_use_once_it_is_whole(folder: EnrichmentFolder) -> None:
    folder.keep_tables("networks-1", {"manifest.json": b"{}", "a.arrow": b"1"})
    (folder.root / "networks" / ".building-x").mkdir()
    in_use = folder.tables()
    assert in_use is not None
    assert (in_use.name, (in_use / "a.arrow").read_bytes()) == ("networks-1", b"1")


def test_the_same_version_again_changes_nothing(folder: EnrichmentFolder) -> None:
    folder.keep_tables("networks-1", {"manifest.json": b"first"})
    folder.keep_tables("networks-1", {"manifest.json": b"second"})
    in_use = folder.tables()
    assert in_use is not None
    assert (in_use / "manifest.json").read_bytes() == b"first"


def test_old_versions_go_and_the_one_in_use_never_does(folder: EnrichmentFolder) -> None:
    for name in ("networks-5", "networks-6", "networks-7", "networks-8", "networks-1"):
        folder.keep_tables(name, {"manifest.json": b"{}"})
    assert folder.versions() == ["networks-1", "networks-7", "networks-8"]
    assert len(folder.versions()) == VERSIONS_KEPT
    in_use = folder.tables()
    assert in_use is not None
    assert in_use.name == "networks-1"


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x" * 200])
def test_a_name_is_one_step_and_nothing_else(folder: EnrichmentFolder, name: str) -> None:
    with pytest.raises(StorageError):
        folder.keep_source(name, b"{}", [])
    with pytest.raises(StorageError):
        folder.keep_tables(name, {})


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"folder": "../x", "files": 1, "about": "{}"}', b'{"files": 1}'])
def test_a_damaged_pointer_is_named(folder: EnrichmentFolder, damage: bytes) -> None:
    folder.keep_source("asn", b"{}", [b"one"])
    (folder.root / "sources" / "asn.json").write_bytes(damage)
    with pytest.raises(StorageError):
        folder.sources()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Nothing can be kept"):
        EnrichmentFolder(tmp_path / "file").keep_source("asn", b"{}", [])
