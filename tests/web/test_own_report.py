"""The page that an affiliate opens under its link: no session, no detector, nobody else; and its answer goes where it is read."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from fraud.app.affiliate_reports import make_link, revoke_link
from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.alerts import Alert
from fraud.domain.catalogue import TRAFFIC_CHECKS
from fraud.web.own_report import own_report_pages
from tests.app.conftest import Scanned, scanned, scanned_copy
from tests.app.test_affiliate_reports import alerted
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
