"""A night in figures: one line for a scan and one for each affiliate in it, light enough for lists and histories of years."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from fraud.domain.decisions import Outcome, SubjectKind
from fraud.domain.facets import FacetKind
from fraud.domain.scans import RankedSubject, ScanResult

HELD = frozenset({Outcome.HOLD, Outcome.SUSPEND})


class NightLine(msgspec.Struct, frozen=True, kw_only=True):
    """One scan. `alerted` counts affiliates, `further` other alerts; `at_risk` and `held` are pending commission in `currency`, `None`
    when unknown or in more than one currency."""

    scan_id: str
    as_of: datetime
    affiliates: int
    clicks: int
    conversions: int
    alerted: int
    further: int
    at_risk: float | None
    held: float | None
    currency: str | None


class SubjectLine(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate in one scan; `why` is its leading reason in words."""

    scan_id: str
    as_of: datetime
    affiliate_id: str
    rank: int
    score: float
    outcome: Outcome
    alerted: bool
    clicks: int
    conversions: int
    commission: float | None
    at_risk: float | None
    currency: str | None
    why: str = ""


class SubjectSort(StrEnum):
    """What a list of affiliates can be ordered by."""

    RANK = "rank"
    NAME = "name"
    CLICKS = "clicks"
    CONVERSIONS = "conversions"
    COMMISSION = "commission"
    AT_RISK = "at_risk"


class SubjectQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which affiliates of a scan, in which order, and which page of them. `held` asks for those whose commission is held for whatever
    outcome; `facets` for those that have each of these values."""

    search: str = ""
    outcome: Outcome | None = None
    held: bool = False
    facets: tuple[tuple[FacetKind, str], ...] = ()
    sort: SubjectSort = SubjectSort.RANK
    descending: bool = False
    limit: int = 50
    offset: int = 0


def night_of(result: ScanResult) -> NightLine:
    """A scan in a line."""
    alerted = [one for one in result.affiliates if one.alerted]
    held = [one for one in result.affiliates if one.outcome in HELD]
    at_risk, currency = _total(alerted)
    on_hold, held_currency = _total(held)
    return NightLine(
        scan_id=result.scan_id,
        as_of=result.as_of,
        affiliates=result.counts.affiliates,
        clicks=result.counts.clicks,
        conversions=result.counts.conversions,
        alerted=len(alerted),
        further=sum(alert.subject_kind is not SubjectKind.AFFILIATE for alert in result.alerts),
        at_risk=at_risk,
        held=on_hold,
        currency=currency or held_currency,
    )


def subjects_of(result: ScanResult) -> list[SubjectLine]:
    """Every affiliate of a scan in a line, riskiest first."""
    return [_subject(result, one) for one in result.affiliates]


def _subject(result: ScanResult, one: RankedSubject) -> SubjectLine:
    risk = one.commission_at_risk
    leading = max(one.reasons, key=lambda reason: reason.severity.rank, default=None)
    return SubjectLine(
        scan_id=result.scan_id,
        as_of=result.as_of,
        affiliate_id=one.affiliate_id,
        rank=one.rank,
        score=one.score,
        outcome=one.outcome,
        alerted=one.alerted,
        clicks=one.clicks,
        conversions=one.conversions,
        commission=None if one.commission is None else float(one.commission),
        at_risk=None if risk.mid is None else float(risk.mid),
        currency=risk.currency,
        why=leading.text[:240] if leading else "",
    )


def _total(subjects: list[RankedSubject]) -> tuple[float | None, str | None]:
    """The central estimates added up, when all that are known are in one currency; nothing to add up is zero."""
    sums: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for one in subjects:
        if one.commission_at_risk.mid is not None:
            sums[one.commission_at_risk.currency] += one.commission_at_risk.mid
    if not subjects:
        return 0.0, None
    if len(sums) != 1:
        return None, None
    ((currency, amount),) = sums.items()
    return float(amount), currency
