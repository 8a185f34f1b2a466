"""Learning from reviews: from labels and the decisions that reviewers looked at to a ranker; and whom to review next.

Labels reward looking where fraud is expected, and only there. A third of every review sample is drawn at random: without it nobody can say
what is missed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import numpy as np

from fraud.decisions.inputs import TrafficInputs
from fraud.decisions.ranking import TrafficRanker, fit_ranker, vector_of
from fraud.domain.decisions import Decision, SubjectKind
from fraud.domain.scans import Period, RankedSubject
from fraud.errors import InputError
from fraud.features.catalogue import feature_set_hash
from models.arrays import BoolArray, FloatArray
from models.evaluation import average_precision
from models.ranker import BAD_FOR_LOGISTIC, LABELS_FOR_LOGISTIC

TOP_SHARE = 2 / 3
"""Share of a review sample that is taken from the top of the ranking; the rest is drawn at random."""
ONE_REASON = 1 / 3
"""Share of the top that may have one and the same first reason, so that reviewers do not see the same thing thirty times."""
SLACK = timedelta(days=3)
"""A label given shortly before a decision is still about what that decision saw: reviews end when they are written down."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What a review said of an affiliate, and when (`None`: nobody wrote it down)."""

    bad: bool
    at: datetime | None = None


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from: rows (labels, columns) of the reviewed, what was found `bad` (labels,), everybody in the newest night
    (affiliates, columns), and when the decisions were made. `unlabelled` says that the rows that are not bad were not reviewed.
    """

    rows: FloatArray
    bad: BoolArray
    night: FloatArray
    period: Period
    unlabelled: bool = False


@dataclass
class _Gathered:
    """What was read of the decisions so far."""

    seen: dict[str, tuple[float, Decision]] = field(default_factory=dict)
    night: dict[str, Decision] = field(default_factory=dict)
    run_id: str = ""
    other_features: int = 0


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What training came to. `metrics` are of rows that the learners had not seen: `average_precision` of the ranker and
    `average_precision_before` of the evidence alone, on the same labels. `better` says that the ranker may take over the order.
    """

    labels: int
    bad: int
    stage: str
    unlabelled: bool
    metrics: dict[str, float]
    better: bool


def lesson_of(decisions: Iterable[Decision], labels: Mapping[str, Label]) -> Lesson:
    """The labels with what the scan knew of each affiliate when it was reviewed: its last decision before the label, else the first after.

    `decisions` are a program's, oldest first. Where nobody was found good, the newest night's others stand for them, unlabelled. Raises
    `InputError` when there are too few labels to learn from, saying how many are missing.
    """
    gathered = _gathered(decisions, labels)
    names = sorted(gathered.seen)
    bad = np.array([labels[name].bad for name in names], dtype=bool)
    unlabelled = bool(bad.all()) and len(bad) >= BAD_FOR_LOGISTIC
    others = sorted(set(gathered.night) - set(names)) if unlabelled else []
    _require_enough(bad, gathered, unlabelled and len(bad) + len(others) >= LABELS_FOR_LOGISTIC)
    taken = [gathered.seen[name][1] for name in names] + [gathered.night[name] for name in others]
    return Lesson(
        rows=rows_of(taken),
        bad=np.concatenate([bad, np.zeros(len(others), dtype=bool)]),
        night=rows_of([gathered.night[name] for name in sorted(gathered.night)]),
        period=Period(start=min(one.as_of for one in taken), end=max(one.as_of for one in taken)),
        unlabelled=unlabelled,
    )


def _gathered(decisions: Iterable[Decision], labels: Mapping[str, Label]) -> _Gathered:
    found = _Gathered()
    for decision in decisions:
        if decision.subject_kind is not SubjectKind.AFFILIATE or not decision.inputs:
            continue
        if decision.feature_set_hash != feature_set_hash():
            found.other_features += decision.subject_id in labels
            continue
        if decision.run_id != found.run_id:
            found.run_id, found.night = decision.run_id, {}
        found.night[decision.subject_id] = decision
        label = labels.get(decision.subject_id)
        if label is not None:
            distance = _distance(decision.as_of, label.at)
            if decision.subject_id not in found.seen or distance <= found.seen[decision.subject_id][0]:
                found.seen[decision.subject_id] = (distance, decision)
    return found


def _distance(as_of: datetime, labelled_at: datetime | None) -> float:
    """How far a decision is from what a reviewer saw: days before the label, or as many and a century more when it came after."""
    if labelled_at is None:
        return 0.0
    days = (labelled_at + SLACK - as_of) / timedelta(days=1)
    return days if days >= 0 else 36_500.0 - days


def _require_enough(bad: BoolArray, gathered: _Gathered, only_bad_suffices: bool) -> None:
    if only_bad_suffices or (len(bad) >= LABELS_FOR_LOGISTIC and bad.sum() >= BAD_FOR_LOGISTIC and not bad.all()):
        return
    outdated = f" ({gathered.other_features} more decisions are of an older set of features)" if gathered.other_features else ""
    raise InputError(
        f"{len(bad)} reviewed affiliates have been scanned, {int(bad.sum())} of them bad{outdated}: {LABELS_FOR_LOGISTIC} with "
        f"{BAD_FOR_LOGISTIC} bad ones teach a ranker; `fraud models sample` says whom to review next."
    )


def rows_of(decisions: Sequence[Decision]) -> FloatArray:
    """What the ranker sees of each decision's affiliate (rows, columns)."""
    return np.array([vector_of(msgspec.convert(one.inputs, TrafficInputs).facts) for one in decisions], dtype=np.float64)


def train(lesson: Lesson) -> tuple[TrafficRanker, Trained]:
    """A ranker taught by the lesson, and how well it does on rows that its learners had not seen."""
    ranker = fit_ranker(lesson.rows, lesson.bad, lesson.night, unlabelled=lesson.unlabelled)
    ours = average_precision(lesson.bad, ranker.ranker.out_of_fold_)
    before = average_precision(lesson.bad, np.nan_to_num(lesson.rows[:, 0]))
    metrics = {
        "labels": float(len(lesson.bad)),
        "bad": float(lesson.bad.sum()),
        "average_precision": round(ours, 4),
        "average_precision_before": round(before, 4),
    }
    trained = Trained(
        labels=len(lesson.bad),
        bad=int(lesson.bad.sum()),
        stage=ranker.ranker.stage_,
        unlabelled=lesson.unlabelled,
        metrics=metrics,
        better=ours >= before,
    )
    return ranker, trained


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An affiliate to review next, and whether it stands there for its rank or by chance."""

    affiliate_id: str
    rank: int
    score: float
    chosen: str
    reason: str


def review_sample(ranked: Sequence[RankedSubject], reviewed: Collection[str], size: int, seed: int) -> list[Asked]:
    """Whom to review next: two thirds from the top of a night's ranking, spread over first reasons, one third at random from the rest."""
    open_ones = [row for row in ranked if row.affiliate_id not in reviewed]
    top = _spread(open_ones, math.ceil(min(size, len(open_ones)) * TOP_SHARE))
    chosen = {row.affiliate_id for row in top}
    rest = [row for row in open_ones if row.affiliate_id not in chosen]
    drawn = np.random.default_rng(seed).permutation(len(rest))[: max(min(size, len(open_ones)) - len(top), 0)]
    by_chance = [rest[place] for place in sorted(drawn.tolist())]
    return [_asked(row, "rank") for row in top] + [_asked(row, "chance") for row in by_chance]


def _spread(rows: Sequence[RankedSubject], size: int) -> list[RankedSubject]:
    """The riskiest rows, no more than a third of them with the same first reason as long as there are others."""
    most, counts, taken, passed = math.ceil(size * ONE_REASON), dict[str, int](), list[RankedSubject](), list[RankedSubject]()
    for row in rows:
        code = row.reasons[0].code if row.reasons else ""
        fits = counts.get(code, 0) < most
        counts[code] = counts.get(code, 0) + fits
        (taken if fits and len(taken) < size else passed).append(row)
    return sorted([*taken, *passed[: size - len(taken)]], key=lambda row: row.rank)


def _asked(row: RankedSubject, chosen: str) -> Asked:
    return Asked(
        affiliate_id=row.affiliate_id,
        rank=row.rank,
        score=row.score,
        chosen=chosen,
        reason=row.reasons[0].text if row.reasons else "",
    )
