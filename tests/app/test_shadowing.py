"""A pack in shadow speaks on every decision, is recorded beside what counted, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from fraud.app.keeping import open_writer
from fraud.app.parts import App
from fraud.app.policies import diff_policy, publish_policy, retire_policy
from fraud.app.scoring import Scorers
from fraud.app.shadowing import shadow, shadow_report
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome
from fraud.domain.events import Click, Conversion
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.errors import InputError
from tests.app.products import scan_newest
from tests.app.test_policies import STRICT, WHY
from tests.conftest import MORNING
from tests.policy.test_kinds import OVERLAY


@pytest.fixture
def strict(tmp_path: Path) -> str:
    """A pack whose one rule sends every affiliate with a click to review; its path."""
    file = tmp_path / "strict.yaml"
    file.write_bytes(OVERLAY.replace(b"coupon", b"default") + b"rules:\n- " + msgspec.json.encode(STRICT))
    return str(file)


def scans(app: App) -> list[Decision]:
    return list(app.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, app.clock.now().replace(year=2000)))


def test_it_speaks_on_a_whole_scan_and_acts_on_nothing(scanned_copy: App, strict: str) -> None:
    before = len(scans(scanned_copy))
    publish_policy(scanned_copy, DEFAULT_PROGRAM, strict, PolicyState.SHADOW, WHY)
    run = scan_newest(scanned_copy)
    made = scans(scanned_copy)[before:]
    report = shadow_report(scanned_copy, DEFAULT_PROGRAM)
    assert report is not None
    assert report.diff.decisions == len(made)
    assert report.diff.changed == sum(one.verdict.outcome.value in {"pass", "watch"} for one in made) > 0
    assert report.diff.rules["busy.review"] == len(made)
    assert {one.policy.id for one in made} == {"default@1"}
    assert run.result.policy.id == "default@1"
    assert not any("busy.review" in one.verdict.rules for one in made)


def test_it_says_what_a_comparison_says_afterwards(scanned_copy: App, strict: str) -> None:
    publish_policy(scanned_copy, DEFAULT_PROGRAM, strict, PolicyState.SHADOW, WHY)
    shadow(scanned_copy, DEFAULT_PROGRAM, scans(scanned_copy))
    report, diff = shadow_report(scanned_copy, DEFAULT_PROGRAM), diff_policy(scanned_copy, DEFAULT_PROGRAM, strict, 36_500, lambda _: None)
    assert report is not None
    assert (report.diff.moves, report.diff.rules, report.diff.changed) == (diff.moves, diff.rules, diff.changed)


def test_a_word_on_the_same_decision_is_kept_once(scanned_copy: App, strict: str) -> None:
    publish_policy(scanned_copy, DEFAULT_PROGRAM, strict, PolicyState.SHADOW, WHY)
    for _ in range(2):
        shadow(scanned_copy, DEFAULT_PROGRAM, scans(scanned_copy)[:7])
    report = shadow_report(scanned_copy, DEFAULT_PROGRAM)
    assert report is not None
    assert report.diff.decisions == 7


def test_nothing_in_shadow_says_nothing(scanned_copy: App, strict: str) -> None:
    assert shadow(scanned_copy, DEFAULT_PROGRAM, scans(scanned_copy)) == 0
    assert shadow_report(scanned_copy, DEFAULT_PROGRAM) is None
    with pytest.raises(InputError, match="in shadow"):
        retire_policy(scanned_copy, DEFAULT_PROGRAM, PolicyState.SHADOW, WHY)
    publish_policy(scanned_copy, DEFAULT_PROGRAM, strict, PolicyState.SHADOW, WHY)
    retire_policy(scanned_copy, DEFAULT_PROGRAM, PolicyState.SHADOW, WHY)
    assert shadow_report(scanned_copy, DEFAULT_PROGRAM) is None
    assert scanned_copy.stores.audit.entries(DEFAULT_PROGRAM, 1)[0]["action"] == "policy.retired"


def test_a_shadow_that_is_lost_does_not_touch_what_counts(scanned_copy: App) -> None:
    lost = PublishedPolicy(
        program_id=DEFAULT_PROGRAM,
        policy=Artefact(id="gone@1", hash="0" * 64),
        state=PolicyState.SHADOW,
        published_at=scanned_copy.clock.now(),
        published_by=SYSTEM.name,
        reason="It was there once.",
    )
    scanned_copy.stores.policies.publish(lost)
    assert shadow(scanned_copy, DEFAULT_PROGRAM, scans(scanned_copy)) == 0


def test_it_speaks_on_clicks_and_conversions_once_they_are_kept(app: App, tmp_path: Path) -> None:
    events = tmp_path / "events.yaml"
    examples = {"fires": [{"affiliate_id": "watched"}], "quiet": [{"affiliate_id": "other"}]}
    rule = {**STRICT, "id": "watched.review", "job": "click", "when": 'affiliate_id == "watched"', "examples": examples}
    events.write_bytes(OVERLAY.replace(b"coupon", b"default") + b"rules:\n- " + msgspec.json.encode(rule))
    writer = open_writer(app)
    scorers = Scorers(app, writer.record, writer.record_clicks)
    clicks = [Click(click_id=f"c{number}", clicked_at=MORNING, affiliate_id=name) for number, name in enumerate(["watched", "other"])]
    publish_policy(app, DEFAULT_PROGRAM, str(events), PolicyState.SHADOW, WHY)
    answers = scorers.of(DEFAULT_PROGRAM).answer_many(clicks, ["r1", "r2"])
    scorers.conversions_of(DEFAULT_PROGRAM).score(Conversion(conversion_id="v", converted_at=MORNING, affiliate_id="other", click_id="c1"))
    writer.close()
    scorers.close()
    report = shadow_report(app, DEFAULT_PROGRAM)
    assert report is not None
    assert [answer.decision for answer in answers] == [Outcome.ALLOW, Outcome.ALLOW], "the live pack alone answers"
    assert (report.diff.decisions, report.diff.changed, report.diff.rules["watched.review"]) == (3, 1, 1)
