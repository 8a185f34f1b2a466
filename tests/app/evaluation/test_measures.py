"""The arithmetic of an evaluation, on nights small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fraud.app.evaluation import baselines, corpus, measures
from fraud.app.evaluation.baselines import Ranking
from fraud.app.evaluation.seeds import figure
from fraud.decisions.ranking import COLUMNS
from fraud.domain.decisions import Outcome
from fraud.domain.scans import CommissionAtRisk, RankedSubject
from fraud.simulation.program import SimulationSpec, simulate

BAD = np.array([True, True, False, False, False])


def row(name: str, *, alerted: bool = False, outcome: Outcome = Outcome.PASS, commission: str = "0") -> RankedSubject:
    unknown = CommissionAtRisk(low=None, mid=None, high=None, currency=None)
    return RankedSubject(
        affiliate_id=name,
        rank=1,
        score=0.5,
        outcome=outcome,
        alerted=alerted,
        decision_id="dec",
        typologies=(),
        reasons=(),
        clicks=1,
        conversions=1,
        commission=Decimal(commission),
        commission_at_risk=unknown,
    )


def known(**bad: str) -> dict[str, dict[str, Any]]:
    """The truth of affiliates that are bad with so much fraud pending, `` for honest ones."""
    return {
        name: {"bad": bool(pending), "kind": "ring" if pending else "ordinary", "fraud_pending": pending or "0", "fraud_returned": "1"}
        for name, pending in bad.items()
    }


def test_a_perfect_ranking_and_its_alerts() -> None:
    quality = measures.quality_of(BAD, Ranking("one", np.array([0.9, 0.8, 0.3, 0.2, 0.1]), np.array([True, False, True, False, False])))
    assert (quality.average_precision, quality.recall_at_1_percent, quality.precision_at_bad) == (1.0, 1.0, 1.0)
    assert (quality.alerts, quality.false_discovery_share) == (2, 0.5)


def test_nobody_alerted_has_no_false_share() -> None:
    quality = measures.quality_of(BAD, Ranking("one", np.arange(5.0), np.zeros(5, dtype=bool)))
    assert (quality.alerts, quality.false_discovery_share) == (0, None)


def test_found_is_above_all_but_one_honest_in_a_hundred() -> None:
    bad = np.array([True, True, *[False] * 200])
    score = np.concatenate([[0.995, 0.5], np.linspace(0.0, 1.0, 200)])
    assert measures.found_at_fpr(bad, score)[:2].tolist() == [True, False]
    assert measures.found_at_fpr(bad, score)[2:].sum() <= 2


def test_the_base_rate_for_everybody_is_calibrated_and_scores_its_variance() -> None:
    found = measures.calibration_of(BAD, np.full(5, 0.4))
    assert found.brier == found.brier_of_base_rate == pytest.approx(0.24)
    assert found.reliability_gap == 0
    assert [(one.low, one.affiliates) for one in found.bins] == [(0.4, 5)]


def test_a_certain_score_falls_into_the_last_bin() -> None:
    found = measures.calibration_of(np.array([True, False]), np.array([1.0, 0.0]))
    assert (found.brier, found.reliability_gap) == (0, 0)
    assert sum(one.affiliates for one in found.bins) == 2


def test_money_is_saved_where_the_scan_acts_and_delayed_where_it_errs() -> None:
    rows = (
        row("caught", alerted=True),
        row("reviewed", outcome=Outcome.REVIEW),
        row("missed"),
        row("wronged", outcome=Outcome.HOLD, commission="30"),
        row("left", commission="70"),
    )
    money = measures.money_of(rows, known(caught="50", reviewed="30", missed="20", wronged="", left=""))
    assert (money.fraud_pending, money.saved, money.honest_delayed) == ("100", 0.8, 0.3)
    assert money.saved_by_hold == pytest.approx(0.05)


def test_figures_have_a_spread_from_two_seeds_on() -> None:
    assert figure("one", [0.4]).sd is None
    assert figure("two", [0.4, 0.6]) == figure("two", (0.4, 0.6))
    assert figure("two", [0.4, 0.6]).sd == pytest.approx(0.1414)


def test_two_sd_rules_count_what_stands_out() -> None:
    table = pd.DataFrame({name: [0.0] * 19 + [10.0] for name in "abc"}, index=[f"A{n}" for n in range(20)])
    ranking = baselines.two_sd_on(table)
    assert ranking.scores.argmax() == 19
    assert ranking.alerts is not None
    assert ranking.alerts.tolist() == [False] * 19 + [True]


def test_the_ceiling_never_judges_what_it_learned_from() -> None:
    rng = np.random.default_rng(0)
    noise, bad = pd.DataFrame(rng.normal(size=(200, 5))), rng.random(200) < 0.2
    assert measures.quality_of(bad, baselines.ceiling_on(noise, bad)).average_precision < 0.5
    assert measures.quality_of(bad, baselines.ceiling_on(noise.assign(told=bad.astype(float)), bad)).average_precision > 0.95


def test_what_a_kind_costs_that_labels_lack() -> None:
    kinds = ["quiet"] * 20 + ["loud"] * 20 + ["ordinary"] * 160
    bad = np.array([kind != "ordinary" for kind in kinds])
    table = pd.DataFrame({"loud": [kind == "loud" for kind in kinds], "quiet": [kind == "quiet" for kind in kinds]}).astype(float)
    with_all = baselines.ceiling_on(table, bad).scores
    without = baselines.without_kind(table, bad, kinds, "quiet")
    assert with_all[:20].min() > with_all[40:].max()
    assert without[:20].mean() < with_all[:20].mean() / 2


def test_reviews_of_another_program_teach_what_its_statistics_did_not_see() -> None:
    rng = np.random.default_rng(1)
    teacher, night = (_learnable(rng, 300) for _ in range(2))
    ranking = baselines.taught_by(teacher, night, labels=130)
    unsupervised = measures.quality_of(night.bad, baselines.Ranking("scan", night.scores)).average_precision
    assert measures.quality_of(night.bad, ranking).average_precision > max(0.9, unsupervised + 0.2)
    assert np.isnan(baselines.taught_by(replace(teacher, bad=np.zeros(300, dtype=bool)), night).scores).all()


def _learnable(rng: np.random.Generator, size: int) -> baselines.Learnable:
    """A night whose bad affiliates stand out in one column of the ranker's, and a little in the scan's own score."""
    bad = rng.random(size) < 0.2
    rows = np.full((size, len(COLUMNS)), np.nan)
    rows[:, 0] = rng.gamma(1.0, 1.0, size) + bad
    rows[:, 5] = bad + rng.normal(0, 0.2, size)
    return baselines.Learnable(rows, np.zeros(size), bad, rows[:, 0] / (rows[:, 0] + 3.9))


def test_a_corpus_is_known_by_its_content() -> None:
    spec = SimulationSpec(seed=3, affiliates=10, days=3, clicks_per_day=5)
    assert corpus.hash_of(simulate(spec)) == corpus.hash_of(simulate(spec))
    assert corpus.hash_of(simulate(spec)) != corpus.hash_of(simulate(SimulationSpec(seed=4, affiliates=10, days=3, clicks_per_day=5)))
