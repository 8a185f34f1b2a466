"""Programs' profiles."""

from __future__ import annotations

import pytest

from fraud.errors import NotFound
from fraud.storage.database import Database
from fraud.storage.programs import SqlPrograms
from tests.storage.samples import profile


def test_a_profile_is_kept_and_may_change(database: Database) -> None:
    programs = SqlPrograms(database)
    programs.save(profile())
    assert programs.get("shoes") == profile()
    programs.save(profile(allows_email=None))
    assert programs.get("shoes") == profile(allows_email=None)


def test_programs_are_listed_by_id_in_one_order_on_every_database(database: Database) -> None:
    programs = SqlPrograms(database)
    for name in ("b", "Z", "a-b", "aB", "ä"):
        programs.save(profile(name))
    assert [one.program_id for one in programs.all()] == ["Z", "a-b", "aB", "b", "ä"]


def test_an_unknown_program_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="no program 'hats'"):
        SqlPrograms(database).get("hats")
