"""When one affiliate is confirmed: those who are linked to it are scored again, and each new decision says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from fraud.decisions.inputs import TrafficInputs, judge_again
from fraud.decisions.ranking import TrafficRanker, with_ranks
from fraud.decisions.traffic import prepared_checks, verdict_of
from fraud.detection.traffic import TrafficModel
from fraud.domain.decisions import Decision
from fraud.domain.graph import MOST_FROM_NEIGHBOURS, GraphFinding, GraphPattern
from fraud.domain.ids import stable_id
from fraud.links.evidence import neighbour_finding
from fraud.policy.pack import Pack


class Rescored(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate scored again: the risk before and after, and the reason in words."""

    affiliate_id: str
    decision_id: str
    before: float
    after: float
    text: str


@dataclass(frozen=True)
class Rescoring:
    """What scoring again works with: the pack and the models that the earlier decision was made with, who decides, and when."""

    pack: Pack
    model: TrafficModel
    actor_id: str
    now: datetime
    ranker: TrafficRanker | None = None


def rescored(decision: Decision, confirmed_bad: frozenset[str], tools: Rescoring) -> Decision | None:
    """The decision on a linked affiliate in the light of what was confirmed; `None` when that changes nothing.

    Only what neighbours say is new: traffic, patterns, model and policy are those of the earlier decision.
    """
    inputs = msgspec.convert(decision.inputs, TrafficInputs)
    around = {other for finding in inputs.facts.graph if finding.pattern is not GraphPattern.NEIGHBOUR for other in finding.others}
    bad = tuple(sorted(around & confirmed_bad))
    rest = tuple(finding for finding in inputs.facts.graph if finding.pattern is not GraphPattern.NEIGHBOUR)
    graph: tuple[GraphFinding, ...] = (*rest, neighbour_finding(bad, MOST_FROM_NEIGHBOURS)) if bad else rest
    if graph == inputs.facts.graph:
        return None
    joined = msgspec.structs.replace(inputs, facts=msgspec.structs.replace(inputs.facts, graph=graph))
    (again,) = with_ranks(tools.ranker, [judge_again(tools.model, joined)])
    signals = prepared_checks(tools.pack).run(again.facts.subject, again.facts)
    return msgspec.structs.replace(
        decision,
        decision_id=stable_id("dec", decision.decision_id, *bad, tools.now.isoformat()),
        decided_at=tools.now,
        decided_by=tools.actor_id,
        verdict=verdict_of(tools.pack, again, signals),
        signals=signals,
        inputs=msgspec.to_builtins(again),
        run_id=decision.run_id,
    )
