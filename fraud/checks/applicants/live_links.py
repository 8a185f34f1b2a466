"""Section 6.1: whether the links that an export claims are there, for a visitor to see."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from crawlers.backlinks.facts import LinkSeen, LinkState
from fraud.checks.applicants.context import VettingFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_SPEC = CHECKS["audience.live_links"]
_QUOTED = 10


def live_links(facts: VettingFacts, limits: Limits) -> Signal:
    """A finding where even the interval's upper end is below the least share, clear where the share is above it, else not known."""
    if facts.audience.backlinks is None:
        return _SPEC.not_applicable(facts.subject, "The application came without an export of backlinks.")
    seen = facts.audience.links
    if seen is None:
        return _SPEC.not_applicable(facts.subject, "The linking pages were not looked at.")
    looked = [one for one in seen if one.state is not LinkState.UNKNOWN]
    if len(looked) < limits["minimum_pages"]:
        text = f"Of {len(seen)} linking page(s) drawn only {len(looked)} could be looked at."
        return _SPEC.inconclusive(facts.subject, text, _evidence(seen))
    live = sum(one.state is LinkState.LIVE for one in looked)
    low, high = wilson(live, len(looked), limits["z"])
    observed = Observation(
        text=_text(looked, live, (low, high)),
        value={"live": live, "looked_at": len(looked), "drawn": len(seen), "low": round(low, 3), "high": round(high, 3)},
        baseline=limits["minimum_share"],
        sample_size=len(looked),
        evidence=_evidence(one for one in seen if one.state is not LinkState.LIVE),
    )
    if high < limits["minimum_share"]:
        return _SPEC.finding(facts.subject, Severity.LOW, observed)
    if live / len(looked) >= limits["minimum_share"]:
        return _SPEC.clear(facts.subject, observed)
    return _SPEC.inconclusive(facts.subject, f"{observed.text} That may be chance.", observed.evidence)


def wilson(hits: int, trials: int, z: float) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927), within 0..1; `trials` is at least one.

    For a sample drawn in proportion from levels it is a little too wide, never too narrow.
    """
    share = hits / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    whole = 1 + z * z / trials
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def _text(looked: Sequence[LinkSeen], live: int, interval: tuple[float, float]) -> str:
    low, high = interval
    there = [one for one in looked if one.followed is not None]
    hidden = sum(one.state is LinkState.HIDDEN for one in looked)
    said = f"{live} of {len(looked)} links looked for are there ({low:.0%} to {high:.0%} of all)"
    more = [f"{hidden} more out of sight"] if hidden else []
    if there:
        more.append(f"{sum(bool(one.followed) for one in there)} pass weight")
        more.append(f"{sum(bool(one.indexable) for one in there)} stand on pages that search engines may list")
    return f"{said}{'; ' if more else ''}{', '.join(more)}."


def _evidence(seen: Iterable[LinkSeen]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            url=one.url, fetched_at=one.fetched_at, sha256=one.sha256, excerpt=one.anchor or one.reason,
            detail={"state": one.state.value, "authority": one.stratum},
        )
        for one in list(seen)[:_QUOTED]
    )  # fmt: skip
