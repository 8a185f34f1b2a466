"""Several at once: applications decided and alerts snoozed together, each after its count was shown."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
import pytest

from fraud.domain.reviews import Disposition
from fraud.web import applying
from tests.reports import samples
from tests.web.conftest import NOW, Browser, Shop

MANY = {"scope": "matching", "outcome": "reject"}


@pytest.fixture
def queue(shop: Shop) -> Shop:
    """Five applicants more that wait."""
    names = [f"app_1{number}" for number in range(5)]
    given = [msgspec.structs.replace(samples.application(name), name=f"Shop {name}") for name in names]
    shop.applications.fill(given, [samples.dossier(application_id=name) for name in names])
    return shop


def decided(shop: Shop) -> set[str]:
    return {one.subject_id for one in shop.app.stores.reviews.recent("default", 100)}


def test_the_count_is_shown_before_anything_is_decided(reviewer: Browser, queue: Shop) -> None:
    preview = reviewer.act("/applications/decide?q=Shop", MANY)
    assert "Reject: 5 applications" in preview.text
    assert decided(queue) == set()


def test_every_decision_stands_in_its_own_record(reviewer: Browser, queue: Shop) -> None:
    for name in range(5):
        queue.decisions.add([msgspec.structs.replace(samples.decision(f"dec_{name}"), subject_id=f"app_1{name}")])
        queue.applications.add_dossier(
            msgspec.structs.replace(samples.dossier(application_id=f"app_1{name}"), decision_id=f"dec_{name}", as_of=NOW)
        )
    answer = reviewer.act("/applications/decide?q=Shop", {**MANY, "seen": "yes", "reason": "One owner, five copies of one site"})
    assert answer.headers["location"].endswith("done=decided_many&count=5")
    reviews = queue.app.stores.reviews.recent("default", 100)
    assert decided(queue) == {f"app_1{number}" for number in range(5)}
    assert {(one.disposition, one.reason) for one in reviews} == {(Disposition.CONFIRMED, "One owner, five copies of one site")}
    assert "None here" not in reviewer.page("/applications?state=decided").text


def test_without_a_reason_nothing_is_decided_and_the_list_stays(reviewer: Browser, queue: Shop) -> None:
    answer = reviewer.act("/applications/decide?q=Shop", {**MANY, "seen": "yes", "reason": " "})
    assert answer.status_code == 422
    assert "Reject: 5 applications" in answer.text
    assert decided(queue) == set()


def test_nothing_ticked_is_said(reviewer: Browser) -> None:
    assert "Choose at least one" in reviewer.act("/applications/decide", {"scope": "ticked", "outcome": "approve"}).text


def test_more_than_a_person_can_have_looked_at_is_refused(reviewer: Browser, queue: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "MOST_AT_ONCE", 3)
    answer = reviewer.act("/applications/decide?q=Shop", MANY)
    assert answer.status_code == 422
    assert "5 applications match; decide at most 3 at once" in answer.text


def test_applications_of_another_program_are_not_taken_along(reviewer: Browser, queue: Shop) -> None:
    assert "Choose at least one" in reviewer.act("/applications/decide", {"application": "app_other", "outcome": "approve"}).text


def test_alerts_snoozed_together_are_woken_together(reviewer: Browser, shop: Shop) -> None:
    first, second = (alert.alert_id for alert in shop.alerts.open_alerts("default")[:2])
    assert "1 alert for 7 days" in reviewer.act("/alerts/snooze", {"alert": first, "days": "7"}).text
    done = reviewer.act("/alerts/snooze", {"alert": first, "days": "7", "seen": "yes", "reason": "Invoices"}).headers["location"]
    assert done.endswith(urlencode({"undo": first}))
    assert first not in {one.alert_id for one in shop.alerts.open_page("default", NOW, 50)}
    assert "Undo: wake 1 alert" in reviewer.page(done).text
    assert "Invoices" not in reviewer.page("/kept-back").text
    assert "Wake" in reviewer.page("/kept-back").text
    reviewer.act("/alerts/wake", {"alert": first})
    assert {first, second} <= {one.alert_id for one in shop.alerts.open_page("default", NOW, 50)}


def test_snoozing_nothing_is_said(reviewer: Browser) -> None:
    assert "Tick at least one alert" in reviewer.act("/alerts/snooze", {"days": "7"}).text
