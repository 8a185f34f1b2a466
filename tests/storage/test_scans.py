"""Results of scans come back whole, newest first."""

from __future__ import annotations

import pytest

from fraud.errors import Conflict, InputError, NotFound
from fraud.storage.database import Database
from fraud.storage.scans import SqlScans
from tests.storage.samples import later, scan


@pytest.fixture
def scans(database: Database) -> SqlScans:
    return SqlScans(database)


def test_a_scan_comes_back_as_it_was(scans: SqlScans) -> None:
    scans.add(scan())
    assert scans.get("shoes", "scn_1") == scan()


def test_the_newest_goes_by_as_of_not_by_arrival(scans: SqlScans) -> None:
    for scan_id, hours in (("scn_1", 24), ("scn_2", 48), ("scn_3", 0)):
        scans.add(scan(scan_id, as_of=later(hours)))
    assert [one.scan_id for one in scans.recent("shoes", 2)] == ["scn_2", "scn_1"]
    newest = scans.latest("shoes")
    assert newest is not None
    assert newest.scan_id == "scn_2"


def test_of_two_scans_of_one_night_the_later_arrival_is_the_newest(scans: SqlScans) -> None:
    scans.add(scan("scn_2"))
    scans.add(scan("scn_1"))
    newest = scans.latest("shoes")
    assert newest is not None
    assert newest.scan_id == "scn_1"


def test_a_scan_is_kept_once(scans: SqlScans) -> None:
    scans.add(scan())
    with pytest.raises(Conflict, match="'scn_1' is already kept"):
        scans.add(scan(program_id="hats"))


def test_an_unknown_scan_is_not_found(scans: SqlScans) -> None:
    with pytest.raises(NotFound, match="'scn_9'"):
        scans.get("shoes", "scn_9")
    assert scans.latest("shoes") is None


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_means_nothing_and_is_refused(scans: SqlScans, limit: int) -> None:
    with pytest.raises(InputError, match="ask for 1 or more"):
        scans.recent("shoes", limit)
