"""Clicks of the past: scored, and turned into features, in the order of their times, as serving would have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from fraud.domain.counting import Counters
from fraud.domain.events import Click
from fraud.features.realtime import CLICK_FEATURE_NAMES, observe_click
from fraud.workflows.scoring import ClickScorer, ScoredClick


def score_offline(clicks: Iterable[Click], scorer: ClickScorer) -> Iterator[ScoredClick]:
    """Scores clicks in the order of their times (then ids), as the API would have with the same counters."""
    for click in in_event_order(clicks):
        yield scorer.score(click)


def click_features_of(clicks: Iterable[Click], counters: Counters) -> pd.DataFrame:
    """The features of clicks (rows, by `click_id`, in event order; each once) as serving would compute them.

    `counters` should be fresh ones, and are left with the clicks counted.
    """
    ordered = in_event_order(clicks)
    observed = [(click.click_id, observe_click(counters, click)) for click in ordered]
    first = [(click_id, seen.vector) for click_id, seen in observed if not seen.repeated]
    rows = np.vstack([vector for _, vector in first]) if first else np.empty((0, len(CLICK_FEATURE_NAMES)))
    return pd.DataFrame(rows, columns=list(CLICK_FEATURE_NAMES), index=pd.Index([click_id for click_id, _ in first], name="click_id"))


def in_event_order(clicks: Iterable[Click]) -> list[Click]:
    """Clicks by time, then by id, so that the order never depends on the file's."""
    return sorted(clicks, key=lambda click: (click.clicked_at, click.click_id))
