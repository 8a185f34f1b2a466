"""From a raw feature to a residual: what a rate, a level, a magnitude or a statistic is worth once its sample size is taken into account.

Source: `detection.md` 4.1. Every function works element by element with scalar-exact functions (`scipy.special`, IEEE arithmetic), so the
result for one entity is the same to the last bit whether it is computed alone or among thousands; numpy's own vectorised `log` is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from scipy.special import expit, expm1, log1p, xlogy

from models.arrays import FloatArray, IntArray

Kind: TypeAlias = Literal["rate", "level", "magnitude", "statistic"]

PSEUDO_EVENTS = 4.0
"""Pseudo-conversions of the Gamma-Poisson prior (4.1.2), and the most pseudo-events a Beta prior may be worth: a reference that happens
to be homogeneous must not outweigh hundreds of tonight's clicks."""
MINIMUM_PRIOR_STRENGTH = 2.0
"""The least a Beta prior is worth, in observations (4.1.1)."""
LOG_FLOOR = 0.25
"""Spread that honest entities have in log space whatever the sample says (4.1.2 gives .15 to .35)."""
STATISTIC_FLOOR = 0.05
"""Spread of a statistic whose reference is constant at zero, in its own unit: no scale is known, so small differences are not news."""
PSEUDO_PEERS = 30.0
"""Weight of the parent group's slope when a group's own is fitted, in entities (the group size of 4.1's hierarchy)."""
RATE_BLUR = 0.005
"""Rates that differ by less than about half a percentage point hardly differ in their residual, however rare the event: a tenth of a
percent where a hundredth is usual is a tenfold rise and nobody's concern."""
LEAST_VARIANCE = 1e-5
"""The least a Beta prior may vary, as a share of mean * (1 - mean) (4.1.1 says of the mean, which goes wrong near 1)."""
OUTLIER = 2.5
"""Robust standard deviations beyond which an entity has no say in its group's regression line."""


@dataclass(frozen=True)
class Sample:
    """One feature of some entities, all arrays (entities,): value in the feature's own unit, its support, log of the entity's volume."""

    value: FloatArray
    support: FloatArray
    log_volume: FloatArray

    def take(self, rows: IntArray) -> Sample:
        """The sample of these entities."""
        return Sample(self.value[rows], self.support[rows], self.log_volume[rows])


class Transform(Protocol):
    """How one kind of feature becomes a residual. A prior is two numbers, (2,) for a group or (entities, 2) for many entities."""

    def prior(self, sample: Sample, parent: FloatArray | None) -> FloatArray:
        """The prior (2,) of a group with at least one entity, knowing its parent's."""
        ...

    def shrink(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """The value that the entity's own data and its group's prior give together, in the feature's own unit."""
        ...

    def residual(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """The value on the scale where groups are compared."""
        ...

    def own_unit(self, centre: FloatArray, sample: Sample, prior: FloatArray) -> FloatArray:
        """A residual turned back into the feature's own unit, for an entity of the sample's volume."""
        ...

    def floor(self, sample: Sample) -> float:
        """The least spread to assume, in units of the residual, given the whole reference."""
        ...


def log(values: FloatArray) -> FloatArray:
    """The natural logarithm, computed one element at a time."""
    return np.asarray(xlogy(1.0, values), dtype=np.float64)


class Rate:
    """k of n: a Beta prior by moments with the binomial noise taken out (4.1.1); prior = mean, strength; residual = log odds.

    The strength is at least 2 and at most four pseudo-events on the rarer side (`PSEUDO_EVENTS`).
    """

    def prior(self, sample: Sample, parent: FloatArray | None) -> FloatArray:
        """Mean and strength; half an event on either side keeps the mean off 0 and 1."""
        trials = sample.support
        total = float(trials.sum())
        mean = float(((sample.value * trials).sum() + 0.5) / (total + 1.0))
        variance = mean * (1.0 - mean)
        if total <= 0.0:
            return np.array([mean, MINIMUM_PRIOR_STRENGTH])
        observed = float((trials * (sample.value - mean) ** 2).sum() / total)
        noise = variance * np.count_nonzero(trials) / total
        between = max(observed - noise, LEAST_VARIANCE * variance)
        strength = min(variance / between - 1.0, PSEUDO_EVENTS / variance)
        return np.array([mean, max(strength, MINIMUM_PRIOR_STRENGTH)])

    def shrink(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """(k + mean * strength) / (n + strength)."""
        mean, strength = prior[..., 0], prior[..., 1]
        return (sample.value * sample.support + mean * strength) / (sample.support + strength)

    def residual(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """Log odds of the shrunk rate, from both sides' counts so that neither end is infinite."""
        mean, strength = prior[..., 0], prior[..., 1]
        hits = sample.value * sample.support + mean * strength
        misses = (1.0 - sample.value) * sample.support + (1.0 - mean) * strength
        blur = RATE_BLUR * (sample.support + strength)
        return log((hits + blur) / (misses + blur))

    def own_unit(self, centre: FloatArray, sample: Sample, prior: FloatArray) -> FloatArray:
        """The rate with these (blurred) log odds."""
        blurred = expit(centre) * (1.0 + 2.0 * RATE_BLUR) - RATE_BLUR
        return np.asarray(np.clip(blurred, 0.0, 1.0), dtype=np.float64)

    def floor(self, sample: Sample) -> float:
        """Honest rates differ by this much in log odds."""
        return LOG_FLOOR


class Level:
    """Observed over expected: Gamma-Poisson (4.1.2); prior = the group's median ratio, pseudo-expected; residual = log ratio.

    Four are expected beforehand, or as many as hold one event where the ratio is so low that four hold less: among peers who convert
    hardly ever, having no conversion is no news, however large the volume.
    """

    def prior(self, sample: Sample, parent: FloatArray | None) -> FloatArray:
        """The median ratio; where more than half have none, the pooled one, which is never zero."""
        median = float(np.median(sample.value))
        pooled = float(((sample.value * sample.support).sum() + 0.5) / (sample.support.sum() + 1.0))
        typical = median if median > 0.0 else pooled
        return np.array([typical, max(PSEUDO_EVENTS, 1.0 / typical)])

    def shrink(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """(k + a m) / (e + a)."""
        typical, pseudo = prior[..., 0], prior[..., 1]
        return (sample.value * sample.support + pseudo * typical) / (sample.support + pseudo)

    def residual(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """Log of the shrunk ratio."""
        return log(self.shrink(sample, prior))

    def own_unit(self, centre: FloatArray, sample: Sample, prior: FloatArray) -> FloatArray:
        """The ratio with this logarithm."""
        return np.asarray(expm1(centre) + 1.0, dtype=np.float64)

    def floor(self, sample: Sample) -> float:
        """Quality differs by this much, in log space, between honest affiliates."""
        return LOG_FLOOR


class Magnitude:
    """A quantity that grows with volume (4.1.3): prior = intercept and slope of log(1 + value) on log volume; residual = what is left."""

    def prior(self, sample: Sample, parent: FloatArray | None) -> FloatArray:
        """The line, fitted twice: the second time without the outliers of the first."""
        x, y = sample.log_volume, _log1p(sample.value)
        line = _line(x, y, parent)
        rest = np.abs(y - line[0] - line[1] * x)
        kept = rest <= OUTLIER * 1.4826 * float(np.median(rest))
        return _line(x[kept], y[kept], parent) if np.count_nonzero(kept) >= 3 else line

    def shrink(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """A magnitude is what it is."""
        return sample.value

    def residual(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """log(1 + value) less what the line gives for the entity's volume."""
        return _log1p(sample.value) - (prior[..., 0] + prior[..., 1] * sample.log_volume)

    def own_unit(self, centre: FloatArray, sample: Sample, prior: FloatArray) -> FloatArray:
        """The magnitude expected at this volume, shifted by the residual."""
        expected = prior[..., 0] + prior[..., 1] * sample.log_volume + centre
        return np.asarray(expm1(np.minimum(expected, 700.0)), dtype=np.float64)

    def floor(self, sample: Sample) -> float:
        """Honest magnitudes differ by this much in log space."""
        return LOG_FLOOR


class Statistic:
    """A number that is comparable as it stands: no prior, the residual is the value."""

    def prior(self, sample: Sample, parent: FloatArray | None) -> FloatArray:
        """Nothing to know beforehand."""
        return np.zeros(2)

    def shrink(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """The value."""
        return sample.value

    def residual(self, sample: Sample, prior: FloatArray) -> FloatArray:
        """The value."""
        return sample.value

    def own_unit(self, centre: FloatArray, sample: Sample, prior: FloatArray) -> FloatArray:
        """The centre itself."""
        return centre

    def floor(self, sample: Sample) -> float:
        """A quarter of the reference's mean absolute deviation or a twentieth of its median, whichever is more."""
        median = float(np.median(sample.value))
        scale = max(0.25 * float(np.mean(np.abs(sample.value - median))), STATISTIC_FLOOR * abs(median))
        return scale if scale > 0.0 else STATISTIC_FLOOR


TRANSFORMS: dict[Kind, Transform] = {"rate": Rate(), "level": Level(), "magnitude": Magnitude(), "statistic": Statistic()}
"""The transform of every kind of feature."""


def _log1p(values: FloatArray) -> FloatArray:
    return np.asarray(log1p(values), dtype=np.float64)


def _line(x: FloatArray, y: FloatArray, parent: FloatArray | None) -> FloatArray:
    """Intercept and slope by least squares, the slope drawn to the parent's as if `PSEUDO_PEERS` more entities had lain on it."""
    centred = x - x.mean()
    spread = float((centred**2).sum())
    pull = 0.0 if parent is None else PSEUDO_PEERS * max(spread / x.size, 0.1)
    target = 0.0 if parent is None else float(parent[1])
    weight = spread + pull
    slope = (float((centred * (y - y.mean())).sum()) + pull * target) / weight if weight > 1e-9 else 0.0
    return np.array([float(y.mean()) - slope * float(x.mean()), slope])
