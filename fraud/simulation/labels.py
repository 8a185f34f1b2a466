"""What reviewers have already said about some affiliates before tonight."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from fraud.domain.clock import as_utc
from fraud.simulation.randomness import stream
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.truth import Truth

_COLUMNS = ("affiliate_id", "label", "labelled_at", "reason", "reviewer")


def review(spec: SimulationSpec, truth: Truth) -> pd.DataFrame:
    """Correct labels for `reviewed_share` of the affiliates, given the day before the window; fraud that began too late to be seen
    is left out.
    """
    labelled_at = as_utc(spec.ends_at) - timedelta(days=spec.window_days + 1)
    rng = stream(spec.seed, "labels")
    seen = rng.random(len(truth.affiliates)) < spec.reviewed_share
    known = [
        one
        for one, reviewed in zip(truth.affiliates, seen, strict=True)
        if reviewed and not (one.bad and one.onset is not None and one.onset > labelled_at - timedelta(days=3))
    ]
    rows = [(one.affiliate_id, "bad" if one.bad else "good", labelled_at, one.typology or "", "simulated reviewer") for one in known]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({column: "str" for column in _COLUMNS if column != "labelled_at"})
    frame["labelled_at"] = pd.to_datetime(frame["labelled_at"], utc=True).astype("datetime64[us, UTC]")
    order = np.argsort(frame["affiliate_id"].to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)
