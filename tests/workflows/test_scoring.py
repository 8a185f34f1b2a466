"""Scoring clicks end to end in memory: outcomes, repeats, degradation, replay, and the writer behind it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from fraud.checks.clicks.facts import ModelView
from fraud.checks.standing import AffiliateStanding
from fraud.detection.clicks import ClickModel, fit_click_model
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome
from fraud.domain.events import Click
from fraud.domain.hashing import canonical_json
from fraud.domain.scans import ScanResult
from fraud.domain.shared import Shared
from fraud.errors import ModelError, ReplayError, StorageError
from fraud.features.realtime import CLICK_FEATURE_NAMES
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack
from fraud.storage.counters import MemoryCounters
from fraud.workflows.offline import click_features_of, score_offline
from fraud.workflows.scoring import (
    ClickScorer,
    ScanRisks,
    ScoringTools,
    ServedModel,
    UnknownRisks,
    checks_of,
    click_verdict,
    facts_of,
    replay_click,
    shared_decision_ids,
)
from tests.storage.samples import scan

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0"
PACK = load_pack()


def click(number: int, seconds: float = 0.0, **columns: Any) -> Click:
    given = {"affiliate_id": "aff", "offer_id": "shoes", "ip": f"203.0.113.{number % 250}", "user_agent": BROWSER} | columns
    return Click(click_id=f"c{number}", clicked_at=TEN + timedelta(seconds=seconds), **given)


def usual_clicks(count: int, seed: int = 1) -> list[Click]:
    random = np.random.default_rng(seed)
    return [
        click(
            number,
            float(at),
            affiliate_id=f"aff{random.integers(8)}",
            ip=f"198.51.{random.integers(20)}.{random.integers(250)}",
            user_agent=f"Mozilla/5.0 Firefox/{random.integers(100, 135)}.0",
            country=str(random.choice(["DE", "AT"])),
        )
        for number, at in enumerate(np.sort(random.uniform(0, 86_400, count)))
    ]


@pytest.fixture(scope="module")
def served() -> ServedModel:
    return ServedModel(fit_click_model(click_features_of(usual_clicks(1_200), MemoryCounters())), Artefact(id="clicks-1", hash="ab" * 32))


class Ledger:
    """Keeps decisions in a list, as a store would."""

    def __init__(self) -> None:
        self.kept: list[Decision] = []

    def record(self, decision: Decision) -> None:
        self.kept.append(decision)


class SuspendedRisks:
    """Everybody is suspended."""

    def standing(self, program_id: str, affiliate_id: str, sub_id: str | None) -> AffiliateStanding:
        return AffiliateStanding(status="suspended")

    def standings(self, program_id: str, affiliates: Sequence[str], sub_ids: Sequence[str | None]) -> Shared[AffiliateStanding]:
        return Shared([AffiliateStanding(status="suspended")], [0] * len(affiliates))


def scorer(ledger: Ledger, model: ServedModel | None = None, pack: Pack = PACK, **tools: Any) -> ClickScorer:
    given: dict[str, Any] = {"priors": UnknownRisks(), "counters": MemoryCounters(), "clock": FixedClock(TEN)}
    return ClickScorer(pack, model, ScoringTools(record=ledger.record, **(given | tools)))


def closed(pack: Pack = PACK) -> Pack:
    return msgspec.structs.replace(pack, score=msgspec.structs.replace(pack.score, fail_open=False))


def stored(decision: Decision) -> Decision:
    """The decision after a way through the store."""
    return msgspec.json.decode(canonical_json(decision), type=Decision)


def test_workers_that_answer_one_click_at_the_same_moment_make_one_decision_of_it(served: ServedModel) -> None:
    given = [scorer(ledger, served, decision_ids=shared_decision_ids).score(click(1)).answer for ledger in (Ledger(), Ledger())]
    assert given[0].decision_id == given[1].decision_id
    assert scorer(Ledger(), served).score(click(1)).answer.decision_id != given[0].decision_id


def test_an_ordinary_click_is_allowed_and_recorded(served: ServedModel) -> None:
    ledger = Ledger()
    answer = scorer(ledger, served).score(click(1), "req_1").answer
    (decision,) = ledger.kept
    assert (answer.decision, answer.degraded, answer.reasons, answer.models) == (Outcome.ALLOW, False, (), (served.artefact,))
    assert (answer.decision_id, answer.request_id, answer.click_id) == (decision.decision_id, "req_1", "c1")
    assert (decision.kind, decision.as_of, decision.policy) == (DecisionKind.SCORE, TEN, PACK.artefact)
    assert list(decision.inputs["features"]) == list(CLICK_FEATURE_NAMES)


def test_a_declared_robot_and_a_suspended_affiliate_are_blocked() -> None:
    robot = scorer(Ledger()).score(click(1, user_agent="curl/8.5.0")).answer
    suspended = scorer(Ledger(), priors=SuspendedRisks()).score(click(1)).answer
    assert robot.decision is suspended.decision is Outcome.BLOCK
    assert [reason.code for reason in robot.reasons] == ["device.declared_bot"]
    assert [reason.code for reason in suspended.reasons] == ["policy.affiliate_suspended"]


def test_a_burst_is_reviewed_and_never_blocked() -> None:
    scoring = scorer(Ledger())
    answers = [scoring.score(click(number, number / 10, ip="203.0.113.9", offer_id=f"o{number}")).answer for number in range(80)]
    assert [answer.decision for answer in answers] == [Outcome.ALLOW] * 60 + [Outcome.REVIEW] * 20


def test_no_anomaly_alone_does_more_than_support() -> None:
    ledger = Ledger()
    scorer(ledger).score(click(1))
    extreme = msgspec.structs.replace(facts_of(ledger.kept[0]), model=ModelView(score=1.0, p_value=1e-300), degraded="")
    verdict = click_verdict(PACK, extreme, checks_of(PACK).run("c1", extreme))
    assert [reason.code for reason in verdict.reasons] == ["volume.unusual_click"]
    assert (verdict.outcome, verdict.score > ledger.kept[0].verdict.score) == (Outcome.ALLOW, True)


def test_a_flood_looks_less_and_less_usual_to_the_model(served: ServedModel) -> None:
    ledger = Ledger()
    scoring = scorer(ledger, served)
    for number in range(200):
        scoring.score(click(number, number * 30.0, ip="203.0.113.9", affiliate_id="flood"))
    first, last = (decision.inputs["model"]["p_value"] for decision in (ledger.kept[0], ledger.kept[-1]))
    assert last < 0.05 < first


def test_a_repeated_click_gets_the_same_answer_and_counts_once() -> None:
    ledger = Ledger()
    scoring = scorer(ledger)
    first = scoring.score(click(1), "req_1").answer
    assert scoring.score(click(1, 99.0, affiliate_id="other"), "req_2").answer == first
    scoring.score(click(2, ip="203.0.113.1"))
    assert len(ledger.kept) == 2
    assert ledger.kept[1].inputs["features"]["ip_clicks_1m"] == 2.0


def test_a_repeated_click_is_one_click_under_threads() -> None:
    ledger = Ledger()
    scoring = scorer(ledger)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: scoring.score(click(number % 20)).answer, range(400)))
    assert len(ledger.kept) == 20
    assert len({(answer.click_id, answer.decision_id) for answer in answers}) == 20


def test_after_a_restart_the_stored_decision_answers() -> None:
    ledger, counters = Ledger(), MemoryCounters()
    first = scorer(ledger, counters=counters).score(click(1), "req_1").answer

    def earlier(program_id: str, click_id: str) -> Decision | None:
        return next((stored(d) for d in ledger.kept if (d.program_id, d.subject_id) == (program_id, click_id)), None)

    restored = MemoryCounters()
    restored.restore(counters.checkpoint())
    again = scorer(ledger, counters=restored, earlier=earlier, clock=FixedClock(TEN + timedelta(hours=1))).score(click(1), "req_2")
    assert again.answer == first
    assert again.decision is None
    assert len(ledger.kept) == 1


def test_a_click_answered_by_an_earlier_process_is_neither_decided_nor_counted_again() -> None:
    ledger = Ledger()
    first = scorer(ledger).score(click(1), "req_1").answer
    counters = MemoryCounters()
    restarted = scorer(
        ledger,
        counters=counters,
        answered=frozenset({("default", "c1")}),
        earlier=lambda program_id, click_id: next(d for d in ledger.kept if (d.program_id, d.subject_id) == (program_id, click_id)),
    )
    assert restarted.score(click(1), "req_2").answer == first
    restarted.score(click(2))
    assert ledger.kept[-1].inputs["features"]["ip_clicks_1h"] == 1.0


def test_an_answer_that_could_not_be_recorded_is_not_given_later_either() -> None:
    ledger = Ledger()
    fails = [True]

    def record(decision: Decision) -> None:
        if fails.pop() if fails else False:
            raise StorageError("full")
        ledger.record(decision)

    scoring = ClickScorer(PACK, None, ScoringTools(UnknownRisks(), MemoryCounters(), record, FixedClock(TEN)))
    with pytest.raises(StorageError):
        scoring.score(click(1))
    assert scoring.score(click(1)).answer.decision_id == ledger.kept[0].decision_id
    assert ledger.kept[0].inputs["features"]["ip_clicks_1m"] == 1.0


class SlowClock:
    """Moves on a second whenever it is read."""

    def __init__(self) -> None:
        self.at = TEN

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.mark.parametrize(("pack", "outcome"), [(PACK, Outcome.ALLOW), (closed(), Outcome.REVIEW)])
def test_without_a_model_or_without_time_the_policy_says_what_passes(pack: Pack, outcome: Outcome, served: ServedModel) -> None:
    ledger = Ledger()
    without = scorer(ledger, None, pack).score(click(1)).answer
    late = scorer(ledger, served, pack, clock=SlowClock()).score(click(2)).answer
    assert [answer.decision for answer in (without, late)] == [outcome] * 2
    assert without.degraded
    assert late.degraded
    assert late.models == ()
    assert [decision.inputs["degraded"] for decision in ledger.kept] == ["no_model", "deadline"]
    assert ledger.kept[0].verdict.guards == (() if outcome is Outcome.ALLOW else ("degraded_fails_closed",))


def test_failing_closed_never_softens_a_block() -> None:
    assert scorer(Ledger(), None, closed(), priors=SuspendedRisks()).score(click(1)).answer.decision is Outcome.BLOCK


def test_a_click_from_the_future_is_judged_by_rules_alone_and_moves_no_window(served: ServedModel) -> None:
    ledger, counters = Ledger(), MemoryCounters()
    scoring = scorer(ledger, served, counters=counters)
    scoring.score(click(1))
    for number in range(300):
        assert scoring.score(click(1_000 + number, 90_000 + number * 86_400, ip="203.0.113.1")).answer.degraded
    now = scoring.score(click(2, ip="203.0.113.1")).answer
    ahead, counted = ledger.kept[1], ledger.kept[-1]
    assert (ahead.inputs["degraded"], ahead.inputs["model"], ahead.models) == ("future", None, ())
    assert set(ahead.inputs["features"].values()) == {None}
    assert (now.degraded, counted.inputs["features"]["ip_clicks_1m"]) == (False, 2.0)
    assert counters.stats().events == 2
    assert replay_click(stored(ahead), PACK, served.model) == ahead.verdict
    assert "future" in next(signal.text for signal in ahead.signals if signal.check_id == "click.anomaly")


def test_a_robot_from_the_future_is_blocked_and_repeats_get_one_answer() -> None:
    ledger = Ledger()
    scoring = scorer(ledger)
    first = scoring.score(click(1, 10 * 86_400, user_agent="curl/8.5.0")).answer
    assert first.decision is Outcome.BLOCK
    assert scoring.score(click(1, 10 * 86_400, user_agent="curl/8.5.0")).answer == first
    assert len(ledger.kept) == 1


def test_a_day_ahead_is_a_zone_that_was_left_out_and_counts() -> None:
    ledger = Ledger()
    scorer(ledger).score(click(1, 86_400))
    assert ledger.kept[0].inputs["features"]["ip_clicks_1m"] == 1.0


def hard_clicks() -> list[Click]:
    """Clicks that meet every check, with columns missing here and there."""
    flood = [click(n, n / 20, ip="203.0.113.9", affiliate_id="flood", device_id="d") for n in range(1000, 1100)]
    odd = [
        click(2000, ip=None, user_agent=None),
        click(2001, user_agent="Googlebot/2.1"),
        click(2002, ip="{ip}", country="DE"),
        click(2003, 0.1, ip="2001:db8::1", sub_id="ünï"),
    ]
    return [*flood, *odd, *usual_clicks(100, seed=9)]


@pytest.mark.parametrize("pack", [PACK, closed()])
@pytest.mark.parametrize("with_model", [True, False])
def test_a_replay_gives_the_very_same_verdict(pack: Pack, with_model: bool, served: ServedModel) -> None:
    ledger = Ledger()
    list(score_offline(hard_clicks(), scorer(ledger, served if with_model else None, pack)))
    assert len({decision.verdict.outcome for decision in ledger.kept}) >= 2
    for decision in ledger.kept:
        again = stored(decision)
        assert replay_click(again, pack, None) == again.verdict == decision.verdict
        assert replay_click(again, pack, served.model) == decision.verdict


def test_a_replay_under_another_policy_says_what_would_have_been() -> None:
    ledger = Ledger()
    scorer(ledger).score(click(1))
    assert replay_click(stored(ledger.kept[0]), closed()).outcome is Outcome.REVIEW


def test_what_cannot_be_replayed_says_why() -> None:
    ledger = Ledger()
    scorer(ledger).score(click(1))
    with pytest.raises(ReplayError, match="no longer complete"):
        replay_click(msgspec.structs.replace(ledger.kept[0], inputs={}), PACK)
    with pytest.raises(ReplayError, match="not about a click"):
        replay_click(msgspec.structs.replace(ledger.kept[0], kind=DecisionKind.SCAN), PACK)


def test_a_model_of_other_features_does_not_serve(served: ServedModel) -> None:
    other = ClickModel(served.model.detector, served.model.calibrator, "0" * 64, 1)
    with pytest.raises(ModelError):
        scorer(Ledger(), ServedModel(other, served.artefact))


def test_offline_scoring_goes_by_event_time_and_equals_serving() -> None:
    clicks = usual_clicks(60, seed=3)
    offline, serving = Ledger(), Ledger()
    list(score_offline(reversed(clicks), scorer(offline)))
    live = scorer(serving)
    for one in clicks:
        live.score(one)
    assert [d.verdict for d in offline.kept] == [d.verdict for d in serving.kept]
    assert [d.inputs for d in offline.kept] == [d.inputs for d in serving.kept]


def test_the_scan_fits_on_exactly_what_serving_computes() -> None:
    clicks = usual_clicks(80, seed=4)
    ledger = Ledger()
    list(score_offline(clicks, scorer(ledger)))
    table = click_features_of([*clicks, clicks[0]], MemoryCounters())
    assert list(table.index) == [decision.subject_id for decision in ledger.kept]
    served_rows = [[np.nan if v is None else v for v in decision.inputs["features"].values()] for decision in ledger.kept]
    np.testing.assert_array_equal(table.to_numpy(), np.array(served_rows, dtype=float))


def test_no_clicks_give_an_empty_table() -> None:
    assert list(click_features_of([], MemoryCounters()).columns) == list(CLICK_FEATURE_NAMES)


class Scans:
    """The newest scan, or a failure."""

    def __init__(self, result: ScanResult | None) -> None:
        self.result = result
        self.failing = False

    def latest(self, program_id: str) -> ScanResult | None:
        if self.failing:
            raise StorageError("no database")
        return self.result

    def latest_id(self, program_id: str) -> str | None:
        newest = self.latest(program_id)
        return newest.scan_id if newest else None

    def add(self, result: ScanResult) -> None:
        raise NotImplementedError

    def get(self, program_id: str, scan_id: str) -> ScanResult:
        raise NotImplementedError

    def recent(self, program_id: str, limit: int) -> list[ScanResult]:
        raise NotImplementedError


def wait_for_readers() -> None:
    for thread in threading.enumerate():
        if thread.name == "affiliate-risks":
            thread.join(10)


def test_the_newest_scan_says_who_is_risky_and_who_is_suspended() -> None:
    night = scan()
    subject = night.affiliates[0]
    suspended = msgspec.structs.replace(subject, affiliate_id="aff_2", outcome=Outcome.SUSPEND)
    bad_sub = msgspec.structs.replace(night.sub_ids[0], outcome=Outcome.SUSPEND)
    scans = Scans(msgspec.structs.replace(night, affiliates=(subject, suspended), sub_ids=(bad_sub,)))
    risks = ScanRisks(scans, FixedClock(TEN), statuses_of=lambda program_id: {"aff_1": "active", "aff_2": "active", "aff_3": "active"})
    assert risks.standing("shoes", "aff_1", None) == AffiliateStanding(status="active", risk=0.75, scan_id="scn_1")
    assert risks.standing("shoes", "aff_1", "s1").sub_id_status == "suspended"
    assert risks.standing("shoes", "aff_2", None).status == "suspended"
    assert risks.standing("shoes", "stranger", None).risk is None


def test_scans_are_read_again_beside_the_traffic_and_the_last_good_one_serves() -> None:
    scans, clock = Scans(None), FixedClock(TEN)
    risks = ScanRisks(scans, clock)
    assert risks.standing("shoes", "aff_1", None) == AffiliateStanding()
    scans.result = scan()
    assert risks.standing("shoes", "aff_1", None).risk is None
    clock.move_to(TEN + timedelta(minutes=1))
    risks.standing("shoes", "aff_1", None)
    wait_for_readers()
    assert risks.standing("shoes", "aff_1", None).risk == 0.75
    scans.failing = True
    clock.move_to(TEN + timedelta(minutes=2))
    risks.standing("shoes", "aff_1", None)
    wait_for_readers()
    assert risks.standing("shoes", "aff_1", None).risk == 0.75


def test_scans_are_read_again_although_the_clock_was_put_back() -> None:
    scans, clock = Scans(None), FixedClock(TEN)
    risks = ScanRisks(scans, clock)
    assert risks.standing("shoes", "aff_1", None) == AffiliateStanding()
    scans.result = scan()
    clock.move_to(TEN - timedelta(hours=1))
    risks.standing("shoes", "aff_1", None)
    wait_for_readers()
    assert risks.standing("shoes", "aff_1", None).risk == 0.75


def test_a_first_scan_that_cannot_be_read_is_the_callers_business() -> None:
    scans = Scans(None)
    scans.failing = True
    with pytest.raises(StorageError):
        ScanRisks(scans, FixedClock(TEN)).standing("shoes", "aff_1", None)
