"""How many nights fraud goes unnoticed: one program in which all of it begins the same moment, scanned night after night."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np

from fraud.app.evaluation.measures import ACTED
from fraud.app.evaluation.simulated import Means, ingested, judged_rows, read_truth, scan_lake
from fraud.app.parts import App
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write

CLICKS_PER_DAY = 50.0
AFFILIATES = 400
NIGHTS = 5
_BAD_SHARE = 0.09
"""Twice two of each kind; alerts have a budget, so detection counts whoever alerts or needs review."""


class NightsOfKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fraud: how many play it, and after how many nights half of them were noticed (`None`: not within the nights scanned)."""

    kind: str
    affiliates: int
    median_nights: int | None


class NightsToDetection(msgspec.Struct, frozen=True, kw_only=True):
    """Nights from the onset to the first scan that alerts on an affiliate or puts it in review, at 50 clicks a day for everybody.

    `median_nights` is `None` when fewer than half were noticed within `nights_scanned`; `noticed` is the share that was, night by night.
    """

    clicks_per_day: float
    nights_scanned: int
    median_nights: int | None
    noticed: tuple[float, ...]
    kinds: tuple[NightsOfKind, ...]


def nights_to_detection(
    app: App, spec: SimulationSpec, folder: Path, scanning: tuple[int, Means], affiliates: int = AFFILIATES
) -> NightsToDetection:
    """Simulates the spec's world at 50 clicks a day, with every onset `NIGHTS` nights before the end, and scans each night since."""
    days, means = scanning
    steady = replace(
        spec,
        affiliates=affiliates,
        clicks_per_day=CLICKS_PER_DAY,
        even_volume=True,
        bad_share=_BAD_SHARE,
        hard_share=0.03,
        onset_days=float(NIGHTS),
    )
    shutil.rmtree(folder, ignore_errors=True)
    write(simulate(steady), folder)
    known = read_truth(folder / "truth" / "truth.json")
    first: dict[str, int] = {}
    with ingested(app, folder, means[2]) as lake:
        for night in range(1, NIGHTS + 1):
            as_of = spec.ends_at - timedelta(days=NIGHTS - night)
            for row in judged_rows(scan_lake(app, lake, days, means, as_of), known):
                if row.alerted or row.outcome in ACTED:
                    first.setdefault(row.affiliate_id, night)
    bad = {affiliate: str(told["kind"]) for affiliate, told in known.items() if told["bad"]}
    waited = {affiliate: first.get(affiliate, NIGHTS + 1) for affiliate in bad}
    return NightsToDetection(
        clicks_per_day=CLICKS_PER_DAY,
        nights_scanned=NIGHTS,
        median_nights=_median(list(waited.values())),
        noticed=tuple(round(float(np.mean([value <= night for value in waited.values()])), 4) for night in range(1, NIGHTS + 1)),
        kinds=tuple(
            _of_kind(kind, [waited[affiliate] for affiliate in bad if bad[affiliate] == kind]) for kind in sorted(set(bad.values()))
        ),
    )


def _of_kind(kind: str, waited: list[int]) -> NightsOfKind:
    return NightsOfKind(kind=kind, affiliates=len(waited), median_nights=_median(waited))


def _median(waited: list[int]) -> int | None:
    """The night by which half were noticed (the higher of two), `None` when that is after the last one scanned."""
    middle = sorted(waited)[len(waited) // 2] if waited else NIGHTS + 1
    return middle if middle <= NIGHTS else None
