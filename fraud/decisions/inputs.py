"""What a scan's decision stores of its subject: read from the night's tables and what models said of them, or judged again for a replay."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import pandas as pd

from fraud.checks.traffic.facts import Company, Extreme, FeatureResidual, TrafficCounts, TrafficFacts, WeekFacts
from fraud.detection.traffic import Judgement, TrafficModel, Weeks, judge
from fraud.domain.graph import GraphFinding, graph_evidence
from fraud.domain.money import cents
from fraud.features.catalogue import FEATURES, feature_set_hash
from fraud.features.table import FeatureTable, Rows, Subject, places_of

MOST_RESIDUALS = 12
"""Residuals kept with a decision: more than any explanation names."""


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


class InputsReader:
    """Reads the inputs of a night's subjects, one by one, from tables that were taken out of pandas once."""

    def __init__(self, table: FeatureTable, judgement: Judgement) -> None:
        self._judgement = judgement
        self._facts: list[dict[str, Any]] = table.facts.to_dict("records")  # type: ignore[assignment]  # the names of columns are texts
        self._place = places_of(table.facts)
        self._values, self._support = Rows(table.values), Rows(table.support)
        self._peers, self._extremes = Rows(judgement.residuals.peer), Rows(judgement.extremes)
        self._weeks = None if judgement.weeks is None else _WeeksReader(judgement.weeks)

    def of(self, subject: Subject, name: str, links: Links | None = None) -> TrafficInputs:
        """The inputs of one row of the table, with what the models and the graph say of it (`None`: a subject the graph does not know)."""
        links = links or Links()
        facts = self._facts[self._place[subject]]
        values, support = self._values.known(subject), self._support.known(subject)
        return TrafficInputs(
            facts=TrafficFacts(
                subject=name,
                values=values,
                support=support,
                counts=_counts(facts),
                peers=self._peers.known(subject),
                residuals=self._residuals(subject),
                evidence=self._judgement.evidence_of(subject, graph_evidence(links.findings)),
                declared=_text(facts.get("declared")),
                company=links.company,
                graph=links.findings,
                weeks=None if self._weeks is None else self._weeks.of(subject),
                extremes=self._furthest(subject, values, support),
            ),
            peer_key=PeerKey(
                affiliate_type=_text(facts["affiliate_type"]),
                main_country=_text(facts["main_country"]),
                clicks=int(facts["clicks"]),
                vertical=_text(facts["vertical"]),
            ),
        )

    def _residuals(self, subject: Subject) -> tuple[FeatureResidual, ...]:
        return tuple(
            FeatureResidual(feature=r.feature, side=r.side, z=r.z, value=r.value, peer=r.peer, support=r.support, weeks=r.weeks)
            for r in self._judgement.reasons(subject, MOST_RESIDUALS)
        )

    def _furthest(self, subject: Subject, values: dict[str, float], support: dict[str, float]) -> tuple[Extreme, ...]:
        """The subject's features beyond the whole reference, furthest first."""
        furthest = self._judgement.furthest
        found = sorted(self._extremes.known(subject).items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(
            Extreme(
                feature=feature,
                side=side,
                distance=distance,
                furthest=furthest.distance[column],
                rows=furthest.rows[column],
                value=values[feature],
                support=support[feature],
            )
            for column, distance in found
            for feature, _, side in [column.rpartition(":")]
        )


class _WeeksReader:
    """Reads the weeks until tonight of one subject after another."""

    def __init__(self, weeks: Weeks) -> None:
        pooled = weeks.pooled
        self._counts, self._values, self._weights = Rows(pooled.counts), Rows(pooled.values), Rows(pooled.weights)
        self._peers = Rows(weeks.residuals.peer)

    def of(self, subject: Subject) -> WeekFacts | None:
        """The subject's weeks as checks see them; `None` when it has none before tonight."""
        counts = self._counts.known(subject)
        windows = int(counts["windows"])
        if windows < 2:
            return None
        values = self._values.known(subject)
        matches = counts.get("self_matches")
        return WeekFacts(
            windows=windows,
            values=values,
            support={name: n for name, n in self._weights.known(subject).items() if name in values},
            peers=self._peers.known(subject),
            counts=TrafficCounts(
                clicks=int(counts["clicks"]),
                conversions=int(counts["conversions"]),
                expected_conversions=counts.get("expected_conversions"),
                self_matches=None if matches is None else int(matches),
            ),
        )


def judge_again(model: TrafficModel, inputs: TrafficInputs) -> TrafficInputs:
    """What the model says of stored values: for a replay, the same as it said then."""
    table = _one_row(inputs)
    links = Links(company=inputs.facts.company, findings=inputs.facts.graph)
    return InputsReader(table, judge(model, table)).of(inputs.facts.subject, inputs.facts.subject, links)


def _counts(facts: dict[str, Any]) -> TrafficCounts:
    matches = _number(facts["self_matches"])
    return TrafficCounts(
        clicks=int(facts["clicks"]),
        conversions=int(facts["conversions"]),
        expected_conversions=_number(facts["expected_conversions"]),
        self_matches=None if matches is None else int(matches),
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
