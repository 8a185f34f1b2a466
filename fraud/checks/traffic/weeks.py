"""A rule over tonight, asked again of all the weeks until tonight where tonight is too little to say."""

from __future__ import annotations

import msgspec

from fraud.checks.traffic.facts import TrafficFacts
from fraud.checks.traffic.shares import TrafficCheck
from fraud.domain.catalogue import Limits
from fraud.domain.signals import Signal


def also_over_weeks(check: TrafficCheck) -> TrafficCheck:
    """The check, which looks at the subject's weeks together when it finds nothing in tonight alone.

    What it finds there it says of the weeks; what it does not find there it says of tonight, as before. A small affiliate sends in four
    weeks what a rule needs to rest on, and what was done then was done.
    """

    def over_both(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
        tonight = check(facts, limits)
        if facts.weeks is None or any(signal.found for signal in tonight):
            return tonight
        weeks = check(_of_weeks(facts), limits)
        return tuple(_said_of_weeks(signal, facts.weeks.windows) for signal in weeks) if any(one.found for one in weeks) else tonight

    over_both.__name__, over_both.__doc__ = check.__name__, check.__doc__
    return over_both


def _of_weeks(facts: TrafficFacts) -> TrafficFacts:
    """The facts with the weeks in tonight's place."""
    weeks = facts.weeks
    if weeks is None:
        return facts
    return msgspec.structs.replace(facts, values=weeks.values, support=weeks.support, peers=weeks.peers, counts=weeks.counts)


def _said_of_weeks(signal: Signal, windows: int) -> Signal:
    return msgspec.structs.replace(signal, text=f"Over the last {windows} windows together: {signal.text}") if signal.found else signal
