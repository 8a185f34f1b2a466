"""The main tasks from the first page to the end, as people do them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Literal

import pytest

from fraud.app.affiliate_reports import make_link
from fraud.domain.actors import SYSTEM
from fraud.domain.cases import CaseState
from fraud.domain.decisions import SubjectKind
from fraud.domain.policies import PolicyState
from fraud.domain.reviews import Disposition
from tests.browser.conftest import Desk, sit_down
from tests.web.conftest import ADMIN_KEY, NOW, SECOND_KEY, Shop

MOST_STEPS = 4
"""Clicks or keys from *Today* to the end of a main task."""
REASON = "Looked at it with the account manager"


@pytest.fixture(params=["with scripts", "without scripts"])
def either(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The same reviewer with and without JavaScript: both decide."""
    if request.param == "with scripts":
        yield request.getfixturevalue("desk")
        return
    chromium, base = request.getfixturevalue("chromium"), request.getfixturevalue("base")
    seated = sit_down(chromium, base, java_script_enabled=False).sign_in("review-key-of-the-default-program")
    yield seated
    seated.page.context.close()
    assert not seated.faults


@pytest.mark.parametrize(("button", "disposition"), [("Confirm the risk", Disposition.CONFIRMED), ("Dismiss", Disposition.DISMISSED)])
def test_an_alert_is_resolved_in_two_clicks(either: Desk, shop: Shop, button: str, disposition: Disposition) -> None:
    either.page.get_by_role("button", name="Take the next case").click()
    either.page.get_by_label("Reason", exact=True).first.fill(REASON)
    either.page.get_by_role("button", name=button, exact=True).click()
    either.page.get_by_text("Decided. It stands in the record").wait_for()
    (review,) = shop.app.stores.reviews.recent("default", 10)
    assert (review.disposition, review.reason) == (disposition, REASON)


@pytest.mark.parametrize(("button", "disposition"), [("Approve", Disposition.DISMISSED), ("Reject", Disposition.CONFIRMED)])
def test_an_application_is_decided_in_two_clicks(either: Desk, shop: Shop, button: str, disposition: Disposition) -> None:
    either.page.get_by_role("link", name="Open the next application").click()
    either.page.get_by_label("Reason", exact=True).fill(REASON)
    either.page.get_by_role("button", name=button, exact=True).click()
    either.page.get_by_text("Your decision stands in the record").wait_for()
    (review,) = shop.app.stores.reviews.of_subject("default", SubjectKind.APPLICATION, "app_0001")
    assert (review.disposition, review.reason) == (disposition, REASON)


def test_an_alert_is_snoozed_in_three_clicks(either: Desk, shop: Shop) -> None:
    either.page.get_by_role("link", name="Affiliate nordic-deals").first.click()
    either.page.get_by_text("Not now: snooze").click()
    form = either.page.locator("details[open]")
    form.get_by_label("Reason").fill("Waiting for the invoice")
    form.get_by_role("button", name="Snooze").click()
    either.page.get_by_text("Snoozed. It comes back earlier").wait_for()
    assert any(alert.snoozed_until for alert in shop.alerts.standing("default"))


def test_a_decision_is_contested_and_lands_with_somebody_else(desk: Desk, shop: Shop) -> None:
    page = desk.page
    page.get_by_role("button", name="Take the next case").click()
    page.get_by_label("Reason", exact=True).first.fill(REASON)
    page.get_by_role("button", name="Confirm the risk").click()
    page.get_by_label("Reason", exact=True).first.fill("They sent their newsletter’s figures")
    page.get_by_role("button", name="The affiliate contests it").click()
    page.get_by_text("Somebody else than who decided takes it").wait_for()
    second = sit_down(page.context.browser, desk.base).sign_in(SECOND_KEY)  # type: ignore[arg-type]  # it was launched
    second.page.get_by_role("button", name="Take the next case").click()
    second.page.get_by_text("took down that the affiliate contests it").wait_for()
    assert [case.assignee for case in shop.app.stores.cases.standing("default", [CaseState.TAKEN])] == ["key:Sven"]
    assert not second.faults
    second.page.context.close()


def test_a_policy_is_published_after_its_changes_were_shown(desk: Desk, shop: Shop, tmp_path: Path) -> None:
    shipped = resources.files("fraud.policy").joinpath("packs", "default.yaml").read_text(encoding="utf-8")
    own = tmp_path / "ours.yaml"
    own.write_text(shipped.replace("id: default", "id: ours", 1).replace("    weight: 2.2", "    weight: 2.4", 1))
    admin = sit_down(desk.page.context.browser, desk.base).sign_in(ADMIN_KEY)  # type: ignore[arg-type]  # it was launched
    admin.page.get_by_role("link", name="Policy", exact=True).click()
    admin.page.get_by_label("Policy pack (YAML)").set_input_files(own)
    admin.page.get_by_role("button", name="Show what it changes").click()
    admin.page.get_by_text("1 value differs").wait_for()
    admin.page.get_by_label("Reason").fill("Parked pages weigh more with us")
    admin.page.get_by_role("button", name="Publish").click()
    admin.page.get_by_text("Published. Decisions are made under it").wait_for()
    live = shop.app.stores.policies.current("default", PolicyState.LIVE)
    assert live is not None
    assert (live.policy.id, live.reason) == ("ours@1", "Parked pages weigh more with us")
    assert not admin.faults
    admin.page.context.close()


def test_a_newcomers_file_of_clicks_becomes_a_report(desk: Desk, tmp_path: Path) -> None:
    clicks = tmp_path / "clicks.csv"
    with clicks.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["click_id", "clicked_at", "affiliate_id", "ip", "user_agent"])
        for number in range(600):
            at = NOW - timedelta(minutes=7 * number)
            writer.writerow(
                [f"c{number}", at.isoformat(), f"aff-{number % 12}", f"73.0.{number % 9}.{number % 200}", "Mozilla/5.0 Chrome/124.0"]
            )
    desk.page.get_by_role("link", name="Try your own data").click()
    desk.page.get_by_label("Clicks (CSV").set_input_files(clicks)
    desk.page.get_by_role("button", name="Scan", exact=True).click()
    ended = desk.page.get_by_text("12 active affiliates").or_(desk.page.get_by_text("It could not be scanned")).first
    ended.wait_for(timeout=110_000)
    assert "12 active affiliates" in (desk.page.text_content("main") or "")


class Steps:
    """A person at the desk who counts clicks and keys; what is typed into a field is no step."""

    def __init__(self, desk: Desk) -> None:
        self.page, self.taken = desk.page, 0
        self.page.goto(f"{desk.base}/")

    def click(self, role: Literal["button", "link"], name: str) -> None:
        self.taken += 1
        self.page.get_by_role(role, name=name, exact=True).first.click()

    def open(self, text: str) -> None:
        self.taken += 1
        self.page.get_by_text(text).first.click()

    def key(self, name: str) -> None:
        self.taken += 1
        self.page.keyboard.press(name)

    def write(self, text: str) -> None:
        self.page.get_by_label("Reason", exact=True).locator("visible=true").first.fill(text)

    def done(self, said: str) -> None:
        self.page.get_by_text(said).first.wait_for()
        assert self.taken <= MOST_STEPS, f"{self.taken} clicks or keys"


def vet(steps: Steps) -> None:
    steps.click("link", "Try your own data")
    steps.page.get_by_label("Address of an applicant").fill("some-blog.example")
    steps.click("button", "Check it")
    steps.done("Still being checked")


def approve(steps: Steps) -> None:
    steps.click("link", "Open the next application")
    steps.write(REASON)
    steps.click("button", "Approve")
    steps.done("Your decision stands in the record")


def reject(steps: Steps) -> None:
    steps.click("link", "Open the next application")
    steps.write(REASON)
    steps.click("button", "Reject")
    steps.done("Your decision stands in the record")


def resolve_by_keys(steps: Steps) -> None:
    steps.key("n")
    steps.page.wait_for_url("**/alerts/*")
    steps.write(REASON)
    steps.page.get_by_label("Reason", exact=True).first.blur()
    steps.key("d")
    steps.done("Decided. It stands in the record")


def snooze(steps: Steps) -> None:
    steps.click("link", "Affiliate nordic-deals")
    steps.open("Not now: snooze")
    steps.write(REASON)
    steps.click("button", "Snooze")
    steps.done("Snoozed. It comes back earlier")


def contest(steps: Steps) -> None:
    resolve_by_keys(steps)
    steps.page.goto(steps.page.url.partition("/alerts")[0])
    steps.taken = 0
    steps.page.locator("section", has_text="Decided lately").get_by_role("listitem").get_by_role("link").first.click()
    steps.taken += 1
    steps.write("They sent their newsletter’s figures")
    steps.click("button", "The affiliate contests it")
    steps.done("Somebody else than who decided takes it")


@pytest.mark.parametrize("task", [vet, approve, reject, resolve_by_keys, snooze, contest], ids=lambda one: one.__name__)
def test_each_main_task_takes_at_most_four_clicks_or_keys_from_today(desk: Desk, task: Callable[[Steps], None]) -> None:
    task(Steps(desk))


def test_publishing_a_policy_takes_at_most_four(desk: Desk, tmp_path: Path) -> None:
    shipped = resources.files("fraud.policy").joinpath("packs", "default.yaml").read_text(encoding="utf-8")
    own = tmp_path / "ours.yaml"
    own.write_text(shipped.replace("id: default", "id: ours", 1))
    admin = sit_down(desk.page.context.browser, desk.base).sign_in(ADMIN_KEY)  # type: ignore[arg-type]  # it was launched
    steps = Steps(admin)
    steps.click("link", "Policy")
    steps.page.get_by_label("Policy pack (YAML)").set_input_files(own)
    steps.taken += 1
    steps.click("button", "Show what it changes")
    steps.write("Ours from now on")
    steps.click("button", "Publish")
    steps.done("Published. Decisions are made under it")
    admin.page.context.close()


def test_several_alerts_are_snoozed_at_once_and_the_snooze_is_undone(either: Desk, shop: Shop) -> None:
    either.page.get_by_role("link", name="Alerts", exact=True).click()
    for box in either.page.get_by_role("checkbox").all():
        box.check()
    either.page.get_by_text("Snooze several at once").click()
    either.page.get_by_role("button", name="Show what it covers").click()
    either.page.get_by_role("heading", name="2 alerts for 7 days").wait_for()
    either.page.get_by_label("Reason", exact=True).fill("Waiting for the invoices")
    either.page.get_by_role("button", name="Snooze 2 alerts").click()
    either.page.get_by_role("button", name="Undo: wake 2 alerts").click()
    either.page.get_by_text("Those alerts are back in the queue").wait_for()
    assert not any(alert.snoozed_until for alert in shop.alerts.standing("default"))


def test_shortcuts_lead_through_a_case(desk: Desk) -> None:
    page = desk.page
    page.keyboard.press("?")
    page.get_by_role("heading", name="Shortcuts").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/affiliates?*")
    page.keyboard.press("/")
    page.keyboard.type("nordic")
    page.keyboard.press("Enter")
    page.get_by_text("1 to 1 of 1").wait_for()
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url(f"{desk.base}/?*")
    page.keyboard.press("n")
    page.wait_for_url("**/alerts/*")
    page.keyboard.press("w")
    page.keyboard.type("A family of six")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.get_by_text("Decided. It stands in the record").wait_for()


def test_a_slip_is_undone_by_a_key(desk: Desk, shop: Shop) -> None:
    page = desk.page
    page.keyboard.press("n")
    page.get_by_text("The case is yours").wait_for()
    page.keyboard.press("z")
    page.get_by_text("The case is back in the queue").wait_for()
    page.keyboard.press("n")
    page.get_by_text("The case is yours").wait_for()
    page.get_by_label("Reason", exact=True).first.fill(REASON)
    page.get_by_role("button", name="Dismiss", exact=True).click()
    page.get_by_text("Decided. It stands in the record").wait_for()
    page.get_by_label("Reason", exact=True).first.fill("I meant the one below")
    page.get_by_role("button", name="Take my decision back").click()
    page.get_by_text("The case is in your hands again").wait_for()
    (case,) = shop.app.stores.cases.all("default")
    assert case.state is CaseState.TAKEN


def test_a_link_to_a_report_is_copied_with_one_click(desk: Desk, shop: Shop) -> None:
    _, token = make_link(shop.app, "default", "nordic-deals", 30, SYSTEM)
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.go("/reports/nordic-deals")
    desk.page.get_by_role("button", name="Copy the link").click()
    desk.page.get_by_role("button", name="Copied").wait_for()
    assert token in desk.page.evaluate("navigator.clipboard.readText()")


def test_times_are_in_the_readers_zone(desk: Desk) -> None:
    time = desk.page.locator("time").first
    assert "UTC" not in (time.text_content() or "UTC")
    assert "UTC" in (time.get_attribute("title") or "")
