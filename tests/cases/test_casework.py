"""Cases: who may do what when, two persons for a suspension, another reviewer for an appeal, and a timeline that misses nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.cases.casework import APPEAL_WITHIN, HOLD, TRANSITIONS, Step, is_free, taken_step
from fraud.domain.cases import Case, CaseAction, CaseEvent, CaseState
from fraud.domain.reviews import Disposition
from fraud.errors import Conflict, InputError
from tests.storage.samples import NOON

NEW = Case(case_id="case_1", program_id="shoes", alert_id="alr_1", subject_id="aff_1", opened_at=NOON)


def step(action: CaseAction, actor: str = "ada", hours: float = 0.0, **given: Any) -> Step:
    words = {"reason": "Because."} | ({"disposition": Disposition.DISMISSED} if action is CaseAction.DECIDE else {})
    return Step(action=action, actor_id=actor, actor_name=actor.title(), at=NOON + timedelta(hours=hours), **(words | given))


def after(*steps: Step, case: Case = NEW) -> Case:
    for one in steps:
        case, _ = taken_step(case, one)
    return case


def test_a_case_is_taken_asked_about_answered_and_decided() -> None:
    taken = after(step(CaseAction.TAKE))
    assert (taken.state, taken.assignee, taken.held_until) == (CaseState.TAKEN, "ada", NOON + HOLD)
    waiting = after(step(CaseAction.ASK), case=taken)
    assert waiting.state is CaseState.WAITING
    assert waiting.due_at is not None
    queued = after(step(CaseAction.ANSWER, "affiliate"), case=waiting)
    assert (queued.state, queued.assignee) == (CaseState.QUEUED, "")
    decided = after(step(CaseAction.TAKE, "bob"), step(CaseAction.DECIDE, "bob"), case=queued)
    assert (decided.state, decided.disposition, decided.decided_by) == (CaseState.DECIDED, Disposition.DISMISSED, "bob")
    assert decided.version == 5


def test_nobody_takes_what_is_in_other_hands_until_the_hold_passes() -> None:
    taken = after(step(CaseAction.TAKE))
    assert not is_free(taken, "bob", NOON)
    with pytest.raises(Conflict, match="in the hands of ada until 2026-03-01 20:00 UTC"):
        after(step(CaseAction.TAKE, "bob", 1), case=taken)
    assert is_free(taken, "bob", NOON + HOLD)
    assert after(step(CaseAction.TAKE, "bob", 9), case=taken).assignee == "bob"
    with pytest.raises(Conflict, match="take it first"):
        after(step(CaseAction.DECIDE, "bob"), case=taken)


def test_a_suspension_takes_two_people() -> None:
    proposed = after(step(CaseAction.TAKE), step(CaseAction.PROPOSE_SUSPENSION))
    with pytest.raises(Conflict, match="takes a second person"):
        after(step(CaseAction.CONFIRM_SUSPENSION, "ada"), case=proposed)
    done = after(step(CaseAction.CONFIRM_SUSPENSION, "bob"), case=proposed)
    assert (done.state, done.suspended, done.disposition, done.decided_by) == (CaseState.DECIDED, True, Disposition.CONFIRMED, "ada")
    back = after(step(CaseAction.DECLINE_SUSPENSION, "bob"), case=proposed)
    assert (back.state, back.assignee) == (CaseState.TAKEN, "ada")


def test_an_appeal_goes_to_somebody_else_and_not_too_late() -> None:
    decided = after(step(CaseAction.TAKE), step(CaseAction.DECIDE))
    appealed = after(step(CaseAction.APPEAL, "affiliate", 24), case=decided)
    assert not is_free(appealed, "ada", NOON + HOLD)
    with pytest.raises(Conflict, match="decided by somebody else"):
        after(step(CaseAction.TAKE, "ada", 48), case=appealed)
    assert after(step(CaseAction.TAKE, "bob", 48), case=appealed).assignee == "bob"
    with pytest.raises(Conflict, match="time to contest this decision ended"):
        after(step(CaseAction.APPEAL, "affiliate", APPEAL_WITHIN / timedelta(hours=1) + 1), case=decided)


def test_a_slip_is_taken_back_by_who_made_it_and_decided_anew() -> None:
    decided = after(step(CaseAction.TAKE), step(CaseAction.DECIDE))
    again = after(step(CaseAction.REOPEN), case=decided)
    assert (again.state, again.assignee, again.due_at) == (CaseState.TAKEN, "ada", None)
    corrected = after(step(CaseAction.DECIDE, disposition=Disposition.CONFIRMED), case=again)
    assert (corrected.state, corrected.disposition) == (CaseState.DECIDED, Disposition.CONFIRMED)
    with pytest.raises(Conflict, match="by who made it"):
        after(step(CaseAction.REOPEN, "bob"), case=decided)
    suspended = after(step(CaseAction.TAKE), step(CaseAction.PROPOSE_SUSPENSION), step(CaseAction.CONFIRM_SUSPENSION, "bob"))
    with pytest.raises(Conflict, match="suspension"):
        after(step(CaseAction.REOPEN, "ada"), case=suspended)


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("action", CaseAction)
def test_what_is_not_possible_says_what_is(state: CaseState, action: CaseAction) -> None:
    case = Case(case_id="c", program_id="p", alert_id="a", subject_id="s", opened_at=NOON, state=state, assignee="ada", proposed_by="bob")
    case = msgspec.structs.replace(case, held_until=NOON, decided_by="ada")
    if action in TRANSITIONS[state]:
        assert taken_step(case, step(action, "ada", 99))[0].state is TRANSITIONS[state][action]
        return
    with pytest.raises(Conflict) as refused:
        taken_step(case, step(action))
    assert f"that is {state.value} cannot be" in refused.value.message
    assert all(allowed.value in refused.value.message for allowed in TRANSITIONS[state])


@pytest.mark.parametrize("action", [CaseAction.ASK, CaseAction.DECIDE, CaseAction.NOTE, CaseAction.PROPOSE_SUSPENSION])
def test_what_is_done_is_done_for_a_reason(action: CaseAction) -> None:
    with pytest.raises(InputError, match="reason"):
        after(step(action, reason="  "), case=after(step(CaseAction.TAKE)))
    with pytest.raises(InputError, match="disposition"):
        after(step(CaseAction.DECIDE, disposition=None), case=after(step(CaseAction.TAKE)))


_STEPS = st.lists(st.tuples(st.sampled_from(list(CaseAction)), st.sampled_from(["ada", "bob", "cy"]), st.floats(0, 20)), max_size=30)


@given(_STEPS)
def test_whatever_people_try_the_timeline_has_every_change_and_no_rule_is_broken(tried: list[tuple[CaseAction, str, float]]) -> None:
    case, lines, hours = NEW, list[CaseEvent](), 0.0
    for action, actor, pause in tried:
        hours += pause
        before = case
        try:
            case, line = taken_step(case, step(action, actor, hours))
        except Conflict:
            continue
        lines.append(line)
        assert (line.before, line.after, case.version) == (before.state, case.state, before.version + 1)
        if case.suspended and not before.suspended:
            assert actor != before.proposed_by
        if before.appeals and action is CaseAction.TAKE:
            assert actor != before.decided_by
    assert case.version == len(lines)
    assert [line.before for line in lines[1:]] == [line.after for line in lines[:-1]]
