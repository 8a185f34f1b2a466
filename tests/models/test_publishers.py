"""Programs of features for the publishers of FDMA 2012: the tables belong together, and ratios do not know volume."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models.publishers import PROGRAMS, joined, rows_of, with_ratios


@pytest.fixture(scope="module")
def columns() -> pd.DataFrame:
    return joined("train")[0]


def test_both_tables_speak_of_the_same_publishers(columns: pd.DataFrame) -> None:
    assert columns.shape == (3081, 158)
    assert joined("train")[1].sum() == 72


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_gives_finite_numbers(columns: pd.DataFrame, program: str) -> None:
    rows = rows_of(program, columns)
    assert rows.shape[0] == 3081
    assert np.isfinite(rows).all()


def test_ratios_of_counts_lie_between_nothing_and_everything(columns: pd.DataFrame) -> None:
    ratios = with_ratios(columns)
    for name in ("iplong_per_click", "largest_agent", "largest_cntr", "largest_country"):
        assert ratios[name].between(0.0, 1.0 + 1e-9).all(), name
