"""Peer-relative, shrunk, one-sided residuals against a frozen reference: the part of the detection that the quality comes from.

Source: `detection.md` 4.1 and 0.1 to 0.3. Fit on a reference window, then apply to tonight; a baseline fitted on tonight's own population
gave two and a half times the promised share of false discoveries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, cast

import numpy as np
import pandas as pd

from models.arrays import BoolArray, FloatArray, IntArray
from models.peers import PeerTree
from models.shrinkage import TRANSFORMS, Kind, Sample, log

Bad: TypeAlias = Literal["high", "low", "both"]
Side: TypeAlias = Literal["high", "low"]

GROUP_SIZE = 30
"""Peers a group needs to stand on its own; a smaller one of size g leans on its parent with weight g / (g + 30) for itself."""
HALF_SUPPORT = 15.0
"""Support at which a residual counts for 1 / sqrt(2): it is multiplied by sqrt(n / (n + 15)) before spreads are taken and z is formed."""
CLIP = 8.0
"""The largest residual that is told apart."""
MAD_TO_SD = 1.4826
"""Median absolute deviation of a normal sample to its standard deviation."""
OUTER_QUANTILE, OUTER_DEVIATION = 0.95, 1.6449
"""Where a group's spread is read on either side, and how many standard deviations out that is for a normal sample: residuals of rare
events are skewed, and what lies between the median and its middle half says little of how far honest peers reach."""
ROUNDING = 1e-9
"""How far outside 0 to 1 a rate may lie through rounding."""


@dataclass(frozen=True)
class FeatureSpec:
    """What the baseline must know about a feature.

    `kind`: `rate` = k / n (value k/n, support n); `level` = observed over expected (value k/e, support e); `magnitude` = a quantity that
    grows with volume; `statistic` = comparable as it stands. `bad`: the suspicious direction. `minimum_support`: with less, the residual
    is unknown. `floor`: the least spread among honest peers, in units of the residual (log odds, log ratio, log, or the statistic's own);
    without one the kind's default serves (`models.shrinkage`). `half_support`: the support at which chance alone spreads honest entities
    as far as they differ: a residual of n counts sqrt(n / (n + half_support)).
    """

    name: str
    kind: Kind
    bad: Bad
    minimum_support: float
    floor: float | None = None
    half_support: float = HALF_SUPPORT

    @property
    def sides(self) -> tuple[Side, ...]:
        """The directions that get a column of residuals."""
        return ("high", "low") if self.bad == "both" else (self.bad,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the residual columns, such as `null_referrer_share:high`."""
        return tuple(f"{self.name}:{side}" for side in self.sides)


@dataclass(frozen=True)
class Observations:
    """What was seen of some entities in a window; all four share one index without repeats. NaN is unknown.

    `values`, `support`: entities by features, in the units of `FeatureSpec`. `groups`: entities by levels of peer groups, finest first,
    text. `volume`: each entity's size (clicks), which magnitudes are regressed on.
    """

    values: pd.DataFrame
    support: pd.DataFrame
    groups: pd.DataFrame
    volume: pd.Series[float]

    def __post_init__(self) -> None:
        index = self.values.index
        if not index.is_unique:
            raise ValueError(f"Every entity may stand only once, but {index[index.duplicated()][0]!r} is repeated.")
        for name in ("support", "groups", "volume"):
            if not getattr(self, name).index.equals(index):
                raise ValueError(f"`{name}` must have the same entities in the same order as `values`.")


@dataclass(frozen=True)
class Residuals:
    """How far each entity is from its peers.

    `z`: entities by one-sided columns (`FeatureSpec.columns`), 0 (as peers or better) to 8, NaN unknown. `peer`: the peer median,
    `shrunk`: the entity's shrunk value, `observed`: its raw value, all entities by features in the feature's own unit. `support`: the
    sample size behind each. `group`: the label of the finest peer group used (`all` is everybody).
    """

    z: pd.DataFrame
    peer: pd.DataFrame
    shrunk: pd.DataFrame
    observed: pd.DataFrame
    support: pd.DataFrame
    group: pd.Series[str]

    @cached_property
    def cells(self) -> dict[str, FloatArray]:
        """The frames as arrays (entities, columns), by name: many rows are read one by one."""
        return {name: getattr(self, name).to_numpy() for name in ("z", "peer", "observed", "support")}

    @cached_property
    def places(self) -> tuple[tuple[str, Side, int], ...]:
        """For every column of `z` its feature, its side, and the feature's column in the other frames."""
        number = {name: place for place, name in enumerate(self.observed.columns)}
        named = (str(column).rpartition(":") for column in self.z.columns)
        return tuple((feature, cast("Side", side), number[feature]) for feature, _, side in named)


@dataclass(frozen=True)
class _Fitted:
    """One feature's frozen figures per node of the tree: priors (nodes, 2), centres (nodes,), spreads below and above (nodes, 2); and the
    floor."""

    prior: FloatArray
    centre: FloatArray
    spread: FloatArray
    floor: float


class PeerBaseline:
    """Peer statistics fitted on a reference and applied, frozen, to any other window.

    A group of fewer than 30 entities uses its parent's prior and leans on its parent's median and spread; labels that the reference did
    not have fall back to the group around them. The residual of an entity depends on nobody else in the window it is computed for.
    """

    def __init__(self, specs: Sequence[FeatureSpec]) -> None:
        names = [spec.name for spec in specs]
        if len(set(names)) != len(names):
            raise ValueError("Two features of the baseline have the same name.")
        self.specs = tuple(specs)

    def fit(self, obs: Observations) -> PeerBaseline:
        """Learns every group's prior, median and spread from a reference. Raises ValueError on impossible values."""
        self.tree_ = PeerTree.grow(obs.groups)
        members = self.tree_.members(obs.groups)
        self.features_ = tuple(self._fit_feature(spec, _read(obs, spec), members) for spec in self.specs)
        return self

    def _fit_feature(self, spec: FeatureSpec, sample: Sample, members: list[IntArray]) -> _Fitted:
        nodes = len(members)
        prior, centre, spread = np.full((nodes, 2), np.nan), np.full(nodes, np.nan), np.full((nodes, 2), np.nan)
        known = _known(sample, spec)
        for node, rows in enumerate(members):
            parent = self.tree_.parents[node]
            peers = sample.take(rows[known[rows]])
            leaning = parent >= 0 and peers.value.size < GROUP_SIZE
            if leaning:
                prior[node] = prior[parent]
            elif peers.value.size:
                prior[node] = TRANSFORMS[spec.kind].prior(peers, prior[parent] if parent >= 0 else None)
            centre[node], spread[node] = _location(TRANSFORMS[spec.kind].residual(peers, prior[node]), _attenuation(spec, peers.support))
            if leaning:
                centre[node] = _lean(centre[node], centre[parent], peers.value.size)
                spread[node] = _lean(spread[node], spread[parent], peers.value.size)
        return _Fitted(prior, centre, spread, _floor(spec, sample.take(np.flatnonzero(known))))

    def transform(self, obs: Observations) -> Residuals:
        """The residuals of these entities against the frozen reference. A feature that is absent from `values` is unknown."""
        if not hasattr(self, "features_"):
            raise ValueError("This PeerBaseline is not fitted yet: call fit with a reference first.")
        node = self.tree_.locate(obs.groups)
        z: dict[str, FloatArray] = {}
        own: dict[str, dict[str, FloatArray]] = {"peer": {}, "shrunk": {}, "observed": {}, "support": {}}
        for spec, fitted in zip(self.specs, self.features_, strict=True):
            sample = _read(obs, spec)
            z |= _sides(spec, _z(spec, fitted, sample, node))
            own["peer"][spec.name] = TRANSFORMS[spec.kind].own_unit(fitted.centre[node], sample, fitted.prior[node])
            own["shrunk"][spec.name] = TRANSFORMS[spec.kind].shrink(sample, fitted.prior[node])
            own["observed"][spec.name] = sample.value
            own["support"][spec.name] = sample.support
        index = obs.values.index
        frames = {name: pd.DataFrame(columns, index=index, dtype=np.float64) for name, columns in own.items()}
        group = pd.Series([self.tree_.labels[number] for number in node], index=index, name="group", dtype=object)
        return Residuals(z=pd.DataFrame(z, index=index, dtype=np.float64), group=group, **frames)

    def signed(self, obs: Observations) -> pd.DataFrame:
        """The two-sided residuals (entities by features, unclipped), for those who compare an entity with its own past."""
        node = self.tree_.locate(obs.groups)
        columns = {spec.name: _z(spec, fitted, _read(obs, spec), node) for spec, fitted in zip(self.specs, self.features_, strict=True)}
        return pd.DataFrame(columns, index=obs.values.index, dtype=np.float64)


def _lean(own: FloatArray, parent: FloatArray, size: int) -> FloatArray:
    weight = size / (size + GROUP_SIZE)
    return parent + weight * (own - parent) if size else parent


def _location(residual: FloatArray, attenuation: FloatArray) -> tuple[float, FloatArray]:
    """Median, and the robust standard deviation of the attenuated residuals below and above it (2,); unknown for nobody."""
    if residual.size == 0:
        return np.nan, np.full(2, np.nan)
    median = _quantile(np.sort(residual), 0.5)
    away = np.sort((residual - median) * attenuation)
    low, high = (_quantile(away, share) for share in (1.0 - OUTER_QUANTILE, OUTER_QUANTILE))
    inner = MAD_TO_SD * _quantile(np.sort(np.abs(away)), 0.5)
    return median, np.maximum(np.array([-low, high]) / OUTER_DEVIATION, inner)


def _attenuation(spec: FeatureSpec, support: FloatArray) -> FloatArray:
    return np.sqrt(support / (support + spec.half_support))


def _quantile(ordered: FloatArray, share: float) -> float:
    """A quantile of sorted values by linear interpolation, as numpy's own, at a tenth of its price on the few values of a group."""
    place = share * (ordered.size - 1)
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def _floor(spec: FeatureSpec, sample: Sample) -> float:
    if spec.floor is not None:
        return spec.floor
    return TRANSFORMS[spec.kind].floor(sample) if sample.value.size else np.nan


def _z(spec: FeatureSpec, fitted: _Fitted, sample: Sample, node: IntArray) -> FloatArray:
    """The two-sided residual in robust standard deviations, attenuated by support; NaN where it is unknown."""
    residual = TRANSFORMS[spec.kind].residual(sample, fitted.prior[node])
    away = (residual - fitted.centre[node]) * _attenuation(spec, sample.support)
    z = away / (np.where(away < 0.0, fitted.spread[node, 0], fitted.spread[node, 1]) + fitted.floor)
    return np.where(_known(sample, spec), z, np.nan)


def _sides(spec: FeatureSpec, z: FloatArray) -> dict[str, FloatArray]:
    signs = {"high": 1.0, "low": -1.0}
    return {name: np.clip(signs[side] * z, 0.0, CLIP) + 0.0 for name, side in zip(spec.columns, spec.sides, strict=True)}


def _known(sample: Sample, spec: FeatureSpec) -> BoolArray:
    known = ~np.isnan(sample.value) & (sample.support >= spec.minimum_support) & (sample.support > 0.0)
    return known & ~np.isnan(sample.log_volume) if spec.kind == "magnitude" else known


def _read(obs: Observations, spec: FeatureSpec) -> Sample:
    """One feature's columns, checked; a column that is not there is unknown throughout."""
    value, support = _column(obs.values, spec.name), _column(obs.support, spec.name)
    volume = np.ascontiguousarray(obs.volume.to_numpy(dtype=np.float64, na_value=np.nan))
    _refuse(support < 0.0, obs, f"the support of {spec.name!r} is negative")
    _refuse(volume < 0.0, obs, "the volume is negative")
    for name, column in (("value", value), ("support", support), ("volume", volume)):
        _refuse(np.isinf(column), obs, f"the {name} of {spec.name!r} is infinite")
    if spec.kind != "statistic":
        _refuse(value < -ROUNDING, obs, f"{spec.name!r} is a {spec.kind} but negative")
        value = np.maximum(value, 0.0)
    if spec.kind == "rate":
        _refuse(value > 1.0 + ROUNDING, obs, f"{spec.name!r} is a rate but above 1")
        value = np.minimum(value, 1.0)
    return Sample(value, support, log(np.maximum(volume, 1.0)))


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return np.ascontiguousarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))


def _refuse(wrong: BoolArray, obs: Observations, what: str) -> None:
    if wrong.any():
        raise ValueError(f"Entity {obs.values.index[int(np.argmax(wrong))]!r}: {what}.")
