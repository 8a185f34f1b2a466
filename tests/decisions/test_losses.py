"""Expected losses: they choose between looking and not looking, never touch what evidence decides, and grow graver with risk and stake."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.decisions.deciding import decide_traffic
from fraud.decisions.losses import NOT_WORTH_A_REVIEW, WORTH_A_REVIEW, by_loss, cheapest, expected_loss
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.decisions import Outcome
from fraud.domain.signals import Severity
from fraud.errors import PolicyError
from fraud.policy.loading import load_pack, read_pack
from fraud.policy.losses import BY_LOSS, OutcomeLoss

LOSSES = {
    Outcome.WATCH: OutcomeLoss(prevents=0.1, cost=1.0, reason="A line to read."),
    Outcome.REVIEW: OutcomeLoss(prevents=0.75, cost=12.0, harms=0.02, reason="Half an hour."),
}
PACK = load_pack()
PRICED = msgspec.structs.replace(PACK, scan=msgspec.structs.replace(PACK.scan, losses=LOSSES))


def test_a_loss_is_what_it_costs_what_it_misses_and_whom_it_troubles() -> None:
    assert expected_loss(LOSSES[Outcome.REVIEW], 0.5, 100.0) == pytest.approx(12 + 0.5 * 0.25 * 100 + 0.5 * 0.02 * 100)
    assert expected_loss(OutcomeLoss(), 0.5, 100.0) == 50.0


@pytest.mark.parametrize(
    ("outcome", "risk", "stake", "then"),
    [
        (Outcome.REVIEW, 0.6, 5.0, (Outcome.WATCH, NOT_WORTH_A_REVIEW)),
        (Outcome.REVIEW, 0.6, 500.0, (Outcome.REVIEW, "")),
        (Outcome.WATCH, 0.4, 500.0, (Outcome.REVIEW, WORTH_A_REVIEW)),
        (Outcome.PASS, 0.01, 500.0, (Outcome.PASS, "")),
        (Outcome.PASS, 0.3, 10_000.0, (Outcome.REVIEW, WORTH_A_REVIEW)),
        (Outcome.REVIEW, 0.6, None, (Outcome.REVIEW, "")),
        (Outcome.HOLD, 0.01, 0.0, (Outcome.HOLD, "")),
        (Outcome.SUSPEND, 0.01, 0.0, (Outcome.SUSPEND, "")),
    ],
)
def test_what_is_at_stake_decides_whether_to_look(outcome: Outcome, risk: float, stake: float | None, then: tuple[Outcome, str]) -> None:
    assert by_loss(LOSSES, outcome, risk, stake) == then
    assert by_loss({}, outcome, risk, stake) == (outcome, "")


@given(risk=st.floats(0, 1), more=st.floats(0, 1), stake=st.floats(0, 1e6), further=st.floats(0, 1e6))
def test_more_risk_or_more_at_stake_is_never_looked_at_less(risk: float, more: float, stake: float, further: float) -> None:
    harmless = {name: msgspec.structs.replace(loss, harms=0.0) for name, loss in LOSSES.items()}
    low = BY_LOSS.index(cheapest(harmless, BY_LOSS, risk, stake))
    high = BY_LOSS.index(cheapest(harmless, BY_LOSS, min(risk + more, 1.0), stake + further))
    assert high >= low


def test_a_night_says_when_the_stake_moved_it() -> None:
    found = [CHECKS["traffic.duplicate_clicks"].finding("a", Severity.MEDIUM, Observation(text="seen"))]
    assert decide_traffic(PRICED, found, 2.0, {"pending_commission": 1.0}).guards == (NOT_WORTH_A_REVIEW,)
    assert decide_traffic(PRICED, found, 2.0, {"pending_commission": 1.0}).outcome is Outcome.WATCH
    assert decide_traffic(PRICED, found, 2.0, {}).outcome is Outcome.REVIEW
    assert decide_traffic(PACK, found, 2.0, {"pending_commission": 1.0}).outcome is Outcome.REVIEW
    assert decide_traffic(PRICED, [], math.nan, {"pending_commission": 1e6}).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ("hold: {prevents: 0.9, cost: 1, reason: x}", "'hold' takes evidence"),
        ("watch: {prevents: 9, cost: 1, reason: x}", "prevents is 9"),
        ("watch: {prevents: 0.5, cost: -1, reason: x}", "cost is -1"),
        ("watch: {prevents: 0.5, cost: 1}", "give no reason"),
        ("watch: {prevents: 0.5, cost: 1, reason: x}", "must prevent at least as much"),
        ("blink: {prevents: 0.5}", "blink"),
    ],
)
def test_losses_that_make_no_sense_are_refused_with_their_line(losses: str, sentence: str) -> None:
    text = f"based_on: default\nid: mine\nversion: 1\ntitle: t\ndescription: d\nscan:\n  losses:\n    {losses}\n"
    with pytest.raises(PolicyError, match=rf"mine.yaml:\d+: .*{sentence}"):
        read_pack(text.encode(), "mine.yaml")


@pytest.mark.parametrize("name", ["content", "coupon", "lead_generation", "app"])
def test_every_kind_of_program_says_what_a_look_is_worth(name: str) -> None:
    losses = load_pack(name).scan.losses
    assert cheapest(losses, BY_LOSS, 0.6, 5_000.0) is Outcome.REVIEW
    assert cheapest(losses, BY_LOSS, 0.01, 10.0) is Outcome.PASS
