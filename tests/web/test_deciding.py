"""What people decide on the pages: cases, applications, snoozes and suppressions, by plain forms."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from fraud.domain.alerts import Alert
from fraud.domain.cases import CaseState
from fraud.domain.decisions import Outcome, SubjectKind
from fraud.domain.reviews import Disposition
from tests.web.conftest import NOW, Browser, Shop


@pytest.fixture
def alert(shop: Shop) -> Alert:
    return shop.alerts.open_alerts("default")[0]


def of(alert: Alert, step: str = "") -> str:
    return f"/alerts/{quote(alert.alert_id)}{step}"


def test_take_next_opens_the_alert_with_most_at_stake(reviewer: Browser, alert: Alert) -> None:
    response = reviewer.act("/next-case")
    assert (response.status_code, response.headers["location"]) == (303, f"{of(alert)}?program=default&done=taken")
    text = reviewer.page(of(alert)).text
    assert "In hand" in text
    assert "Rosa took the case" in text


@pytest.mark.parametrize(
    ("action", "disposition"),
    [("decide:confirmed", Disposition.CONFIRMED), ("decide:dismissed", Disposition.DISMISSED), ("decide:unclear", Disposition.UNCLEAR)],
)
def test_a_case_is_decided_with_a_reason(reviewer: Browser, shop: Shop, alert: Alert, action: str, disposition: Disposition) -> None:
    reviewer.act(of(alert, "/take"))
    response = reviewer.act(of(alert, "/step"), {"action": action, "reason": "Looked at the addresses"})
    assert response.headers["location"].endswith("done=decide")
    (review,) = shop.app.stores.reviews.recent("default", 10)
    assert (review.disposition, review.reason, review.reviewer_name) == (disposition, "Looked at the addresses", "Rosa")
    assert alert.alert_id not in {one.alert_id for one in shop.alerts.open_alerts("default")}
    assert "Looked at the addresses" in reviewer.page(of(alert)).text


def test_without_a_reason_nothing_is_decided_and_the_form_comes_back(reviewer: Browser, shop: Shop, alert: Alert) -> None:
    reviewer.act(of(alert, "/take"))
    response = reviewer.act(of(alert, "/step"), {"action": "decide:dismissed", "reason": "  "})
    assert response.status_code == 422
    assert "Say why, in a few words" in response.text
    assert shop.app.stores.reviews.recent("default", 10) == []


def test_two_people_never_hold_one_case(reviewer: Browser, colleague: Browser, alert: Alert) -> None:
    reviewer.act(of(alert, "/take"))
    response = colleague.act(of(alert, "/take"))
    assert response.status_code == 409
    assert "take another" in response.text
    assert "A colleague works on it" in colleague.page(of(alert)).text


def test_a_suspension_takes_a_second_person(reviewer: Browser, colleague: Browser, shop: Shop, alert: Alert) -> None:
    reviewer.act(of(alert, "/take"))
    reviewer.act(of(alert, "/step"), {"action": "propose_suspension", "reason": "Same payout account as four others"})
    assert "Confirm the suspension" not in reviewer.page(of(alert)).text
    assert reviewer.act(of(alert, "/step"), {"action": "confirm_suspension", "reason": "I say so myself"}).status_code == 409
    assert "Confirm the suspension" in colleague.page(of(alert)).text
    colleague.act(of(alert, "/step"), {"action": "confirm_suspension", "reason": "I see the same"})
    (case,) = shop.app.stores.cases.standing("default", [CaseState.DECIDED])
    assert case.suspended


def test_an_appeal_goes_to_somebody_else(reviewer: Browser, colleague: Browser, alert: Alert) -> None:
    reviewer.act(of(alert, "/take"))
    reviewer.act(of(alert, "/step"), {"action": "decide:confirmed", "reason": "Too many at once"})
    reviewer.act(of(alert, "/step"), {"action": "appeal", "reason": "They sent their newsletter’s figures"})
    assert "Take this case" not in reviewer.page(of(alert)).text
    assert "Take this case" in colleague.page(of(alert)).text
    assert colleague.act("/next-case").headers["location"].startswith(of(alert))


def test_a_snooze_hides_and_can_be_undone(reviewer: Browser, shop: Shop, alert: Alert) -> None:
    reviewer.act(of(alert, "/snooze"), {"days": "7", "reason": "Waiting for the invoice"})
    assert alert.alert_id not in {one.alert_id for one in shop.alerts.open_page("default", NOW, 50)}
    assert "Snoozed until" in reviewer.page(of(alert)).text
    reviewer.act(of(alert, "/wake"))
    assert alert.alert_id in {one.alert_id for one in shop.alerts.open_page("default", NOW, 50)}


@pytest.mark.parametrize("days", ["", "0", "-1", "nan", "367", "many"])
def test_a_snooze_needs_a_number_of_days(reviewer: Browser, alert: Alert, days: str) -> None:
    response = reviewer.act(of(alert, "/snooze"), {"days": days, "reason": "Later"})
    assert response.status_code == 422
    assert "is no number of days" in response.text


def test_a_suppression_shows_its_scope_before_it_is_made_and_can_be_lifted(reviewer: Browser, shop: Shop, alert: Alert) -> None:
    form = {"scope": "subject", "days": "30", "reason": "Our own test account"}
    preview = reviewer.act(of(alert, "/suppress"), form)
    assert "1 standing alert would be kept from the queue" in preview.text
    assert shop.app.stores.suppressions.active("default", NOW) == []
    reviewer.act(of(alert, "/suppress"), form | {"seen": "yes"})
    (made,) = shop.app.stores.suppressions.active("default", NOW)
    assert made.subject_id == alert.subject_id
    assert "Our own test account" in reviewer.page("/kept-back").text
    reviewer.act(f"/suppressions/{made.suppression_id}/lift", {"reason": "Done testing"})
    assert shop.app.stores.suppressions.active("default", NOW) == []


@pytest.mark.parametrize("outcome", [Outcome.APPROVE, Outcome.REQUEST_INFO, Outcome.REJECT])
def test_an_application_is_decided_with_a_reason(reviewer: Browser, shop: Shop, outcome: Outcome) -> None:
    assert "Mira Lindqvist" in reviewer.page("/applications").text
    response = reviewer.act("/applications/app_0001/decision", {"outcome": outcome.value, "reason": "Spoke on the phone"})
    assert response.headers["location"] == "/applications/app_0001?program=default&done=decided"
    assert "Spoke on the phone" in reviewer.page("/applications/app_0001").text
    assert "Mira Lindqvist" not in reviewer.page("/applications").text
    (review,) = shop.app.stores.reviews.of_subject("default", SubjectKind.APPLICATION, "app_0001")
    assert review.reason == "Spoke on the phone"


@pytest.mark.parametrize("form", [{"outcome": "reject", "reason": ""}, {"outcome": "hang", "reason": "x"}, {}])
def test_an_application_is_not_decided_without_outcome_and_reason(reviewer: Browser, shop: Shop, form: dict[str, str]) -> None:
    response = reviewer.act("/applications/app_0001/decision", form)
    assert response.status_code == 422
    assert "Not done." in response.text
    assert shop.app.stores.reviews.recent("default", 10) == []


def test_the_next_application_is_the_riskiest_that_waits(reviewer: Browser) -> None:
    assert reviewer.get("/next-application").headers["location"] == "/applications/app_0001?program=default"
    reviewer.act("/applications/app_0001/decision", {"outcome": "reject", "reason": "Parked"})
    assert reviewer.get("/next-application").headers["location"] == "/applications?program=default&done=none_waiting"


ACTIONS = (
    "/alerts/snooze",
    "/alerts/wake",
    "/applications/decide",
    "/policy/proposals/x/again",
    "/policy/shadow/end",
    "/settings/keys",
    "/settings/keys/x/revoke",
    "/next-case",
    "/alerts/x/take",
    "/alerts/x/step",
    "/alerts/x/snooze",
    "/alerts/x/wake",
    "/alerts/x/suppress",
    "/suppressions/x/lift",
    "/applications/app_0001/decision",
    "/policy/proposals",
    "/policy/proposals/x/publish",
    "/settings/sinks/x/revive",
    "/start/scan",
    "/start/vet",
)


@pytest.mark.parametrize("path", ACTIONS)
def test_a_form_without_the_sessions_token_or_from_elsewhere_does_nothing(reviewer: Browser, colleague: Browser, path: str) -> None:
    stolen = next(one["value"] for one in colleague.page("/start").all("input") if one.get("name") == "token")
    assert reviewer.post(path, {"token": ""}).status_code == 403
    assert reviewer.post(path, {"token": stolen}).status_code == 403
    own = next(one["value"] for one in reviewer.page("/start").all("input") if one.get("name") == "token")
    assert reviewer.post(path, {"token": own}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("path", ACTIONS)
def test_forms_of_other_programs_are_refused(reviewer: Browser, path: str) -> None:
    assert reviewer.act(f"{path}?program=other").status_code == 403


def test_an_alert_of_another_program_is_not_found(reviewer: Browser, shop: Shop) -> None:
    (other,) = shop.alerts.open_alerts("other")
    assert reviewer.get(of(other)).status_code == 404
    assert reviewer.act(of(other, "/take")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/policy/proposals/x/publish", "/policy/shadow/end", "/settings/sinks/x/revive", "/settings/keys/x/revoke"]
)
def test_what_administrators_do_is_refused_to_reviewers(reviewer: Browser, path: str) -> None:
    response = reviewer.act(path, {"reason": "I would like to"})
    assert response.status_code == 403
    assert "role admin" in response.text
