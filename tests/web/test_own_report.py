"""The page that an affiliate opens under its link: no session, no detector, nobody else; and its answer goes where it is read."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from fraud.app.affiliate_reports import make_link, revoke_link
from fraud.app.cases import case_tools
from fraud.app.parts import App
from fraud.cases.casework import Step
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.alerts import Alert
from fraud.domain.cases import CaseAction
from fraud.domain.catalogue import TRAFFIC_CHECKS
from fraud.domain.reviews import Disposition
from fraud.web.own_report import own_report_pages
from fraud.workflows.casework import act, take
from tests.app.conftest import Scanned, scanned, scanned_copy
from tests.app.test_affiliate_reports import ADA, alerted, decided
from tests.conftest import MORNING
from tests.web.conftest import Browser

__all__ = ["Scanned", "scanned", "scanned_copy"]


@pytest.fixture
def client(scanned_copy: App) -> Browser:
    api = FastAPI()
    api.include_router(own_report_pages(scanned_copy))
    return Browser(api)


@pytest.fixture
def alert(scanned_copy: App) -> Alert:
    return alerted(scanned_copy)


@pytest.fixture
def token(scanned_copy: App, alert: Alert) -> str:
    return make_link(scanned_copy, DEFAULT_PROGRAM, alert.subject_id, 14, SYSTEM)[1]


def test_it_shows_the_affiliate_its_figures_and_what_to_change(client: Browser, token: str, alert: Alert) -> None:
    page = client.settled(f"/report/{token}")
    assert page.status_code == 200
    assert alert.subject_id in page.text
    assert "What you can do" in page.text
    assert "within 30 days" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.text


def test_it_names_no_detector_and_nobody_else(client: Browser, token: str, alert: Alert, scanned_copy: App) -> None:
    text = client.settled(f"/report/{token}").text
    assert not any(spec.check_id in text or spec.reason_code in text or spec.looks_for in text for spec in TRAFFIC_CHECKS)
    assert not any(reason.text in text for reason in alert.reasons)
    scan = scanned_copy.stores.scans.latest(DEFAULT_PROGRAM)
    assert scan is not None
    assert not any(f">{one.affiliate_id}<" in text for one in scan.affiliates if one.affiliate_id != alert.subject_id)
    assert alert.decision_id not in text
    assert "score" not in text.lower()


def test_figures_come_as_a_table_too(client: Browser, token: str) -> None:
    table = client.get(f"/report/{token}.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.splitlines()[0] == "figure,this_period,the_one_before,meaning"


def test_an_answer_is_taken_and_thanked_for(client: Browser, token: str) -> None:
    sent = client.post(f"/report/{token}/answer", {"text": "A newsletter <b>went</b> out."})
    assert sent.status_code == 303
    assert "Thank you" in client.settled(sent.headers["location"]).text


def test_an_empty_answer_says_what_is_missing(client: Browser, token: str) -> None:
    refused = client.post(f"/report/{token}/answer", {"text": " "})
    assert refused.status_code == 422
    assert "Not sent" in refused.text


def test_another_site_cannot_answer(client: Browser, token: str) -> None:
    assert client.post(f"/report/{token}/answer", {"text": "x"}, {"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_link_that_ended_says_so_and_leads_nowhere(client: Browser, token: str, scanned_copy: App) -> None:
    (link,) = scanned_copy.stores.report_links.all(DEFAULT_PROGRAM)
    revoke_link(scanned_copy, DEFAULT_PROGRAM, link.link_id, (SYSTEM, "Wrong mailbox."))
    for path in (f"/report/{token}", f"/report/{token}.csv", "/report/nothing", "/report/..%2Fx"):
        page = client.get(path)
        assert page.status_code == 404
        assert link.affiliate_id not in page.text
    assert client.post(f"/report/{token}/answer", {"text": "x"}).status_code == 404


def test_it_says_what_happens_meanwhile_and_how_it_goes_on(client: Browser, token: str) -> None:
    text = client.settled(f"/report/{token}").text
    for said in (
        "This is no verdict",
        "What happens meanwhile",
        "Nothing is decided yet",
        "How this goes on",
        "somebody else than who made it",
    ):
        assert said in text


def test_what_it_said_stands_on_the_page_and_nobody_else_s_words(client: Browser, token: str, alert: Alert, scanned_copy: App) -> None:
    case = take(case_tools(scanned_copy), DEFAULT_PROGRAM, alert.alert_id, ADA)
    note = Step(action=CaseAction.NOTE, actor_id="ada", actor_name="Ada", at=MORNING, reason="Looks like a competitor to me.")
    act(case_tools(scanned_copy), DEFAULT_PROGRAM, case.case_id, note)
    client.post(f"/report/{token}/answer", {"text": "A newsletter <b>went</b> out."})
    text = client.settled(f"/report/{token}").text
    assert "A newsletter &lt;b&gt;went&lt;/b&gt; out." in text
    assert "Somebody is looking at it now" in text
    assert "competitor" not in text
    assert "Ada" not in text


def test_a_question_is_put_to_it_and_says_until_when(client: Browser, token: str, alert: Alert, scanned_copy: App) -> None:
    case = take(case_tools(scanned_copy), DEFAULT_PROGRAM, alert.alert_id, ADA)
    question = Step(action=CaseAction.ASK, actor_id="ada", actor_name="Ada", at=MORNING, reason="Which newsletter was it?")
    act(case_tools(scanned_copy), DEFAULT_PROGRAM, case.case_id, question)
    text = client.settled(f"/report/{token}").text
    assert "Which newsletter was it?" in text
    assert "Please answer by" in text


@pytest.mark.parametrize(
    ("disposition", "said"), [(Disposition.CONFIRMED, "against the program’s terms"), (Disposition.DISMISSED, "in order")]
)
def test_a_decision_says_what_was_found_and_may_be_contested(
    client: Browser, token: str, alert: Alert, scanned_copy: App, disposition: Disposition, said: str
) -> None:
    decided(scanned_copy, alert, disposition)
    text = client.settled(f"/report/{token}").text
    assert said in text
    assert "You may contest this until" in text
    assert "Contest the decision" in text
    client.post(f"/report/{token}/answer", {"text": "It was our newsletter."})
    assert "Somebody else than before looks at it" in client.settled(f"/report/{token}").text


def test_where_nothing_is_open_there_is_nothing_to_answer(client: Browser, scanned_copy: App) -> None:
    quiet = make_link(scanned_copy, DEFAULT_PROGRAM, "somebody-new", 14, SYSTEM)[1]
    text = client.settled(f"/report/{quiet}").text
    assert "Nothing is open about your traffic" in text
    assert "<textarea" not in text
