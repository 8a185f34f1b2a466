"""Take-next by several at once on both databases, and what a decision of a case leaves behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from fraud.cases.casework import Step, taken_step
from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.alerts import AlertState
from fraud.domain.cases import CaseAction, CaseState
from fraud.domain.clock import FixedClock
from fraud.domain.reviews import Disposition
from fraud.errors import Conflict, NotFound
from fraud.storage.alerts import SqlAlerts
from fraud.storage.applications import SqlApplications
from fraud.storage.audit import SqlAudit
from fraud.storage.cases import SqlCases
from fraud.storage.database import Database, open_database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.reviews import SqlReviews
from fraud.workflows.casework import CaseTools, act, queue, take_next, timeline
from fraud.workflows.reviewing import ReviewTools, Word
from tests.storage.conftest import *  # noqa: F403 - the databases' fixtures
from tests.storage.samples import NOON, alert

ADA = Actor(kind=ActorKind.PERSON, actor_id="ada", name="Ada", role=Role.REVIEW)
CLOCK = FixedClock(NOON + timedelta(hours=1))


class Office:
    """Cases over a database, and what they write elsewhere."""

    def __init__(self, database: Database) -> None:
        self.labels: list[dict[str, str]] = []
        self.suspended: list[tuple[str, str, str]] = []
        self.reviewing = ReviewTools(
            reviews=SqlReviews(database),
            alerts=SqlAlerts(database),
            applications=SqlApplications(database),
            decisions=SqlDecisions(database),
            audit=SqlAudit(database),
            label=lambda program_id, row: self.labels.append(row),
            tell=lambda events: None,
            clock=CLOCK,
        )
        self.tools = CaseTools(cases=SqlCases(database), reviewing=self.reviewing, suspend=lambda *said: self.suspended.append(said))


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def step(action: CaseAction, actor: str = "ada", **given: Any) -> Step:
    return Step(action=action, actor_id=actor, actor_name=actor.title(), at=CLOCK.now(), **({"reason": "Looked."} | given))


def opened(office: Office, count: int) -> None:
    named = [{"subject_id": f"aff_{n}", "decision_id": f"dec_{n}", "expected_loss": float(n)} for n in range(count)]
    office.reviewing.alerts.record([alert(f"alr_{n}", **given) for n, given in enumerate(named)])


def test_the_largest_loss_comes_first_and_nobody_gets_the_same(office: Office) -> None:
    opened(office, 3)
    taken = [take_next(office.tools, "shoes", (who, who)) for who in ("ada", "bob", "cy", "di")]
    assert [found[0].alert_id if found else None for found in taken] == ["alr_2", "alr_1", "alr_0", None]


@pytest.mark.parametrize("round_", range(3))
def test_reviewers_who_press_at_once_never_get_the_same_case(round_: int, database_url: str) -> None:
    first = open_database(database_url)
    opened(Office(first), 12)

    def press(number: int) -> list[str]:
        database = open_database(database_url)
        try:
            tools = Office(database).tools
            found = [take_next(tools, "shoes", (f"reviewer-{number}", "R")) for _ in range(3)]
            return [case.case_id for one in found if one is not None for case in one[1:]]
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [case for cases in pool.map(press, range(4)) for case in cases]
    first.close()
    assert len(taken) == len(set(taken)) == 12


def test_a_decision_resolves_the_alert_becomes_a_label_and_stands_in_the_timeline(office: Office) -> None:
    opened(office, 1)
    found = take_next(office.tools, "shoes", ("ada", "Ada"))
    assert found is not None
    case_id = found[1].case_id
    decided = step(CaseAction.DECIDE, disposition=Disposition.CONFIRMED)
    word = Word(actor=ADA, disposition=Disposition.CONFIRMED, reason="Looked.")
    case = act(office.tools, "shoes", case_id, decided, word)
    assert case.state is CaseState.DECIDED
    assert office.reviewing.alerts.get("shoes", "alr_0").state is AlertState.RESOLVED
    assert office.labels[0]["label"] == "bad"
    assert office.suspended == []
    lines = timeline(office.tools, "shoes", case_id)
    assert [(line.action, line.actor_name, line.reason) for line in lines] == [
        (CaseAction.TAKE, "Ada", ""),
        (CaseAction.DECIDE, "Ada", "Looked."),
    ]


def test_a_confirmed_suspension_is_written_into_the_records(office: Office) -> None:
    opened(office, 1)
    found = take_next(office.tools, "shoes", ("bob", "Bob"))
    assert found is not None
    act(office.tools, "shoes", found[1].case_id, step(CaseAction.PROPOSE_SUSPENSION, "bob"))
    word = Word(actor=ADA, disposition=Disposition.CONFIRMED, reason="Agreed.")
    act(office.tools, "shoes", found[1].case_id, step(CaseAction.CONFIRM_SUSPENSION, reason="Agreed."), word)
    assert office.suspended == [("shoes", "aff_0", "Agreed.")]


def test_an_appeal_comes_before_the_queue_and_not_to_who_decided(office: Office) -> None:
    opened(office, 2)
    found = take_next(office.tools, "shoes", ("ada", "Ada"))
    assert found is not None
    word = Word(actor=ADA, disposition=Disposition.DISMISSED, reason="Looked.")
    act(office.tools, "shoes", found[1].case_id, step(CaseAction.DECIDE, disposition=Disposition.DISMISSED), word)
    act(office.tools, "shoes", found[1].case_id, step(CaseAction.APPEAL, "affiliate", reason="I disagree."))
    assert [alert.alert_id for alert, _ in queue(office.tools, "shoes", "bob")] == ["alr_1", "alr_0"]
    assert [alert.alert_id for alert, _ in queue(office.tools, "shoes", "ada")] == ["alr_0"]


def test_a_change_made_on_an_older_version_is_refused(office: Office) -> None:
    opened(office, 1)
    found = take_next(office.tools, "shoes", ("ada", "Ada"))
    assert found is not None
    stale = found[1]
    act(office.tools, "shoes", stale.case_id, step(CaseAction.NOTE))
    with pytest.raises(Conflict, match="Somebody else has changed"):
        office.tools.cases.change(*taken_step(stale, step(CaseAction.NOTE)))
    with pytest.raises(NotFound, match="no case 'case_9'"):
        act(office.tools, "shoes", "case_9", step(CaseAction.NOTE))
