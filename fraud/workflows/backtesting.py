"""A pack against what people found: the decisions on labelled affiliates as they were, and as the pack would have made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind
from fraud.errors import ReplayError
from fraud.workflows.rejudging import Rejudge

LOOKED_AT = frozenset({Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND, Outcome.REQUEST_INFO, Outcome.REJECT})
"""The outcomes that put a subject before a person."""
STOPPED = frozenset({Outcome.HOLD, Outcome.SUSPEND, Outcome.REJECT})
"""The outcomes that keep its money."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What one way of deciding came to over labelled subjects: those looked at in any night, and stopped in any, by what they were.

    `caught` and `troubled` are the largest pending commission of any night of the bad and the honest ones that were looked at, by currency.
    """

    bad: int
    good: int
    bad_looked_at: int
    good_looked_at: int
    bad_stopped: int
    good_stopped: int
    caught: dict[str, Decimal]
    troubled: dict[str, Decimal]

    @property
    def precision(self) -> float | None:
        """The share of bad ones among those looked at; `None` when nobody was."""
        looked_at = self.bad_looked_at + self.good_looked_at
        return self.bad_looked_at / looked_at if looked_at else None

    @property
    def recall(self) -> float | None:
        """The share of the bad ones that was looked at; `None` when none is labelled."""
        return self.bad_looked_at / self.bad if self.bad else None


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """The two ways of deciding side by side, for one job. `unlabelled` subjects and `erased` decisions say nothing."""

    policy: Artefact
    job: DecisionKind
    decisions: int
    unlabelled: int
    erased: int
    then: Tally
    now: Tally


@dataclass
class _Worst:
    """The worst that a subject met, and the most that was pending."""

    looked_at: bool = False
    stopped: bool = False
    pending: Decimal | None = None
    currency: str | None = None

    def meet(self, outcome: Outcome, money: tuple[Decimal | None, str | None]) -> None:
        self.looked_at |= outcome in LOOKED_AT
        self.stopped |= outcome in STOPPED
        if money[0] is not None and (self.pending is None or money[0] > self.pending):
            self.pending, self.currency = money


@dataclass
class _Side:
    """One way of deciding over all subjects."""

    subjects: dict[str, _Worst] = field(default_factory=dict)

    def meet(self, subject_id: str, outcome: Outcome, money: tuple[Decimal | None, str | None]) -> None:
        self.subjects.setdefault(subject_id, _Worst()).meet(outcome, money)

    def tally(self, labels: Mapping[str, bool]) -> Tally:
        bad = [one for name, one in self.subjects.items() if labels[name]]
        good = [one for name, one in self.subjects.items() if not labels[name]]
        return Tally(
            bad=len(bad),
            good=len(good),
            bad_looked_at=sum(one.looked_at for one in bad),
            good_looked_at=sum(one.looked_at for one in good),
            bad_stopped=sum(one.stopped for one in bad),
            good_stopped=sum(one.stopped for one in good),
            caught=_money(bad),
            troubled=_money(good),
        )


def backtest(
    job: DecisionKind,
    decisions: Iterable[Decision],
    labels: Mapping[str, bool],
    rejudge: Rejudge,
    progress: Callable[[int], None] = lambda done: None,
) -> Backtest:
    """Holds one job's decisions on labelled subjects (`True` is bad) against the labels: as they were made, and as the pack makes them.

    Sub-IDs are their affiliates', who are judged as a whole. Nothing is kept.
    """
    then, now = _Side(), _Side()
    unlabelled: set[str] = set()
    made = erased = 0
    for done, decision in enumerate(decisions, start=1):
        progress(done)
        if decision.subject_kind is SubjectKind.SUB_ID:
            continue
        if decision.subject_id not in labels:
            unlabelled.add(decision.subject_id)
            continue
        try:
            said = rejudge(decision)
        except ReplayError:
            erased += 1
            continue
        made += 1
        money = (said.commission, said.currency)
        then.meet(decision.subject_id, decision.verdict.outcome, money)
        now.meet(decision.subject_id, said.outcome, money)
    return Backtest(
        policy=rejudge.pack.artefact,
        job=job,
        decisions=made,
        unlabelled=len(unlabelled),
        erased=erased,
        then=then.tally(labels),
        now=now.tally(labels),
    )


def _money(subjects: Iterable[_Worst]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for one in subjects:
        if one.looked_at and one.pending is not None:
            currency = one.currency or ""
            total[currency] = total.get(currency, Decimal(0)) + one.pending
    return total
