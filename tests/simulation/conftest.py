"""Small programs to look at: a mixed one, and one per kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pandas as pd
import pytest

from fraud.simulation.kinds import Kind
from fraud.simulation.program import SimulatedProgram, SimulationSpec, simulate
from fraud.simulation.scenarios import KINDS

KIND_BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}


@pytest.fixture(scope="session")
def program() -> SimulatedProgram:
    """200 affiliates, ten days, every kind."""
    return simulate(SimulationSpec(seed=11, affiliates=200, days=10, bad_share=0.3, hard_share=0.2, reviewed_share=0.4))


@pytest.fixture(scope="session")
def honest() -> SimulatedProgram:
    """200 affiliates over 31 days with nobody who plays a role."""
    return simulate(SimulationSpec(seed=5, affiliates=200, bad_share=0.0, hard_share=0.0))


class Cast:
    """A program with one kind, whose tables are split into the actors' rows since the onset and everybody else's."""

    def __init__(self, name: str, days: int = 12) -> None:
        bad = KIND_BY_NAME[name].bad
        self.program = simulate(
            SimulationSpec(
                seed=3, affiliates=30, days=days, clicks_per_day=120, kinds=(name,), bad_share=0.4 * bad, hard_share=0.4 * (not bad)
            )
        )
        self.actors = [one for one in self.program.truth.affiliates if one.kind == name]
        self.clicks = self._acting(self.program.clicks, "clicked_at")
        self.conversions = self._acting(self.program.conversions, "converted_at")
        ids = [one.affiliate_id for one in self.actors]
        self.other_clicks = self.program.clicks[~self.program.clicks["affiliate_id"].isin(ids)]
        self.other_conversions = self.program.conversions[~self.program.conversions["affiliate_id"].isin(ids)]

    def _acting(self, table: pd.DataFrame, at: str) -> pd.DataFrame:
        onset = {one.affiliate_id: pd.Timestamp(one.onset) for one in self.actors if one.onset is not None}
        since = table["affiliate_id"].astype("str").map(onset)
        return table[since.notna() & (table[at] >= since)]

    def delays(self, conversions: pd.DataFrame) -> pd.Series:
        """Seconds from click to conversion, of conversions that name their click."""
        clicked = self.program.clicks.set_index("click_id")["clicked_at"]
        known = conversions[conversions["click_id"].notna()]
        return (known["converted_at"] - known["click_id"].map(clicked)).dt.total_seconds()


@pytest.fixture(scope="session")
def staged() -> Callable[[str], Cast]:
    """The program in which only one kind plays, made once per kind."""
    return cache(Cast)
