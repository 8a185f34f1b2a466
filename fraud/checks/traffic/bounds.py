"""The few statistics that rules over counts need."""

from __future__ import annotations

from scipy import special


def lower_bound(successes: float, trials: float) -> float:
    """The 5% bound of a share under Jeffreys' prior, Beta(.5 + x, .5 + n - x): small samples cannot shout."""
    return float(special.betaincinv(0.5 + successes, 0.5 + max(trials - successes, 0.0), 0.05))


def upper_bound(successes: float, trials: float) -> float:
    """The 95% bound of a share under Jeffreys' prior."""
    return float(special.betaincinv(0.5 + successes, 0.5 + max(trials - successes, 0.0), 0.95))


def poisson_at_most(count: int, expected: float) -> float:
    """P(K <= count) of a Poisson variable."""
    return float(special.pdtr(count, expected))


def poisson_at_least(count: int, expected: float) -> float:
    """P(K >= count) of a Poisson variable."""
    return 1.0 if count == 0 else float(special.pdtrc(count - 1, expected))
