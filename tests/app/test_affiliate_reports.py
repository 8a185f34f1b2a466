"""Reports behind links: whole, in time and not revoked, or nothing; and an answer that reaches whoever decides."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.app.affiliate_reports import (
    address_of,
    answer_report,
    make_link,
    open_link,
    read_report,
    revoke_link,
    token_of,
)
from fraud.app.cases import case_tools
from fraud.app.parts import App
from fraud.app.performing import notices_for
from fraud.cases.casework import Step
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.alerts import Alert
from fraud.domain.cases import CaseAction, CaseState
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import SubjectKind
from fraud.domain.reviews import Disposition
from fraud.errors import Conflict, InputError, NotFound
from fraud.reports.advice import ADVICE, GENERAL, advice_for
from fraud.reports.words import TYPOLOGIES
from fraud.workflows.casework import act, take
from fraud.workflows.contesting import MOST_WORDS
from fraud.workflows.reviewing import Word
from tests.conftest import MORNING, settings_of

WHY = (SYSTEM, "It went to the wrong mailbox.")
ADA = ("ada", "Ada")


def alerted(app: App) -> Alert:
    """An affiliate that the newest scan alerted on."""
    return next(one for one in app.stores.alerts.standing(DEFAULT_PROGRAM) if one.subject_kind is SubjectKind.AFFILIATE)


def decided(app: App, alert: Alert, disposition: Disposition) -> str:
    """The alert's case, decided by Ada; its id."""
    tools = case_tools(app)
    case = take(tools, DEFAULT_PROGRAM, alert.alert_id, ADA)
    step = Step(action=CaseAction.DECIDE, actor_id="ada", actor_name="Ada", at=MORNING, reason="Looked.", disposition=disposition)
    act(tools, DEFAULT_PROGRAM, case.case_id, step, Word(actor=SYSTEM, disposition=disposition, reason="Looked."))
    return case.case_id


def test_a_link_opens_the_report_of_one_affiliate_and_is_recorded(scanned_copy: App) -> None:
    alert = alerted(scanned_copy)
    link, token = make_link(scanned_copy, DEFAULT_PROGRAM, alert.subject_id, 14, SYSTEM)
    report = read_report(scanned_copy, open_link(scanned_copy, token))
    assert report.now.affiliate_id == alert.subject_id
    assert report.now.clicks > 0
    (notice,) = report.notices
    assert notice.change
    assert address_of(scanned_copy, token).startswith("http://127.0.0.1:8000/report/")
    seen, made = scanned_copy.stores.audit.entries(DEFAULT_PROGRAM, 2)
    assert (made["action"], seen["action"], seen["detail"]) == ("report_link.made", "report.read", {"link_id": link.link_id})


def test_it_ends_on_its_day(scanned_copy: App) -> None:
    _, token = make_link(scanned_copy, DEFAULT_PROGRAM, "a", 2, SYSTEM)
    clock = scanned_copy.clock
    assert isinstance(clock, FixedClock)
    clock.move_to(MORNING + timedelta(days=2) - timedelta(seconds=1))
    assert open_link(scanned_copy, token).affiliate_id == "a"
    clock.move_to(MORNING + timedelta(days=2))
    with pytest.raises(NotFound, match="ask the program for a new one"):
        open_link(scanned_copy, token)


def test_it_can_be_revoked_with_a_reason(scanned_copy: App) -> None:
    link, token = make_link(scanned_copy, DEFAULT_PROGRAM, "a", 14, SYSTEM)
    with pytest.raises(InputError, match="--reason"):
        revoke_link(scanned_copy, DEFAULT_PROGRAM, link.link_id, (SYSTEM, " "))
    with pytest.raises(NotFound):
        revoke_link(scanned_copy, "another", link.link_id, WHY)
    revoke_link(scanned_copy, DEFAULT_PROGRAM, link.link_id, WHY)
    with pytest.raises(NotFound):
        open_link(scanned_copy, token)


@given(data=st.data())
def test_nothing_but_the_whole_token_opens_it(data: st.DataObject, scanned_link: tuple[App, str]) -> None:
    app, token = scanned_link
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    altered = data.draw(st.sampled_from([token[:place] + sign + token[place + 1 :], token[:place], token + sign]))
    if altered != token:
        with pytest.raises(NotFound):
            open_link(app, altered)


@pytest.mark.parametrize("token", ["", ".", "..", "a", "\x00.\x00", "é.é", "ZGVmYXVsdA.", "x" * 10_000])
def test_what_is_no_token_is_not_found(app: App, token: str) -> None:
    with pytest.raises(NotFound):
        open_link(app, token)


@pytest.fixture(scope="module")
def scanned_link(tmp_path_factory: pytest.TempPathFactory) -> tuple[App, str]:
    app = App(settings_of(tmp_path_factory.mktemp("links")), FixedClock(MORNING))
    return app, make_link(app, DEFAULT_PROGRAM, "aff/7", 14, SYSTEM)[1]


def test_a_signature_covers_whose_report_it_is_and_until_when(app: App) -> None:
    link, token = make_link(app, DEFAULT_PROGRAM, "a", 1, SYSTEM)
    app.stores.report_links.save(msgspec.structs.replace(link, affiliate_id="b"))
    with pytest.raises(NotFound):
        open_link(app, token)
    app.stores.report_links.save(msgspec.structs.replace(link, expires_at=link.expires_at + timedelta(days=99)))
    with pytest.raises(NotFound):
        open_link(app, token)
    assert token_of(app, link) == token


@pytest.mark.parametrize("days", [0, -1, 91])
def test_it_lasts_neither_no_time_nor_for_ever(app: App, days: int) -> None:
    with pytest.raises(InputError, match="between 1 and 90"):
        make_link(app, DEFAULT_PROGRAM, "a", days, SYSTEM)


def test_an_answer_to_a_decision_is_an_appeal_that_another_person_decides(scanned_copy: App) -> None:
    alert = alerted(scanned_copy)
    case_id = decided(scanned_copy, alert, Disposition.CONFIRMED)
    link, _ = make_link(scanned_copy, DEFAULT_PROGRAM, alert.subject_id, 14, SYSTEM)
    contested = answer_report(scanned_copy, link, "  A newsletter went out that day.  ")
    assert (contested.case.case_id, contested.case.state, contested.action) == (case_id, CaseState.APPEALED, CaseAction.APPEAL)
    last = scanned_copy.stores.cases.timeline(DEFAULT_PROGRAM, case_id)[-1]
    assert (last.actor_id, last.reason) == (f"affiliate:{alert.subject_id}", "A newsletter went out that day.")
    with pytest.raises(Conflict, match="somebody else"):
        take(case_tools(scanned_copy), DEFAULT_PROGRAM, alert.alert_id, ADA)


def test_a_word_before_anybody_looked_waits_in_the_case(scanned_copy: App) -> None:
    alert = alerted(scanned_copy)
    link, _ = make_link(scanned_copy, DEFAULT_PROGRAM, alert.subject_id, 14, SYSTEM)
    assert answer_report(scanned_copy, link, "We bought ads.").case.state is CaseState.QUEUED
    for _ in range(MOST_WORDS - 1):
        answer_report(scanned_copy, link, "And more.")
    with pytest.raises(Conflict, match="come back to you"):
        answer_report(scanned_copy, link, "Hello?")


@pytest.mark.parametrize("text", ["", "   ", "x" * 4_001])
def test_an_answer_says_something_and_ends(scanned_copy: App, text: str) -> None:
    link, _ = make_link(scanned_copy, DEFAULT_PROGRAM, alerted(scanned_copy).subject_id, 14, SYSTEM)
    with pytest.raises(InputError, match="in your own words"):
        answer_report(scanned_copy, link, text)


def test_who_is_all_right_has_nothing_to_answer(app: App) -> None:
    link, _ = make_link(app, DEFAULT_PROGRAM, "nobody", 14, SYSTEM)
    with pytest.raises(NotFound, match="nothing open about your traffic"):
        answer_report(app, link, "Hello")


def test_what_a_person_has_cleared_is_told_no_more(scanned_copy: App) -> None:
    alert = alerted(scanned_copy)
    assert notices_for(scanned_copy, DEFAULT_PROGRAM, alert.subject_id)
    decided(scanned_copy, alert, Disposition.DISMISSED)
    assert notices_for(scanned_copy, DEFAULT_PROGRAM, alert.subject_id) == ()


def test_every_typology_of_traffic_has_advice_in_plain_words() -> None:
    assert set(ADVICE) <= set(TYPOLOGIES)
    assert advice_for(()) == (GENERAL,)
    assert advice_for(("brand_bidding", "unheard_of")) == (ADVICE["brand_bidding"],)
