"""Decisions come back exactly as they were made, and can be added only once."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.hashing import canonical_json
from fraud.errors import Conflict, InputError, NotFound, StorageError
from fraud.storage.database import Database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.documents import decode, encode
from fraud.storage.tables import decisions as table
from tests.storage.samples import NOON, decision, later, verdict

NUMBERS = itertools.count()
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001 -- hypothesis adds the zone
DOCUMENTS = st.builds(
    decision,
    subject_id=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    inputs=st.dictionaries(st.text(), VALUES, max_size=4),
    evidence_manifest=st.lists(st.text(), max_size=3).map(tuple),
    as_of=MOMENTS,
    verdict=st.builds(verdict, score=st.floats(0, 1)),
)


@pytest.fixture
def decisions(database: Database) -> SqlDecisions:
    return SqlDecisions(database)


def test_a_decision_comes_back_as_it_was_made(decisions: SqlDecisions) -> None:
    decisions.add([decision()])
    assert decisions.get("shoes", "dec_1") == decision()
    assert decisions.find("dec_1") == decision()


@given(kept=DOCUMENTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_decision_comes_back_equal_and_byte_for_byte(database: Database, kept: Decision) -> None:
    kept = decision(f"dec_{next(NUMBERS)}", **{name: getattr(kept, name) for name in ("subject_id", "inputs", "as_of", "verdict")})
    SqlDecisions(database).add([kept])
    read = SqlDecisions(database).get("shoes", kept.decision_id)
    assert read == kept
    assert canonical_json(read) == canonical_json(kept)


@given(kept=DOCUMENTS)
def test_canonical_json_of_a_decision_decodes_to_it(kept: Decision) -> None:
    assert decode(encode(kept), Decision) == kept


def test_an_id_that_is_kept_is_a_conflict_and_nothing_else_of_the_batch_is_kept(decisions: SqlDecisions) -> None:
    decisions.add([decision("dec_1")])
    with pytest.raises(Conflict, match="already kept"):
        decisions.add([decision("dec_2"), decision("dec_1", program_id="hats")])
    with pytest.raises(NotFound):
        decisions.find("dec_2")


def test_it_says_which_are_kept(decisions: SqlDecisions) -> None:
    decisions.add([decision(decision_id="dec_1"), decision(decision_id="dec_2")])
    assert decisions.known(["dec_1", "dec_3"]) == {"dec_1"}
    assert decisions.known([]) == frozenset()


def test_adding_nothing_is_allowed(decisions: SqlDecisions) -> None:
    decisions.add([])
    with pytest.raises(NotFound, match="no decision 'dec_1'"):
        decisions.find("dec_1")


def test_latest_goes_by_the_time_of_deciding_then_by_arrival(decisions: SqlDecisions) -> None:
    decisions.add([decision("dec_b", decided_at=later(1)), decision("dec_a", decided_at=later(1)), decision("dec_c", decided_at=NOON)])
    newest = decisions.latest("shoes", DecisionKind.SCAN, "aff_1")
    assert newest is not None
    assert newest.decision_id == "dec_a"


def test_latest_tells_kinds_and_subjects_apart(decisions: SqlDecisions) -> None:
    decisions.add([decision("dec_1"), decision("dec_2", kind=DecisionKind.VET), decision("dec_3", subject_id="aff_2")])
    found = [decisions.latest("shoes", DecisionKind.SCAN, name) for name in ("aff_1", "aff_2", "aff_3")]
    assert [one and one.decision_id for one in found] == ["dec_1", "dec_3", None]


def test_subjects_are_those_decided_since_of_one_kind_and_program(decisions: SqlDecisions) -> None:
    decisions.add(
        [
            decision("dec_1", subject_id="old", decided_at=NOON),
            decision("dec_2", subject_id="one", decided_at=later(1)),
            decision("dec_3", subject_id="two", decided_at=later(2)),
            decision("dec_4", subject_id="other", decided_at=later(2), kind=DecisionKind.VET),
            decision("dec_5", subject_id="elsewhere", decided_at=later(2), program_id="hats"),
        ]
    )
    assert decisions.subjects("shoes", DecisionKind.SCAN, later(1)) == ["one", "two"]


def test_a_very_long_subject_is_kept_and_found(decisions: SqlDecisions) -> None:
    subject = "aff_1/" + "".join(chr(0x4E00 + number % 5000) for number in range(20_000))  # past any index entry
    decisions.add([decision("dec_1", subject_id=subject)])
    newest = decisions.latest("shoes", DecisionKind.SCAN, subject)
    assert newest is not None
    assert newest.subject_id == subject


def test_ten_thousand_decisions_are_one_call(decisions: SqlDecisions) -> None:
    decisions.add([decision(f"dec_{number}", signals=(), inputs={}) for number in range(10_000)])
    assert decisions.find("dec_9999").decision_id == "dec_9999"


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused(decisions: SqlDecisions, score: float) -> None:
    with pytest.raises(InputError, match="could not be read back"):
        decisions.add([decision(verdict=verdict(score))])


def test_a_decision_altered_in_the_database_is_a_storage_error(decisions: SqlDecisions, database: Database) -> None:
    decisions.add([decision()])
    with database.transaction() as connection:
        connection.execute(table.update().values(document='{"decision_id": "dec_1"}'))
    with pytest.raises(StorageError, match="stored Decision cannot be read"):
        decisions.get("shoes", "dec_1")


def test_a_document_nested_without_end_is_refused(decisions: SqlDecisions) -> None:
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(InputError, match="nested too deeply"):
        decisions.add([decision(inputs={"page": nested})])


@pytest.mark.parametrize("inputs", [{"text": "half a pair \ud800"}, {"half \udfff": 1}])
def test_text_that_is_not_unicode_is_refused(decisions: SqlDecisions, inputs: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not valid Unicode"):
        decisions.add([decision(inputs=inputs)])


@pytest.mark.parametrize("column", ["program_id", "subject_id", "kind", "subject_kind"])
def test_columns_that_contradict_the_document_are_a_storage_error(decisions: SqlDecisions, database: Database, column: str) -> None:
    decisions.add([decision()])
    other = {"program_id": "hats", "subject_id": "aff_2", "kind": "vet", "subject_kind": "sub_id"}[column]
    with database.transaction() as connection:
        connection.execute(table.update().values({column: other}))
    with pytest.raises(StorageError, match=f"contradicts itself in {column}"):
        decisions.find("dec_1")
    with pytest.raises(StorageError, match="contradicts itself"):
        decisions.get(other if column == "program_id" else "shoes", "dec_1")


def test_a_document_that_was_swapped_for_another_is_a_storage_error(decisions: SqlDecisions, database: Database) -> None:
    decisions.add([decision("dec_1"), decision("dec_2", subject_id="aff_2")])
    with database.transaction() as connection:
        connection.execute(
            table.update().where(table.c.decision_id == "dec_1").values(document=encode(decision("dec_2", subject_id="aff_2")))
        )
    with pytest.raises(StorageError, match="dec_1 contradicts itself in decision_id, subject_id"):
        decisions.latest("shoes", DecisionKind.SCAN, "aff_1")
