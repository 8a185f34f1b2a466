"""The workspace folder and its secrets."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from fraud.domain.actors import Actor, ActorKind, Role
from fraud.errors import StorageError
from fraud.storage.database import open_database
from fraud.storage.workspace import LEAST_ROOM, Workspace
from tests.storage.processes import open_workspace, together


def mode_of(path: Path) -> int:
    """The permission bits of a file."""
    return path.stat().st_mode & 0o777


def key(name: str) -> tuple[Actor, str]:
    """A freshly made key."""
    return Actor(kind=ActorKind.KEY, actor_id=f"key_{name}", name=name, role=Role.SCORE), f"fk_score_{name}"


def test_opening_makes_the_folders_and_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there yet #1"
    first = Workspace.open(path)
    secrets = first.secret_key(), first.pepper()
    second = Workspace.open(path)
    assert (second.secret_key(), second.pepper()) == secrets
    assert sorted(one.name for one in path.iterdir()) == ["evidence", "lake", "models", "secrets"]
    assert [one.is_dir() for one in (first.lake, first.evidence, first.models, first.secrets)] == [True] * 4


def test_its_database_lies_in_the_folder_whatever_the_folders_name(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "50% off? #1 ü")
    open_database(workspace.database_url).close()
    assert (workspace.root / "fraud.sqlite3").is_file()


def test_a_relative_path_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Workspace.open(Path("here")).root == tmp_path / "here"


def test_secrets_are_long_private_and_different(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    secret_key, pepper = workspace.secret_key(), workspace.pepper()
    assert len(bytes.fromhex(pepper.decode())) == len(bytes.fromhex(secret_key.decode())) == 32
    assert secret_key != pepper
    assert mode_of(workspace.secrets) == 0o700
    assert {mode_of(one) for one in workspace.secrets.iterdir()} == {0o600}


def test_a_secret_that_the_operator_put_there_is_used(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    (workspace.secrets / "pepper").write_text("brought from the old machine\n")
    assert workspace.pepper() == b"brought from the old machine"


def test_an_emptied_secret_is_never_replaced_by_another(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    (workspace.secrets / "pepper").write_text("\n")
    with pytest.raises(StorageError, match="is empty; restore it from a backup"):
        workspace.pepper()


def test_a_secret_that_cannot_be_read_is_a_storage_error(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    (workspace.secrets / "pepper").mkdir()
    with pytest.raises(StorageError, match="cannot be read or made"):
        workspace.pepper()


def test_processes_that_start_together_share_their_secrets(tmp_path: Path) -> None:
    assert len(set(together(open_workspace, str(tmp_path / "new"), 3))) == 1


def test_threads_that_start_together_share_their_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        peppers = list(pool.map(lambda _: Workspace.open(tmp_path).pepper(), range(16)))
    assert set(peppers) == {peppers[0]}
    assert [one.name for one in Workspace.open(tmp_path).secrets.iterdir()] == ["pepper"]


def test_keys_are_written_for_the_operator_alone_and_gather(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    path = workspace.write_keys([key("one"), key("twö")])
    assert path == workspace.write_keys([key("three")]) == workspace.keys_file
    assert mode_of(path) == 0o600
    assert path.read_text().splitlines()[1:] == [
        "score\tkey_one\tone\tfk_score_one",
        "score\tkey_twö\ttwö\tfk_score_twö",
        "score\tkey_three\tthree\tfk_score_three",
    ]


def test_writers_of_keys_lose_none(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: workspace.write_keys([key(str(number))]), range(20)))
    assert len(workspace.keys_file.read_text().splitlines()) == 21


def test_keys_that_cannot_be_written_are_a_storage_error(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    workspace.keys_file.mkdir()
    with pytest.raises(StorageError, match="keys could not be written"):
        workspace.write_keys([key("one")])


@pytest.mark.parametrize("name", ["file", "file/below", "taken"])
def test_a_file_in_the_way_is_one_clear_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "lake").write_text("")
    with pytest.raises(StorageError, match="a file is in its place"):
        Workspace.open(tmp_path / name)


@pytest.mark.parametrize("path", ["/proc/fraud-data", "a\x00b"])
def test_a_place_that_cannot_be_written_is_one_clear_sentence(path: str) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        Workspace.open(Path(path))


def test_a_disk_that_may_only_be_read_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    workspace.require_room()
    here = list(os.statvfs(tmp_path))
    here[8] |= os.ST_RDONLY
    monkeypatch.setattr("os.statvfs", lambda _: os.statvfs_result(here))
    with pytest.raises(StorageError, match=r"cannot be written to; look at how its disk is mounted"):
        workspace.require_room()


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    workspace.require_room()
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(10**12, 10**12, LEAST_ROOM - 1))
    with pytest.raises(StorageError, match=r"is full .* make room"):
        workspace.require_room()
