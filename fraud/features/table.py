"""What computing features gives: values, what they rest on, and the plain facts beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
import pandas as pd

from fraud.domain.clock import as_utc

FACT_COLUMNS: tuple[str, ...] = (
    "clicks",
    "conversions",
    "expected_conversions",
    "commission",
    "pending_commission",
    "currency",
    "main_offer",
    "main_country",
    "vertical",
    "self_matches",
    "self_match_kinds",
    "affiliate_type",
    "group_id",
    "joined_at",
    "affiliate_status",
    "affiliate_country",
)
"""The columns of `FeatureTable.facts`."""


Subject: TypeAlias = "str | tuple[str, str]"
"""An affiliate's id, or an affiliate's and a sub-ID's: the index of a single window."""


@dataclass(frozen=True)
class FeatureTable:
    """Features of every active affiliate (or sub-ID) in every window.

    `values`, `support` and `facts` share one index: a MultiIndex (`window_start`, `affiliate_id`[, `sub_id`]), sorted; after `window()`
    the entity alone. `values` and `support` have one float column a feature, in the catalogue's order and units; NaN is unknown.
    For a feature of kind *rate* or *level* the count behind it is value × support.

    `facts`: `clicks`, `conversions` (int), `expected_conversions` (float, NaN unknown), `commission` and `pending_commission`
    (`Decimal` or None, in `currency`, the one most conversions are in), `main_offer`, `main_country`, `vertical` (the main
    offer's line of business, lower case), `self_matches` (conversions with
    the affiliate's own e-mail, phone, device or unshared address; NA when nothing could be compared) and `self_match_kinds`
    (`;`-separated), `affiliate_type`, `group_id`, `joined_at` (UTC), `affiliate_status`, `affiliate_country`.
    `hash` is `catalogue.feature_set_hash()`.
    """

    values: pd.DataFrame
    support: pd.DataFrame
    facts: pd.DataFrame
    hash: str

    def window(self, start: datetime) -> FeatureTable:
        """The rows of the window that starts then, indexed by entity alone; empty when nothing was active in it."""
        wanted = pd.Timestamp(as_utc(start))
        return self._each(lambda frame: _of_window(frame, wanted))

    def windows(self, starts: Collection[datetime]) -> FeatureTable:
        """The rows of several windows, indexed by window and entity as they are here: a reference."""
        wanted = pd.DatetimeIndex([as_utc(start) for start in starts], tz="UTC")
        return self.rows(self.values.index[self.values.index.get_level_values("window_start").isin(wanted)])

    def rows(self, index: pd.Index) -> FeatureTable:
        """Some of the rows, in the order asked for."""
        return self._each(lambda frame: frame.loc[index])

    def _each(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> FeatureTable:
        return FeatureTable(change(self.values), change(self.support), change(self.facts), self.hash)

    def __len__(self) -> int:
        return len(self.values)


class Rows:
    """A numeric frame of a single window, taken out of pandas once: a night reads the rows of thousands of subjects one by one."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._columns: list[str] = frame.columns.tolist()
        self._cells = np.ascontiguousarray(frame.to_numpy(dtype=np.float64))
        self._place = places_of(frame)

    def known(self, subject: Subject) -> dict[str, float]:
        """A subject's values that are not unknown, by column. Raises `KeyError` for a subject that has no row."""
        row = self._cells[self._place[subject]].tolist()
        return {name: value for name, value in zip(self._columns, row, strict=True) if not math.isnan(value)}


def places_of(frame: pd.DataFrame) -> dict[Subject, int]:
    """The place of every subject among the rows of a frame of a single window."""
    return {subject: place for place, subject in enumerate(frame.index.tolist())}


def _of_window(frame: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    chosen = frame[frame.index.get_level_values("window_start") == start]
    return chosen.droplevel("window_start")
