"""The subjects of a night, each decided: signals, verdict, what is at stake, and the decision to keep."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from fraud.cases.alerting import Candidate
from fraud.checks.traffic.facts import TrafficFacts
from fraud.decisions.inputs import InputsReader, Links, TrafficInputs
from fraud.decisions.ranking import with_ranks
from fraud.decisions.traffic import commission_at_risk, verdict_of
from fraud.detection.traffic import Judgement
from fraud.domain.decisions import Artefact, Decision, DecisionKind, SubjectKind, Verdict
from fraud.domain.ids import new_id
from fraud.domain.scans import CommissionAtRisk
from fraud.domain.signals import Signal
from fraud.features.catalogue import feature_set_hash
from fraud.features.table import FeatureTable, Subject
from fraud.workflows.night import Night, Ranking


@dataclass(frozen=True)
class DecidedSubject:
    """A subject that may become an alert, with what was seen of it and the commission that may be invalid."""

    candidate: Candidate
    facts: TrafficFacts
    at_risk: CommissionAtRisk


def decided_subjects(night: Night, table: FeatureTable, judged: Judgement, kind: SubjectKind) -> list[DecidedSubject]:
    """Every subject of a table, decided; affiliates in the order that reviews taught, sub-IDs as the statistics have them."""
    subjects, reader = list(table.facts.index), InputsReader(table, judged)
    ranking = night.tools.ranking if kind is SubjectKind.AFFILIATE else Ranking()
    inputs = with_ranks(ranking.ranker, [_inputs(night, reader, subject, kind) for subject in subjects])
    models = night.models if ranking.artefact is None else (*night.models, ranking.artefact)
    return [_decided(night, one, (subject, kind), models, judged.p_of(subject)) for subject, one in zip(subjects, inputs, strict=True)]


def _inputs(night: Night, reader: InputsReader, subject: Subject, kind: SubjectKind) -> TrafficInputs:
    affiliate = subject[0] if isinstance(subject, tuple) else subject
    known = night.companies.get(str(affiliate)), night.graph.of(str(affiliate))
    links = Links(company=known[0], findings=known[1]) if kind is SubjectKind.AFFILIATE else Links()
    name = "/".join(_escaped(part) for part in subject) if isinstance(subject, tuple) else subject
    return reader.of(subject, name, links)


def _decided(
    night: Night, inputs: TrafficInputs, who: tuple[Subject, SubjectKind], models: tuple[Artefact, ...], p_value: float | None
) -> DecidedSubject:
    facts, (subject, kind) = inputs.facts, who
    signals = night.checks.run(facts.subject, facts)
    verdict = verdict_of(night.tools.pack, inputs, signals)
    at_risk = commission_at_risk(facts, verdict)
    candidate = Candidate(
        decision=_decision(night, inputs, kind, models, (signals, verdict)),
        subject=subject,
        exposure=float(at_risk.mid or 0),
        evidence=facts.evidence or 0.0,
        p_value=p_value,
    )
    return DecidedSubject(candidate, facts, at_risk)


def _decision(
    night: Night, inputs: TrafficInputs, kind: SubjectKind, models: tuple[Artefact, ...], said: tuple[tuple[Signal, ...], Verdict]
) -> Decision:
    signals, verdict = said
    tools = night.tools
    return Decision(
        decision_id=new_id("dec", tools.now),
        program_id=night.request.program_id,
        kind=DecisionKind.SCAN,
        subject_kind=kind,
        subject_id=inputs.facts.subject,
        as_of=night.window.end,
        decided_at=tools.now,
        decided_by=tools.actor.actor_id,
        verdict=verdict,
        signals=signals,
        policy=tools.pack.artefact,
        models=models,
        feature_set_hash=feature_set_hash(),
        inputs=msgspec.to_builtins(inputs),
        run_id=night.scan_id,
    )


def _escaped(part: str) -> str:
    """One half of a sub-ID's name; a slash in it is spelled so that two names never meet."""
    return part.replace("%", "%25").replace("/", "%2F")
