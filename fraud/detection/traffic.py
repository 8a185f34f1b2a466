"""The traffic model: residuals against a frozen baseline and the own past, forest, tail, and calibrated evidence with its reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fraud.detection.extremes import Furthest
from fraud.detection.history import OwnHistory
from fraud.detection.kinds import largest_by_family
from fraud.detection.lookback import Lookback, Pooled, stronger
from fraud.detection.observations import observations, specs
from fraud.features.table import FeatureTable, Subject
from models.arrays import FloatArray, IntArray
from models.baseline import PeerBaseline, Residuals
from models.calibration import TailCalibrator, conformal_p
from models.explain import ResidualReason, top_reasons
from models.fusion import fuse
from models.isolation import AnomalyDetector
from models.tail import TopTail

FOREST_ROWS = 200
"""Rows of reference that a forest needs; with fewer the tail alone serves (detection 4.2)."""
SEPARATE_ROWS = 400
"""From here the forest is fitted on one half of the reference and calibrated on the other."""
_EVERY_FAMILY = TopTail(k=32)
"""All families count: they are few, and each is already the largest of its features."""


@dataclass(frozen=True)
class TrafficModel:
    """Everything fitted on a reference, frozen: applied to a night it gives the same evidence however often it is asked.

    `held_out` is the fused evidence of reference affiliates in windows that neither forest nor tails saw: what conformal p-values are told
    from. Without `lookback` there were too few windows to look back on, and tonight stands for itself. `furthest` is how far
    from its peers anybody in the reference was, feature by feature; `usual` (families,) the reference's median residuals.
    """

    feature_set_hash: str
    baseline: PeerBaseline
    history: OwnHistory
    lookback: Lookback | None
    tail: TailCalibrator
    forest: AnomalyDetector | None
    forest_tail: TailCalibrator | None
    held_out: FloatArray
    furthest: Furthest
    usual: FloatArray


@dataclass(frozen=True)
class Weeks:
    """The subjects' weeks until tonight: what they did in them, and how far that is from what peers did."""

    pooled: Pooled
    residuals: Residuals


@dataclass(frozen=True)
class Judgement:
    """The evidence of every subject of a table. `evidence` is fused -log10 p (NaN when nothing is known of a subject), `p_value` the
    conformal one of it. `residuals` are tonight's; `weeks` is there where there is a past to look back on. `extremes` holds the distances
    from peers that are further than the reference ever was (rows by `feature:side`, else NaN), `furthest` how far that was."""

    residuals: Residuals
    weeks: Weeks | None
    evidence: pd.Series[float]
    p_value: pd.Series[float]
    tail_evidence: pd.Series[float]
    forest_evidence: pd.Series[float]
    extremes: pd.DataFrame
    furthest: Furthest

    def evidence_of(self, subject: Subject, graph: float | None = None) -> float | None:
        """A subject's fused evidence, `None` when nothing is known of it. `graph` is what the graph adds, in -log10 p."""
        place = self.evidence.index.get_loc(subject)
        value = float(self.evidence.to_numpy()[place])
        if graph is not None:
            parts = np.array([[self.tail_evidence.to_numpy()[place], self.forest_evidence.to_numpy()[place], graph]], dtype=np.float64)
            value = float(fuse(parts)[0])
        return None if math.isnan(value) else value

    def p_of(self, subject: Subject) -> float | None:
        """A subject's conformal p-value, `None` when nothing is known of it."""
        value = float(self.p_value.to_numpy()[self.p_value.index.get_loc(subject)])
        return None if math.isnan(value) else value

    def reasons(self, subject: Subject, top: int) -> list[ResidualReason]:
        """A subject's largest residuals, largest first: each from tonight or from the weeks, whichever stands out more."""
        tonight = top_reasons(self.residuals, subject, top)
        if self.weeks is None:
            return tonight
        weeks = (replace(one, weeks=True) for one in top_reasons(self.weeks.residuals, subject, top))
        strongest: dict[tuple[str, str], ResidualReason] = {}
        for reason in sorted((*tonight, *weeks), key=lambda one: (-one.z, one.weeks)):
            strongest.setdefault((reason.feature, reason.side), reason)
        return list(strongest.values())[:top]


def fit_traffic_model(reference: FeatureTable, seed: int = 0, everybody: FeatureTable | None = None) -> TrafficModel:
    """Fits baseline, forest and tails on reference rows; the seed makes it the same everywhere.

    `everybody` are the rows of the same windows before confirmed bad affiliates were taken out of the reference: to look back on.
    """
    baseline = PeerBaseline(specs()).fit(observations(reference))
    signed = baseline.signed(observations(reference))
    history, furthest = OwnHistory.learn(signed), Furthest.learn(signed)
    lookback = Lookback.learn(reference, everybody)
    tempered = history.temper(baseline.transform(observations(reference)).z, signed, within=True)
    z = largest_by_family(tempered if lookback is None else stronger(tempered, lookback.of_past(reference.values.index)))
    fitting, calibrating, held_out = _slices(reference.values.index)
    tail = TailCalibrator().fit(_EVERY_FAMILY.score_samples(z[calibrating]))
    if len(z) < FOREST_ROWS:
        left = fuse(tail.evidence(_EVERY_FAMILY.score_samples(z[held_out])).reshape(-1, 1)) if len(z) else np.empty(0)
        return TrafficModel(reference.hash, baseline, history, lookback, tail, None, None, left, furthest, np.zeros(z.shape[1]))
    usual = np.median(np.nan_to_num(z[fitting]), axis=0)
    forest = AnomalyDetector("forest", random_state=seed).fit(_at_least(z[fitting], usual))
    forest_tail = TailCalibrator().fit(forest.score_samples(_at_least(z[calibrating], usual)))
    model = TrafficModel(reference.hash, baseline, history, lookback, tail, forest, forest_tail, np.empty(0), furthest, usual)
    left = fuse(np.column_stack(_parts(model, z[held_out])))
    return replace(model, held_out=_one_each(left, reference.values.index[held_out]))


def _one_each(evidence: FloatArray, index: pd.Index) -> FloatArray:
    """The strongest evidence of each affiliate among reference rows: what it did in one window it does in the next, so its windows are no
    independent witnesses of what is usual. Told from all rows, or from one window of each, p-values are too small: on tuning seeds 23 to 42
    of 100 discoveries at q = .10 were false, told like this 12 to 15 (with a reference that was reviewed)."""
    if not isinstance(index, pd.MultiIndex):
        return evidence
    strongest = pd.Series(evidence).groupby(index.get_level_values("affiliate_id").to_numpy()).max()
    return np.asarray(strongest, dtype=np.float64)


def _slices(index: pd.Index) -> tuple[IntArray, IntArray, IntArray]:
    """The rows that forests, tails and conformal p-values are learned from: apart from one another where there are enough, and of nobody
    always the same ones."""
    everything = np.arange(len(index))
    if len(index) < SEPARATE_ROWS:
        return everything, everything, everything
    turn = everything
    if isinstance(index, pd.MultiIndex):
        numbers = [np.unique(index.get_level_values(level), return_inverse=True)[1] for level in range(index.nlevels)]
        turn = np.sum(numbers, axis=0)
    place = turn % 4
    return np.flatnonzero(place % 2 == 0), np.flatnonzero(place == 1), np.flatnonzero(place == 3)


def _parts(model: TrafficModel, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The evidence of tail and forest (rows,) from residuals by family (rows, families)."""
    tail = model.tail.evidence(_EVERY_FAMILY.score_samples(z))
    forest = np.full(len(z), np.nan)
    if model.forest is not None and model.forest_tail is not None and len(z):
        forest = model.forest_tail.evidence(model.forest.score_samples(_at_least(z, model.usual)))
        forest[np.isnan(z).all(axis=1)] = np.nan
    return tail, forest


def _at_least(z: FloatArray, usual: FloatArray) -> FloatArray:
    """Residuals (rows, families) as the forest sees them: none below what is usual. Who is like the peers in everything lies in a corner of
    the data, as rare as one who is not: evidence .6 to .8 for nothing, 2.2 on small references. What is unknown is usual."""
    return np.maximum(np.nan_to_num(z), usual)


def judge(model: TrafficModel, table: FeatureTable) -> Judgement:
    """The calibrated evidence of every row of a table. Each row's depends on that row and the model alone."""
    residuals = model.baseline.transform(observations(table))
    signed = model.baseline.signed(observations(table))
    residuals = replace(residuals, z=model.history.temper(residuals.z, signed))
    weeks = _weeks(model, table)
    tail, forest = _parts(model, largest_by_family(residuals.z if weeks is None else stronger(residuals.z, weeks.residuals.z)))
    index = residuals.z.index
    fused = fuse(np.column_stack([tail, forest])) if len(table) else np.empty(0)
    return Judgement(
        residuals,
        weeks,
        _series(fused, index),
        _series(conformal_p(model.held_out, fused), index),
        _series(tail, index),
        _series(forest, index),
        model.furthest.beyond(signed),
        model.furthest,
    )


def evidence_within(model: TrafficModel, reference: FeatureTable) -> FloatArray:
    """The fused evidence (rows,) of the reference's own rows, each by its own window alone and its affiliate's habits in the others: what a
    later night of the same affiliates would have."""
    signed = model.baseline.signed(observations(reference))
    z = model.history.temper(model.baseline.transform(observations(reference)).z, signed, within=True)
    return fuse(np.column_stack(_parts(model, largest_by_family(z)))) if len(reference) else np.empty(0)


def _weeks(model: TrafficModel, table: FeatureTable) -> Weeks | None:
    """The weeks of every affiliate of a table; sub-IDs have no past of their own."""
    if model.lookback is None or isinstance(table.values.index, pd.MultiIndex) or not len(table):
        return None
    return Weeks(*model.lookback.with_tonight(table))


def _series(values: FloatArray, index: pd.Index) -> pd.Series[float]:
    return pd.Series(values, index=index, dtype="float64")
