"""What reviewers have already said about some affiliates before tonight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from fraud.domain.clock import as_utc
from fraud.simulation.randomness import Ints, stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.truth import ORDINARY, AffiliateTruth, Truth

_COLUMNS = ("affiliate_id", "label", "labelled_at", "reason", "reviewer")


_TOP_RANKED = 2 / 3
"""Reviewers spend two thirds of their time on what ranks highest and a third on a random sample, without which nobody could tell how much
is missed."""
_VISIBLE, _UNUSUAL = 3.0, 1.5
"""How far known fraud and honest peculiarities stand out of the noise (one standard deviation) in the ranking that reviewers work from."""


def review(spec: SimulationSpec, truth: Truth) -> pd.DataFrame:
    """Correct labels for `reviewed_share` of the affiliates, given the day before the window; fraud that began too late to be seen
    is left out. Two thirds are the top of a noisy ranking, so that labels are biased as reviewers are; a third is random.
    """
    labelled_at = as_utc(spec.ends_at) - timedelta(days=spec.window_days + 1)
    rng = stream(spec.seed, "labels")
    seen = [one for one in truth.affiliates if not (one.bad and one.onset is not None and one.onset > labelled_at - timedelta(days=3))]
    known = [seen[place] for place in _reviewed(rng, seen, round(spec.reviewed_share * len(truth.affiliates))).tolist()]
    rows = [(one.affiliate_id, "bad" if one.bad else "good", labelled_at, one.typology or "", "simulated reviewer") for one in known]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({column: "str" for column in _COLUMNS if column != "labelled_at"})
    frame["labelled_at"] = pd.to_datetime(frame["labelled_at"], utc=True).astype("datetime64[us, UTC]")
    order = np.argsort(frame["affiliate_id"].to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def _reviewed(rng: np.random.Generator, seen: Sequence[AffiliateTruth], count: int) -> Ints:
    """Which places of `seen` are reviewed: at most so many."""
    loud = [_VISIBLE * one.bad + _UNUSUAL * (not one.bad and one.kind != ORDINARY) for one in seen]
    ranking = np.argsort(-(np.array(loud) + rng.normal(0.0, 1.0, len(seen))))
    count = min(count, len(seen))
    top = ranking[: round(_TOP_RANKED * count)]
    return np.concatenate([top, rng.permutation(ranking[len(top) :])[: count - len(top)]])
