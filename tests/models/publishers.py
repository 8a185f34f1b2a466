"""Programs of features for the publishers of FDMA 2012: what the contest's two tables give, side by side, and what they say as ratios.

The raw clicks are not part of the data. The first table has 118 columns; the second one counts the same publishers' clicks in 41 others,
row by row, as their totals show. Counts grow with volume, which differs by five powers of ten, so ratios say in one
column what a tree needs two splits for: distinct agents of an address, the largest address's share, bursts against the usual pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from models.arrays import FloatArray, IntArray
from tests.models.real_data import folder

Program = Callable[[pd.DataFrame], pd.DataFrame]

_THINGS = {"iplong": "Ip", "agent": "Agent", "cid": "Cid", "cntr": "Cntr"}
"""What clicks are counted by, in the words of the first table and of the second."""
_SPANS = ("1Min", "5Min", "3Hr", "6Hr")
_SPIKES = ("ReAgCnIpCi", "iplong", "agent", "cid", "cntr", "referer")
_PARTS = ("night", "morning", "afternoon", "evening")


def joined(part: str) -> tuple[pd.DataFrame, IntArray]:
    """Both tables' columns (publishers, 118 + 40) of `train` or `validation`, and which publishers are bad.

    Raises ValueError when the tables do not hold the same publishers in the same order.
    """
    first, second = (pd.read_csv(folder("fdma2012") / f"{part}{kind}.csv") for kind in ("", "_41_three_class"))
    bad = first["status"].to_numpy(dtype=np.int64)
    if not (first["total_clicks"].eq(second["TotalClicks"]).all() and np.array_equal(bad == 1, second["status"] == "Fraud")):
        raise ValueError(f"The two tables of {part} do not hold the same publishers in the same order.")
    return pd.concat([first.drop(columns="status"), second.drop(columns=["partnerid", "TotalClicks", "status"])], axis=1), bad


def first_table(columns: pd.DataFrame) -> pd.DataFrame:
    """The 118 columns of the first table."""
    return columns.iloc[:, :118]


def both_tables(columns: pd.DataFrame) -> pd.DataFrame:
    """All columns of both."""
    return columns


def with_ratios(columns: pd.DataFrame) -> pd.DataFrame:
    """All columns of both, and ratios of them; 0 where there is nothing to divide by."""
    ratios = {**_variety(columns), **_concentration(columns), **_pace(columns), **_spikes(columns), **_leaning(columns)}
    return pd.concat([columns, pd.DataFrame(ratios).replace([np.inf, -np.inf], np.nan).fillna(0.0)], axis=1)


PROGRAMS: Mapping[str, Program] = {"first table": first_table, "both tables": both_tables, "both with ratios": with_ratios}
"""What nested cross-validation chooses from."""


def rows_of(program: str, columns: pd.DataFrame) -> FloatArray:
    """The features of a program (publishers, features)."""
    return PROGRAMS[program](columns).to_numpy(dtype=np.float64)


def _variety(c: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """How many different things there are for each click, and for each other thing."""
    per_click = {f"{thing}_per_click": c[f"distinct_{thing}"] / c["total_clicks"] for thing in (*_THINGS, "referer")}
    pairs = [("iplong", "agent"), ("cid", "iplong"), ("referer", "iplong"), ("cntr", "iplong"), ("agent", "cntr")]
    return per_click | {f"{a}_per_{b}": c[f"distinct_{a}"] / c[f"distinct_{b}"].clip(lower=1) for a, b in pairs}


def _concentration(c: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """The largest one's share, the spread beside chance (Fano factor), and how even the spread is."""
    found = {}
    for thing, name in _THINGS.items():
        entropy = c["EntropyIplong" if thing == "iplong" else f"Entropy{name}"]
        found[f"largest_{thing}"] = c[f"MaxSame{name}Count"] / c["total_clicks"]
        found[f"fano_{thing}"] = c[f"{name}Variance"] * c[f"NoOfUnique{name}"] / c["total_clicks"]
        found[f"evenness_{thing}"] = entropy / np.log2(c[f"NoOfUnique{name}"].clip(lower=2))
    return found


def _pace(c: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Bursts against the usual pace, at four spans."""
    found = {"hourly_variation": c["std_total_clicks"] / c["avg_total_clicks"]}
    for span in _SPANS:
        found[f"burst_{span}"] = c[f"MaxClickPer{span}"] / c[f"AvgClickPer{span}"]
        found[f"largest_{span}"] = c[f"MaxClickPer{span}"] / c["total_clicks"]
        found[f"fano_{span}"] = c[f"TimeatVariance{span}"] / c[f"AvgClickPer{span}"]
    return found


def _spikes(c: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """How much repetition within a minute varies, and of which kind it is."""
    found = {f"spike_variation_{kind}": c[f"std_spiky_{kind}"] / c[f"avg_spiky_{kind}"] for kind in _SPIKES}
    found["spikes_of_one_client"] = c["avg_spiky_ReAgCnIpCi"] / c["avg_spiky_iplong"]
    found["spikes_of_one_agent"] = c["avg_spiky_agent"] / c["avg_spiky_cntr"]
    return found


def _leaning(c: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """How far clicks lean to a part of the day, a country or a make of phone."""
    day = c[[f"{part}_click_percent" for part in _PARTS]]
    return {
        "night_to_day": day.iloc[:, 0] / (day.iloc[:, 2] + day.iloc[:, 3]).clip(lower=1e-3),
        "day_spread": day.std(axis=1, ddof=0),
        "largest_country": c.filter(regex="^cntr_.*_percent$").max(axis=1),
        "largest_brand": c.filter(regex="^brand_.*_percent$").max(axis=1),
    }
