"""Sources that cost time or money are asked last, and only where their answer could change the outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from fraud.checks.applicants.context import VettingFacts
from fraud.checks.running import run_applicant_checks
from fraud.decisions.deciding import decide_application
from fraud.decisions.facts import application_facts
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.decisions import DecisionKind
from fraud.domain.signals import Severity, Signal
from fraud.policy.pack import Pack

Asking = Literal["never", "auto", "always"]
"""Whether dear sources are asked; `auto` means where the outcome could change."""


@dataclass(frozen=True)
class DearSource:
    """A source that is not asked for nothing: the check it serves, the gravest finding that one gives, whether there is anything to ask
    of these facts, the asking itself, which gives the facts with the answer and never raises what the source causes, and when to ask."""

    check_id: str
    gravest: Severity
    applies: Callable[[VettingFacts], bool]
    gather: Callable[[VettingFacts], Awaitable[VettingFacts]]
    ask: Asking = "auto"


async def completed(facts: VettingFacts, pack: Pack, sources: Iterable[DearSource]) -> VettingFacts:
    """The facts with the answers of the sources that were worth asking, one after the other."""
    for source in sources:
        if source.ask != "never" and source.applies(facts) and (source.ask == "always" or could_change(facts, pack, source)):
            facts = await source.gather(facts)
    return facts


def could_change(facts: VettingFacts, pack: Pack, source: DearSource) -> bool:
    """Whether the outcome would be another one if the source's check ended clear, or in its gravest finding."""
    if all(spec.check_id != source.check_id for spec in pack.enabled(DecisionKind.VET)):
        return False
    others = tuple(signal for signal in run_applicant_checks(pack, facts) if signal.check_id != source.check_id)
    spec, supposed = CHECKS[source.check_id], Observation(text="")
    ends: tuple[tuple[Signal, ...], ...] = (
        (),
        (spec.clear(facts.subject, supposed),),
        (spec.finding(facts.subject, source.gravest, supposed),),
    )
    stated = application_facts(facts.application, pack.profile_under(facts.profile))
    return len({decide_application(pack, (*others, *end), stated).outcome for end in ends}) > 1
