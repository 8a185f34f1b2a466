"""The figures of one night where the truth is known, and the arithmetic behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.app.evaluation.baselines import Ranking
from fraud.domain.decisions import Outcome
from fraud.domain.scans import RankedSubject
from models.evaluation import average_precision, precision_at_k, recall_at_fpr

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Known = Mapping[str, Mapping[str, Any]]
"""The truth about each affiliate, as `truth.json` has it."""

PRODUCT = "this product"
FALSE_POSITIVES = 0.01
ACTED = frozenset({Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND})
_BINS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


class RankingQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How well one ranking of affiliates puts the bad ones first. Figures from 0 to 1, higher is better, but for the alerts: how many
    there are and which share of them falls on honest affiliates (`None` where the method does not say whom it alerts on, or on nobody).
    """

    name: str
    average_precision: float
    recall_at_1_percent: float
    precision_at_bad: float
    precision_at_10: float
    precision_at_20: float
    alerts: int | None = None
    false_discovery_share: float | None = None


class KindOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one kind of affiliate, bad or honest. `found` counts those ranked above all but 1% of the honest ones."""

    kind: str
    bad: bool
    affiliates: int
    alerted: int
    acted_on: int
    found: int
    found_by_raw_forest: int


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """Scores between two bounds: how many affiliates have one, their mean score, and the share of them that is bad."""

    low: float
    high: float
    affiliates: int
    mean_score: float
    bad_share: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the score can be read as a probability. `brier` is its mean squared error, `brier_of_base_rate` that of giving everybody
    the share of bad ones, `reliability_gap` the mean distance between score and share over the bins, weighted.
    """

    brier: float
    brier_of_base_rate: float
    reliability_gap: float
    bins: tuple[ReliabilityBin, ...]


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Fraud commission that is still pending when the scan speaks, and what share of it is saved: by acting on the affiliates that the scan
    alerts on or puts in review, and by holding everybody's commission for 30 days and paying what was not undone. `honest_delayed` is the
    share of honest affiliates' commission that acting delays (the hold delays all of it).
    """

    fraud_pending: str
    saved: float | None
    saved_by_hold: float | None
    honest_delayed: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one evaluation."""

    affiliates: int
    bad: int
    mode: str
    alerts: int
    false_alerts: int
    rankings: tuple[RankingQuality, ...]
    kinds: tuple[KindOutcome, ...]
    calibration: Calibration
    money: Money


def quality_of(bad: Bools, ranking: Ranking) -> RankingQuality:
    """One ranking against the truth."""
    score = ranking.scores
    alerts = None if ranking.alerts is None else int(ranking.alerts.sum())
    return RankingQuality(
        name=ranking.name,
        average_precision=round(average_precision(bad, score), 4),
        recall_at_1_percent=round(recall_at_fpr(bad, score, FALSE_POSITIVES), 4),
        precision_at_bad=round(precision_at_k(bad, score, int(bad.sum())), 4),
        precision_at_10=round(precision_at_k(bad, score, min(10, len(bad))), 4),
        precision_at_20=round(precision_at_k(bad, score, min(20, len(bad))), 4),
        alerts=alerts,
        false_discovery_share=round(float((ranking.alerts & ~bad).sum()) / alerts, 4) if alerts and ranking.alerts is not None else None,
    )


def found_at_fpr(bad: Bools, score: Floats) -> Bools:
    """Who is ranked above all but 1% of the honest affiliates."""
    honest = np.sort(np.nan_to_num(score[~bad], nan=-np.inf))
    if not len(honest):
        return np.ones(len(bad), dtype=bool)
    edge = honest[-1 - int(FALSE_POSITIVES * len(honest))]
    return np.asarray(score > edge)


def kinds_of(judged: Sequence[RankedSubject], known: Known, found: Bools, raw_found: Bools) -> tuple[KindOutcome, ...]:
    """What became of each kind, the bad ones first."""
    kinds = sorted({(not known[row.affiliate_id]["bad"], str(known[row.affiliate_id]["kind"])) for row in judged})
    outcomes = []
    for honest, kind in kinds:
        places = [place for place, row in enumerate(judged) if known[row.affiliate_id]["kind"] == kind]
        rows = [judged[place] for place in places]
        outcomes.append(
            KindOutcome(
                kind=kind,
                bad=not honest,
                affiliates=len(rows),
                alerted=sum(row.alerted for row in rows),
                acted_on=sum(row.outcome in ACTED for row in rows),
                found=int(found[places].sum()),
                found_by_raw_forest=int(raw_found[places].sum()),
            )
        )
    return tuple(outcomes)


def calibration_of(bad: Bools, score: Floats) -> Calibration:
    """Brier score and reliability of scores read as probabilities."""
    bins = []
    for low, high in pairwise(_BINS):
        inside = (score >= low) & ((score < high) | (high == 1.0))
        if inside.any():
            bins.append(
                ReliabilityBin(
                    low=low,
                    high=high,
                    affiliates=int(inside.sum()),
                    mean_score=round(float(score[inside].mean()), 4),
                    bad_share=round(float(bad[inside].mean()), 4),
                )
            )
    gap = sum(one.affiliates * abs(one.mean_score - one.bad_share) for one in bins) / max(1, len(score))
    rate = float(bad.mean())
    return Calibration(
        brier=round(float(np.mean((score - bad) ** 2)), 4),
        brier_of_base_rate=round(rate * (1 - rate), 4),
        reliability_gap=round(gap, 4),
        bins=tuple(bins),
    )


def money_of(judged: Sequence[RankedSubject], known: Known) -> Money:
    """What acting on the scan saves, beside a hold for everybody. Truths without these figures (older ones) count as nothing pending."""
    pending = saved = returned = Decimal(0)
    honest = delayed = Decimal(0)
    for row in judged:
        truth, acted = known[row.affiliate_id], row.alerted or row.outcome in ACTED
        fraud = Decimal(truth.get("fraud_pending", "0"))
        pending, returned = pending + fraud, returned + Decimal(truth.get("fraud_returned", "0"))
        saved += fraud if acted else Decimal(0)
        if not truth["bad"]:
            honest += row.commission or Decimal(0)
            delayed += (row.commission or Decimal(0)) if acted else Decimal(0)
    return Money(
        fraud_pending=str(pending),
        saved=round(float(saved / pending), 4) if pending else None,
        saved_by_hold=round(float(returned / pending), 4) if pending else None,
        honest_delayed=round(float(delayed / honest), 4) if honest else 0.0,
    )
