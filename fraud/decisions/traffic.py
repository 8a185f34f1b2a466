"""One subject of a scan: its facts from the models' judgement, its signals, its verdict, and what is at stake."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pandas as pd

from fraud.checks.running import PreparedChecks, prepare
from fraud.checks.traffic import traffic_checks
from fraud.checks.traffic.bounds import lower_bound, upper_bound
from fraud.checks.traffic.facts import Company, Extreme, FeatureResidual, TrafficCounts, TrafficFacts, WeekFacts
from fraud.checks.traffic.statistics import FeatureWords
from fraud.decisions.deciding import Ruled, decide_traffic, rule_traffic
from fraud.decisions.facts import traffic_facts
from fraud.detection.traffic import Judgement, TrafficModel, judge, known
from fraud.domain.decisions import DecisionKind, Outcome, Verdict
from fraud.domain.graph import GraphFinding, graph_evidence
from fraud.domain.money import cents
from fraud.domain.scans import CommissionAtRisk
from fraud.domain.signals import Signal
from fraud.features.catalogue import FEATURES, feature_set_hash
from fraud.features.table import FeatureTable, Subject, row_of
from fraud.policy.expressions import Facts
from fraud.policy.pack import Pack

MOST_RESIDUALS = 12
"""Residuals kept with a decision: more than any explanation names."""

WORDS: Mapping[str, FeatureWords] = {
    feature.name: FeatureWords(title=feature.title, unit=feature.unit, support_of=feature.support_of, family=feature.family)
    for feature in FEATURES
}
"""How each feature of the catalogue is spoken of."""

INVALID_SHARES = ("fast_conversion_share", "repeated_customer_share", "no_click_share", "hosting_like_share")
"""Features whose excess over peers is a share of conversions that may be invalid (section 7)."""


class PeerKey(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whose peer a subject is."""

    affiliate_type: str | None
    main_country: str | None
    clicks: int
    vertical: str | None = None


class TrafficInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan's decision stores of its subject: enough for models and checks to say everything again. `ranked` is the evidence that a
    ranker taught by reviews puts in the place of the unsupervised one; `None` without a ranker."""

    facts: TrafficFacts
    peer_key: PeerKey
    ranked: float | None = None


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What the graph knows of an affiliate: the ring it belongs to, and every pattern it is part of."""

    company: Company | None = None
    findings: tuple[GraphFinding, ...] = ()


def inputs_of(table: FeatureTable, judgement: Judgement, subject: Subject, name: str, links: Links | None) -> TrafficInputs:
    """The inputs of one row of the table, with what the models and the graph say of it (`None`: a subject the graph does not know)."""
    links = links or Links()
    facts = row_of(table.facts, subject)
    key = PeerKey(
        affiliate_type=_text(facts["affiliate_type"]),
        main_country=_text(facts["main_country"]),
        clicks=int(facts["clicks"]),
        vertical=_text(facts["vertical"]),
    )
    return TrafficInputs(
        facts=TrafficFacts(
            subject=name,
            values=dict(known(row_of(table.values, subject))),
            support=dict(known(row_of(table.support, subject))),
            counts=_counts(facts),
            peers=dict(known(row_of(judgement.residuals.peer, subject))),
            residuals=tuple(
                FeatureResidual(feature=r.feature, side=r.side, z=r.z, value=r.value, peer=r.peer, support=r.support, weeks=r.weeks)
                for r in judgement.reasons(subject, MOST_RESIDUALS)
            ),
            evidence=judgement.evidence_of(subject, graph_evidence(links.findings)),
            declared=_text(facts.get("declared")),
            company=links.company,
            graph=links.findings,
            weeks=_weeks_of(judgement, subject),
            extremes=_extremes_of(judgement, table, subject),
        ),
        peer_key=key,
    )


def _extremes_of(judgement: Judgement, table: FeatureTable, subject: Subject) -> tuple[Extreme, ...]:
    """The subject's features beyond the whole reference, furthest first."""
    found = sorted(known(row_of(judgement.extremes, subject)), key=lambda pair: (-pair[1], pair[0]))
    if not found:
        return ()
    values, support = row_of(table.values, subject), row_of(table.support, subject)
    return tuple(
        Extreme(
            feature=feature,
            side=side,
            distance=distance,
            furthest=judgement.furthest.distance[column],
            rows=judgement.furthest.rows[column],
            value=float(values[feature]),
            support=float(support[feature]),
        )
        for column, distance in found
        for feature, _, side in [column.rpartition(":")]
    )


def _weeks_of(judgement: Judgement, subject: Subject) -> WeekFacts | None:
    """The subject's weeks as checks see them; `None` when it has none before tonight."""
    if judgement.weeks is None:
        return None
    pooled = judgement.weeks.pooled
    counts = row_of(pooled.counts, subject)
    windows = int(counts["windows"])
    if windows < 2:
        return None
    values = dict(known(row_of(pooled.values, subject)))
    return WeekFacts(
        windows=windows,
        values=values,
        support={name: n for name, n in known(row_of(pooled.weights, subject)) if name in values},
        peers=dict(known(row_of(judgement.weeks.residuals.peer, subject))),
        counts=TrafficCounts(
            clicks=int(counts["clicks"]),
            conversions=int(counts["conversions"]),
            expected_conversions=_number(counts["expected_conversions"]),
            self_matches=None if (matches := _number(counts["self_matches"])) is None else int(matches),
        ),
    )


def judge_again(model: TrafficModel, inputs: TrafficInputs) -> TrafficInputs:
    """What the model says of stored values: for a replay, the same as it said then."""
    table = _one_row(inputs)
    links = Links(company=inputs.facts.company, findings=inputs.facts.graph)
    return inputs_of(table, judge(model, table), inputs.facts.subject, inputs.facts.subject, links)


def prepared_checks(pack: Pack) -> PreparedChecks[TrafficFacts]:
    """Every traffic check of the pack with its thresholds, looked up once for all the subjects of a night."""
    return prepare(pack, DecisionKind.SCAN, traffic_checks(WORDS))


def verdict_of(pack: Pack, inputs: TrafficInputs, signals: tuple[Signal, ...]) -> Verdict:
    """The verdict on the subject's night."""
    return decide_traffic(pack, signals, *_known(inputs), ranked=inputs.ranked is not None)


def ruling_of(pack: Pack, inputs: TrafficInputs, signals: tuple[Signal, ...]) -> Ruled:
    """The outcome of `verdict_of` without its words."""
    return rule_traffic(pack, signals, *_known(inputs), ranked=inputs.ranked is not None)


def _known(inputs: TrafficInputs) -> tuple[float, Facts]:
    facts, key = inputs.facts, inputs.peer_key
    evidence = facts.evidence if inputs.ranked is None else inputs.ranked
    return math.nan if evidence is None else evidence, traffic_facts(facts, key.affiliate_type, key.main_country)


def commission_at_risk(facts: TrafficFacts, verdict: Verdict) -> CommissionAtRisk:
    """Pending commission that may be invalid: each family's excess share over peers, as if independent.

    `low` takes the lower bounds of the shares, `mid` the shares as seen, `high` the upper bounds, and for a subject that needs review at
    least its score's share of what is pending.
    """
    pending = facts.counts.pending_commission
    if pending is None:
        return CommissionAtRisk(low=None, mid=None, high=None, currency=facts.counts.currency)
    low, mid, high = (_joint(_excesses(facts, bound)) for bound in ("low", "mid", "high"))
    if verdict.outcome not in {Outcome.PASS, Outcome.WATCH}:
        high = max(high, verdict.score)
    else:
        low, mid, high = 0.0, 0.0, min(high, verdict.score)
    return CommissionAtRisk(
        low=cents(pending * Decimal(str(low))),
        mid=cents(pending * Decimal(str(mid))),
        high=cents(pending * Decimal(str(high))),
        currency=facts.counts.currency,
    )


def recommended_cap(pack: Pack, facts: TrafficFacts, outcome: Outcome, days: float) -> int | None:
    """Conversions a day to allow until the case is settled: a share of the usual number, at least one; `None` is no cap."""
    share = pack.scan.cap_shares.get(outcome)
    return None if share is None else max(1, round(share * facts.counts.conversions / max(days, 1e-9)))


def _excesses(facts: TrafficFacts, bound: str) -> list[float]:
    shares = [(facts.values[name], facts.support[name], facts.peers.get(name, 0.0)) for name in INVALID_SHARES if name in facts.values]
    if facts.counts.self_matches and facts.counts.conversions:
        shares.append((min(facts.counts.self_matches / facts.counts.conversions, 1.0), float(facts.counts.conversions), 0.0))
    return [max(_seen(value, n, bound) - peer, 0.0) for value, n, peer in shares if n > 0]


def _seen(share: float, n: float, bound: str) -> float:
    """A share of `n`, or its bound: never above the share when low, never below it when high, as Jeffreys' own are at 0 and 1."""
    if bound == "mid":
        return share
    return min(lower_bound(share * n, n), share) if bound == "low" else max(upper_bound(share * n, n), share)


def _joint(shares: list[float]) -> float:
    return 1.0 - math.prod(1.0 - min(share, 1.0) for share in shares)


def _counts(facts: pd.Series[Any]) -> TrafficCounts:
    return TrafficCounts(
        clicks=int(facts["clicks"]),
        conversions=int(facts["conversions"]),
        expected_conversions=_number(facts["expected_conversions"]),
        self_matches=None if (matches := _number(facts["self_matches"])) is None else int(matches),
        commission=_money(facts["commission"]),
        pending_commission=_money(facts["pending_commission"]),
        currency=_text(facts["currency"]),
    )


def _one_row(inputs: TrafficInputs) -> FeatureTable:
    facts, key, name = inputs.facts, inputs.peer_key, inputs.facts.subject
    columns = [feature.name for feature in FEATURES]
    counts = msgspec.structs.asdict(facts.counts)
    peers = {"affiliate_type": key.affiliate_type, "main_country": key.main_country, "vertical": key.vertical}
    row = {**counts, **peers, "declared": facts.declared}
    return FeatureTable(
        values=pd.DataFrame([[facts.values.get(column, math.nan) for column in columns]], index=[name], columns=columns, dtype="float64"),
        support=pd.DataFrame([[facts.support.get(column, math.nan) for column in columns]], index=[name], columns=columns, dtype="float64"),
        facts=pd.DataFrame([row], index=[name]),
        hash=feature_set_hash(),
    )


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _money(value: Any) -> Decimal | None:
    return None if value is None or pd.isna(value) else cents(value)


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)
