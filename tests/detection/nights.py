"""Made-up programs, scanned as the product scans them, for tests of what a night's figures must and must not depend on."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from fraud.app.evaluation.simulated import ingested, scan_lake
from fraud.app.parts import App
from fraud.detection.traffic import TrafficModel, fit_traffic_model
from fraud.domain.actors import SYSTEM
from fraud.domain.scans import ScanResult
from fraud.features.table import FeatureTable
from fraud.simulation.program import SimulatedProgram
from fraud.simulation.writing import write
from fraud.workflows.night import ScanOutcome
from tests.app.products import quiet
from tests.detection.tables import NAMES, table_of

TABLES = ("clicks", "conversions", "affiliates", "offers", "calendar", "labels")


def night_of(app: App, program: SimulatedProgram, days: int = 3) -> ScanOutcome:
    """The newest night of a program; nothing of it is kept."""
    with tempfile.TemporaryDirectory(dir=app.workspace.root) as folder:
        write(program, Path(folder) / "program")
        with ingested(app, Path(folder) / "program", quiet) as lake:
            return scan_lake(app, lake, days, (SYSTEM, "", quiet))


def scores_of(result: ScanResult) -> dict[str, float]:
    """Every affiliate's score."""
    return {row.affiliate_id: row.score for row in result.affiliates}


def renamed(program: SimulatedProgram, names: Mapping[str, str]) -> SimulatedProgram:
    """The same program under other affiliates' names."""
    tables: dict[str, Any] = {table: _renamed(getattr(program, table), names) for table in TABLES}
    return replace(program, **tables)


def _renamed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    if "affiliate_id" not in table:
        return table
    ids = table["affiliate_id"]
    return table.assign(affiliate_id=ids.astype("object").map(names).where(ids.notna(), None))


def without_column(program: SimulatedProgram, table: str, column: str) -> SimulatedProgram:
    """The same program from a tracker that does not have this column."""
    changed: dict[str, Any] = {table: getattr(program, table).drop(columns=column)}
    return replace(program, **changed)


def frozen_model(rows: int = 600) -> TrafficModel:
    """A model of ordinary affiliates, large enough for forest, tails and p-values to have slices of their own."""
    return fit_traffic_model(table_of(rows))


def with_values(table: FeatureTable, subject: str, values: Mapping[str, float]) -> FeatureTable:
    """The table with other values of one subject."""
    copied = table.values.copy()
    copied.loc[subject, list(values)] = list(values.values())
    return replace(table, values=copied)


def all_names() -> list[str]:
    """The features, in the catalogue's order."""
    return list(NAMES)
