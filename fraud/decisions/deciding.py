"""From signals and a policy to a verdict, for each of the three jobs. Pure: the same inputs give the same verdict for ever."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fraud.decisions.losses import by_loss
from fraud.decisions.ruling import NO_FACTS, Case, Ruling, rule_on
from fraud.decisions.weighing import (
    associative_families,
    conclusive,
    coverage,
    findings,
    independent,
    log_odds,
    may_act,
    probability,
    worth_a_look,
)
from fraud.domain.catalogue import CHECKS
from fraud.domain.decisions import DecisionKind, Outcome, Verdict
from fraud.domain.signals import Severity, Signal, Status, Tier, reason_of
from fraud.policy.expressions import Facts
from fraud.policy.pack import FITTED_BASE_RATE, ExpectedLoss, Pack, ScanPolicy

_NEVER_CERTAIN = 1 - 1e-6
_LARGEST_EXPONENT = 700.0
_DIGITS = 6  # scores are kept to six places: finer differences mean nothing to a person and would not survive a change of processor

_WAYS_TO_LOOK = ("website.reachable", "website.social_profiles", "audience.channel")
"""Checks whose missing answer keeps the others from being made."""

_UNSEEN = frozenset({Status.INCONCLUSIVE, Status.ERROR})

_ANOTHER_LOOK = "Another look: pages that can be read without scripts, and whatever the application left open."

FAILS_CLOSED = "degraded_fails_closed"
"""The guard that turned `allow` into `review` because not everything could be asked."""

PUBLIC_NOTHING = "We found nothing that needs your attention."
PUBLIC_OPEN = "We could not check everything yet and will come back to you."


def decide_application(pack: Pack, signals: Sequence[Signal], facts: Facts = NO_FACTS) -> Verdict:
    """Approve, ask, review or reject: the smallest expected loss, within the guards.

    Guards: below the minimum of coverage nothing is approved; a conclusive finding is never approved, nor is an application where a
    check that could have been conclusive could not look; rejection needs evidence that may act and a pack that lets it happen without
    a person.
    """
    found = findings(signals)
    covered = coverage(pack, signals)
    risk = probability(pack.vetting.prior, log_odds(pack, signals))
    guards: list[str] = []
    case = Case(DecisionKind.VET, signals, facts)
    ruling = rule_on(pack, case, cheapest_outcome(risk, pack.vetting.loss), risk, covered)
    outcome = ruling.outcome
    if outcome is Outcome.REJECT and not (may_act(found) and pack.vetting.reject_automatically):
        guards.append("rejection_waits_for_a_person")
        outcome = Outcome.REVIEW
    if outcome is Outcome.APPROVE and conclusive(found, Severity.MEDIUM):
        guards.append("conclusive_finding_is_not_approved")
        outcome = Outcome.REVIEW
    if outcome is Outcome.APPROVE and covered < pack.vetting.minimum_coverage:
        guards.append("coverage_below_minimum")
        outcome = Outcome.REQUEST_INFO
    if outcome is Outcome.APPROVE and any(s.tier is Tier.CONCLUSIVE and s.status in _UNSEEN for s in signals):
        guards.append("conclusive_check_could_not_look")
        outcome = Outcome.REVIEW
    return _verdict(replace(ruling, outcome=outcome), risk, covered, signals, guards)


def cheapest_outcome(risk: float, loss: ExpectedLoss) -> Outcome:
    """The outcome of an application with the smallest expected loss at this probability of harm (section 7)."""
    exposure = loss.exposure * (1 - loss.recoverable_share)
    margin = loss.margin_of_a_good_affiliate
    costs = {
        Outcome.APPROVE: risk * exposure,
        Outcome.REVIEW: loss.review_cost
        + risk * (1 - loss.review_sensitivity) * exposure
        + (1 - risk) * (1 - loss.review_specificity) * margin,
        Outcome.REJECT: (1 - risk) * margin,
    }
    return min(costs, key=lambda outcome: costs[outcome])


def decide_traffic(pack: Pack, signals: Sequence[Signal], evidence: float, facts: Facts = NO_FACTS, *, ranked: bool = False) -> Verdict:
    """Pass, watch, review, hold or suspend for an affiliate's night.

    `evidence` is the fused -log10 p of the statistics (NaN when there are none). Rules join it as the policy weighs them;
    the sum becomes the score, a probability (`risk_of`). Statistics alone reach `review`, never `hold`. `ranked`: the evidence is a
    ranker's, which was taught with what most rules rest on, so that they add less.
    """
    ruled = rule_traffic(pack, signals, evidence, facts, ranked=ranked)
    return _verdict(ruled.ruling, ruled.score, ruled.coverage, signals, ruled.guards)


@dataclass(frozen=True)
class Ruled:
    """What a verdict says before it is put in words: the outcome with the rules that fired, score, coverage and the guards that spoke."""

    ruling: Ruling
    score: float
    coverage: float
    guards: tuple[str, ...]


def rule_traffic(pack: Pack, signals: Sequence[Signal], evidence: float, facts: Facts = NO_FACTS, *, ranked: bool = False) -> Ruled:
    """The outcome of `decide_traffic` without its words: for those who decide many nights again and ask for nothing else."""
    found = findings(signals)
    statistics = 0.0 if math.isnan(evidence) else max(evidence, 0.0)
    total = statistics + pack.scan.weight_of_rules(ranked=ranked) * max(log_odds(pack, signals), 0.0)
    score = risk_of(pack.scan, total)
    guards: list[str] = []
    covered = coverage(pack, signals)
    stake = facts.get("pending_commission")
    wanted, moved = by_loss(pack.scan.losses, _traffic_outcome(pack, found, score), score, stake if isinstance(stake, float) else None)
    guards += [moved] if moved else []
    ruling = rule_on(pack, Case(DecisionKind.SCAN, signals, facts), wanted, score, covered)
    outcome = ruling.outcome
    if outcome is Outcome.SUSPEND and not pack.scan.suspend_automatically:
        guards.append("suspension_waits_for_a_person")
        outcome = Outcome.HOLD
    if outcome is Outcome.SUSPEND and not conclusive(found, Severity.CRITICAL):
        guards.append("no_suspension_without_conclusive_evidence")
        outcome = Outcome.HOLD
    if outcome is Outcome.HOLD and not may_act(found):
        guards.append("no_anomaly_alone_holds")
        outcome = Outcome.REVIEW
    return Ruled(replace(ruling, outcome=outcome), score, covered, tuple(guards))


def risk_of(policy: ScanPolicy, evidence: float) -> float:
    """The probability of being bad at this much evidence (-log10 p, rules added): odds of (evidence / half) ** power, moved from the base
    rate they were fitted at to the policy's own. It rises with the evidence and is never certain."""
    if evidence <= 0.0:
        return 0.0
    prior = policy.base_rate / (1 - policy.base_rate) * (1 - FITTED_BASE_RATE) / FITTED_BASE_RATE
    risk = math.log(prior) + policy.evidence_power * (math.log(evidence) - math.log(policy.half_risk_evidence))
    return min(1 / (1 + math.exp(min(-risk, _LARGEST_EXPONENT))), _NEVER_CERTAIN)


def _traffic_outcome(pack: Pack, found: Sequence[Signal], score: float) -> Outcome:
    if conclusive(found, Severity.CRITICAL):
        return Outcome.SUSPEND
    if conclusive(found) or independent(associative_families(found, Severity.HIGH)) >= 2:
        return Outcome.HOLD
    if score >= pack.scan.review_score or worth_a_look(found):
        return Outcome.REVIEW
    if score >= pack.scan.watch_score or any(signal.severity is not Severity.INFO for signal in found):
        return Outcome.WATCH
    return Outcome.PASS


def decide_event(pack: Pack, case: Case, *, degraded: bool) -> Verdict:
    """Allow, review or block one click or conversion. Blocking takes a conclusive finding (CONTRACT 4); everything else is reviewed at
    most. One judged with less than usual (`degraded`) passes only where the pack fails open."""
    signals = case.signals
    found = findings(signals)
    risk, covered = probability(pack.score.prior, log_odds(pack, signals)), coverage(pack, signals)
    ruling = rule_on(pack, case, _event_outcome(pack, found, risk), risk, covered)
    outcome, guards = ruling.outcome, []
    if outcome is Outcome.BLOCK and not conclusive(found):
        guards.append("no_block_without_absolute_evidence")
        outcome = Outcome.REVIEW
    if degraded and not pack.score.fail_open and outcome is Outcome.ALLOW:
        guards.append(FAILS_CLOSED)
        outcome = Outcome.REVIEW
    return _verdict(replace(ruling, outcome=outcome), risk, covered, signals, guards)


def _event_outcome(pack: Pack, found: Sequence[Signal], risk: float) -> Outcome:
    if conclusive(found):
        return Outcome.BLOCK
    if risk >= pack.score.review_score or associative_families(found, Severity.HIGH):
        return Outcome.REVIEW
    return Outcome.ALLOW


def _verdict(ruling: Ruling, score: float, covered: float, signals: Sequence[Signal], guards: Sequence[str]) -> Verdict:
    found = findings(signals)
    own = ruling.public_texts(ruling.outcome)
    return Verdict(
        outcome=ruling.outcome,
        score=round(score, _DIGITS),
        coverage=round(covered, _DIGITS),
        typologies=tuple(sorted({typology for signal in found for typology in signal.typologies})),
        reasons=tuple(reason_of(signal) for signal in found),
        guards=tuple(guards),
        public_reason=" ".join(own) if own else public_reason(ruling.outcome, found),
        needed=needed(signals),
        rules=ruling.ids,
    )


def public_reason(outcome: Outcome, found: Sequence[Signal]) -> str:
    """What the affiliate is told: the catalogue's public sentences of what weighed, and nothing of how it was seen."""
    if outcome in {Outcome.APPROVE, Outcome.PASS, Outcome.ALLOW, Outcome.WATCH}:
        return PUBLIC_NOTHING
    weighty = [signal for signal in found if signal.severity.rank >= Severity.MEDIUM.rank] or list(found)
    known = (CHECKS[signal.check_id] for signal in weighty if signal.check_id in CHECKS)  # a kept decision may name a check since retired
    sentences = list(dict.fromkeys(check.public_text for check in known))
    return " ".join(sentences[:3]) or PUBLIC_OPEN


def needed(signals: Sequence[Signal]) -> tuple[str, ...]:
    """What would settle the case: the catalogue's word for every finding, and a way to look where nothing could be seen.

    A check that could not look asks for nothing of its own: that would accuse of what nobody saw.
    """
    texts = [CHECKS[signal.check_id].needed for signal in signals if signal.found]
    texts += [CHECKS[name].needed for name in _WAYS_TO_LOOK if any(s.check_id == name and s.status is Status.INCONCLUSIVE for s in signals)]
    missed = any(signal.status in {Status.INCONCLUSIVE, Status.ERROR} for signal in signals)
    return tuple(dict.fromkeys(text for text in texts if text)) or ((_ANOTHER_LOOK,) if missed else ())
