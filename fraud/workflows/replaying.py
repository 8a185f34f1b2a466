"""Replay: a stored decision said again from its own inputs, policy and models, and compared: its subject, its signals, its verdict."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fraud.checks.running import run_applicant_checks
from fraud.decisions.deciding import decide_application
from fraud.decisions.erasing import is_erased
from fraud.decisions.facts import application_facts
from fraud.decisions.inputs import judge_again
from fraud.decisions.ranking import TrafficRanker, with_ranks
from fraud.decisions.traffic import prepared_checks, verdict_of
from fraud.detection.clicks import ClickModel
from fraud.detection.traffic import TrafficModel
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Verdict
from fraud.domain.hashing import canonical_json
from fraud.domain.signals import Signal
from fraud.errors import ReplayError
from fraud.policy.pack import Pack
from fraud.workflows import vetting
from fraud.workflows.converting import conversion_checks_of, conversion_facts_of, conversion_verdict
from fraud.workflows.rejudging import stored_inputs
from fraud.workflows.scoring import checks_of, click_verdict, replayed_facts


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the verdict that came out otherwise; or `signals`, or what the inputs say of program and subject."""

    field: str
    then: object
    now: object


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A decision said again. `same` is equality of verdict, signals and subject; under another policy `differences` is what it changes."""

    decision_id: str
    same: bool
    policy: Artefact
    then: Verdict
    now: Verdict
    differences: tuple[Difference, ...]


def replay(decision: Decision, pack: Pack, models: Mapping[str, object]) -> Replay:
    """Recomputes a decision from its stored inputs under a pack, with the models it names."""
    if is_erased(decision):
        raise ReplayError(
            f"The person behind decision {decision.decision_id} was erased on {decision.inputs['erased']['at'][:10]}, so it cannot be "
            "computed again; its outcome stands, and the SHA-256 of what it was is kept with it."
        )
    now = _said_again(decision, pack, models)
    differences = (*_of_subject(decision, now), *_of_verdict(decision.verdict, now.verdict), *_of_signals(decision.signals, now.signals))
    return Replay(
        decision_id=decision.decision_id,
        same=not differences,
        policy=pack.artefact,
        then=decision.verdict,
        now=now.verdict,
        differences=differences,
    )


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the inputs of a decision give: whose they are (`program_id` empty where they do not say), the signals and the verdict."""

    program_id: str = ""
    subject_id: str
    signals: tuple[Signal, ...]
    verdict: Verdict


def _of_subject(decision: Decision, now: _Said) -> list[Difference]:
    then = {"program_id": decision.program_id, "subject_id": decision.subject_id}
    told = {"program_id": now.program_id or decision.program_id, "subject_id": now.subject_id}
    return [Difference(field=name, then=then[name], now=told[name]) for name in then if then[name] != told[name]]


def _of_verdict(then: Verdict, now: Verdict) -> list[Difference]:
    pairs = [(name, getattr(then, name), getattr(now, name)) for name in Verdict.__struct_fields__]
    return [Difference(field=name, then=before, now=after) for name, before, after in pairs if before != after]


def _of_signals(then: tuple[Signal, ...], now: tuple[Signal, ...]) -> list[Difference]:
    """Compared as they are stored: a value that was a tuple comes back from a store as a list."""
    return [] if canonical_json(then) == canonical_json(now) else [Difference(field="signals", then=then, now=now)]


def _said_again(decision: Decision, pack: Pack, models: Mapping[str, object]) -> _Said:
    if decision.kind is DecisionKind.VET:
        applicant = vetting.facts_of(decision)
        signals = run_applicant_checks(pack, applicant)
        verdict = decide_application(pack, signals, application_facts(applicant.application, pack.profile_under(applicant.profile)))
        return _Said(program_id=applicant.application.program_id, subject_id=applicant.subject, signals=signals, verdict=verdict)
    if decision.kind is DecisionKind.SCORE:
        facts = replayed_facts(decision, next((model for model in models.values() if isinstance(model, ClickModel)), None))
        signals = checks_of(pack).run(facts.click.click_id, facts)
        verdict = click_verdict(pack, facts, signals)
        return _Said(program_id=facts.click.program_id, subject_id=facts.click.click_id, signals=signals, verdict=verdict)
    if decision.kind is DecisionKind.CONVERSION:
        converted = conversion_facts_of(decision)
        signals = conversion_checks_of(pack).run(converted.conversion.conversion_id, converted)
        verdict = conversion_verdict(pack, converted, signals)
        subject_id = converted.conversion.conversion_id
        return _Said(program_id=converted.conversion.program_id, subject_id=subject_id, signals=signals, verdict=verdict)
    model = next((model for model in models.values() if isinstance(model, TrafficModel)), None)
    if model is None:
        raise ReplayError(f"Decision {decision.decision_id} names no traffic model, so its evidence cannot be computed again.")
    ranker = next((model for model in models.values() if isinstance(model, TrafficRanker)), None)
    (inputs,) = with_ranks(ranker, [judge_again(model, stored_inputs(decision))])
    signals = prepared_checks(pack).run(inputs.facts.subject, inputs.facts)
    return _Said(subject_id=inputs.facts.subject, signals=signals, verdict=verdict_of(pack, inputs, signals))
