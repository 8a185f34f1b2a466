"""An affiliate's report as its manager sees it: the figures, and links that are made, shown and revoked."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from fraud.app.affiliate_reports import open_link
from fraud.app.targets import Wanted, set_target
from fraud.domain.actors import SYSTEM
from fraud.domain.targets import Metric
from fraud.errors import NotFound
from tests.app.test_mailing import TO, read, with_mail
from tests.sinks.receivers import mail_server
from tests.web.conftest import NOW, Browser, Shop

SUBJECT = "nordic-deals"


def token_on(text: str) -> str:
    found = re.search(r"/report/([\w.-]+)", text)
    assert found
    return found[1]


def test_figures_and_targets_stand_on_the_affiliates_page(reviewer: Browser, shop: Shop) -> None:
    wanted = Wanted(SUBJECT, Metric.CONVERSIONS, Decimal(500), NOW - timedelta(days=5), NOW + timedelta(days=20), "A bonus of 100 EUR")
    set_target(shop.app, "default", wanted, (SYSTEM, "Agreed in March"))
    text = reviewer.settled(f"/affiliates/{SUBJECT}").text
    for said in ("Figures and targets", "Earnings per click", "at least 500", "A bonus of 100 EUR", "The shape of its traffic"):
        assert said in text


def test_a_link_is_made_shown_and_opens_the_report(reviewer: Browser, shop: Shop) -> None:
    done = reviewer.act("/report-links", {"affiliate": SUBJECT, "days": "14"})
    text = reviewer.settled(done.headers["location"]).text
    assert "The link is made" in text
    link = open_link(shop.app, token_on(text))
    assert (link.affiliate_id, link.expires_at, link.created_by) == (SUBJECT, NOW + timedelta(days=14), "Rosa")


def test_a_revoked_link_leads_nowhere_and_took_a_reason(reviewer: Browser, shop: Shop) -> None:
    reviewer.act("/report-links", {"affiliate": SUBJECT, "days": "14"})
    token = token_on(reviewer.settled(f"/reports/{SUBJECT}").text)
    link = open_link(shop.app, token)
    assert reviewer.act(f"/report-links/{link.link_id}/revoke", {"reason": " "}).status_code == 422
    assert open_link(shop.app, token) == link
    reviewer.act(f"/report-links/{link.link_id}/revoke", {"reason": "Sent to the wrong person"})
    with pytest.raises(NotFound):
        open_link(shop.app, token)
    text = reviewer.settled(f"/reports/{SUBJECT}").text
    assert token not in text
    assert "revoked by Rosa" in text


@pytest.mark.parametrize(
    "form", [{"affiliate": SUBJECT, "days": "0"}, {"affiliate": SUBJECT, "days": "365"}, {"affiliate": " ", "days": "5"}]
)
def test_a_link_that_nobody_should_have_is_refused(reviewer: Browser, shop: Shop, form: dict[str, str]) -> None:
    assert reviewer.act("/report-links", form).status_code == 422
    assert shop.app.stores.report_links.all("default") == []


def test_looking_is_no_reading_by_the_affiliate(reviewer: Browser, shop: Shop) -> None:
    reviewer.settled(f"/reports/{SUBJECT}")
    actions = [one["action"] for one in shop.app.stores.audit.entries("default", 20)]
    assert "report.read" not in actions
    assert "seen.affiliate" in actions


def test_links_of_another_program_are_not_revoked_here(reviewer: Browser, admin: Browser, shop: Shop) -> None:
    admin.act("/report-links?program=other", {"affiliate": SUBJECT, "days": "5"})
    (theirs,) = shop.app.stores.report_links.all("other")
    assert reviewer.act(f"/report-links/{theirs.link_id}/revoke", {"reason": "Mine"}).status_code == 404
    assert theirs.link_id not in reviewer.page(f"/reports/{SUBJECT}").text


def test_the_letter_is_previewed_and_then_sent(reviewer: Browser, shop: Shop) -> None:
    form = {"affiliate": SUBJECT, "to": TO, "days": "14", "reason": "It asked for its figures"}
    with mail_server() as mails:
        with_mail(shop.app, mails.port)
        shown = reviewer.act("/report-links/mail", form)
        assert (shown.status_code, mails.messages) == (200, [])
        for said in ("The letter as it will read", TO, "us@program.example", "It asked for its figures", "18 Mar 2026"):
            assert said in shown.text
        done = reviewer.act("/report-links/mail", {**form, "seen": "yes"})
    assert "Sent. The link" in reviewer.settled(done.headers["location"]).text
    assert open_link(shop.app, token_on(read(mails))).affiliate_id == SUBJECT


@pytest.mark.parametrize(
    ("change", "said"),
    [({"reason": " "}, "Say why"), ({"to": "nobody"}, "no e-mail address"), ({"days": "365"}, "no number of days"), ({}, "No mail sink")],
)
def test_a_letter_that_cannot_go_says_why_and_keeps_what_was_written(
    reviewer: Browser, shop: Shop, change: dict[str, str], said: str
) -> None:
    if change:
        with_mail(shop.app, 9)
    refused = reviewer.act("/report-links/mail", {"affiliate": SUBJECT, "to": TO, "days": "14", "reason": "Asked", **change})
    assert refused.status_code == 422
    assert said in refused.text
    assert shop.app.stores.report_links.all("default") == []


def test_the_address_that_an_applicant_gave_is_offered(reviewer: Browser, shop: Shop) -> None:
    with_mail(shop.app, 9)
    assert 'value="mira@balkongliv.example"' in reviewer.settled("/reports/app_0001").text
