"""How far an honest program drifts from its own baseline, night by night, in a week and in a month, and from when fraud shows as drift.

`make bench-drift` makes up programs of several sizes in which nobody cheats, and others in which a share of everybody begins to cheat the
moment the baseline's reference ends, all of tuning seeds. The limits of `scan.drift` are read off what it prints.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from fraud.app.evaluation.seeds import workbench
from fraud.app.evaluation.simulated import ingested
from fraud.app.scanning import feature_engine
from fraud.detection.frozen import DriftLimits, FrozenBaseline
from fraud.detection.traffic import fit_traffic_model
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.drift import DriftReport
from fraud.domain.scans import Period
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable
from fraud.policy.pack import DriftPolicy
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.workflows.calendar import declared_by_window, without_declared
from tests.benchmarks.report import section, table

WINDOW = timedelta(days=3)
REFERENCE, LATER = 9, 9
"""Windows of the baseline's reference (27 days), and of the time after it."""
SPANS = {"night": 1, "week": 2, "month": LATER}
"""Windows that are compared with the reference at once."""
CHEATING = (0.05, 0.1, 0.2, 0.33)
POLICY = DriftPolicy()
LIMITS = DriftLimits(POLICY.feature_psi, POLICY.evidence_psi, POLICY.feature_share, POLICY.chance)


@dataclass(frozen=True)
class Compared:
    """One stretch of time beside a baseline: how many affiliates the program has, what was compared, and how far it drifted."""

    affiliates: int
    what: str
    report: DriftReport

    @property
    def row(self) -> dict[str, object]:
        """The figures that limits are about."""
        share = self.report.drifted / max(self.report.compared, 1)
        figures = {"evidence": self.report.evidence_psi, "p": self.report.evidence_p_value, "share": share, "large": self.report.large}
        return {"affiliates": self.affiliates, "what": self.what, **figures}


def windows_of(spec: SimulationSpec, folder: Path) -> FeatureTable:
    """The features of a made-up program's affiliates in all its windows, what was declared in them unknown."""
    write(simulate(spec), folder)
    start = spec.ends_at - timedelta(days=spec.days)
    periods = [Period(start=start + n * WINDOW, end=start + (n + 1) * WINDOW) for n in range(REFERENCE + LATER)]
    with workbench() as (app, _), ingested(app, folder, lambda _: None) as lake, closing(lake.connect(DEFAULT_PROGRAM)) as events:
        computed = feature_engine(app)(events, FeatureRequest.at("affiliate", periods))["affiliate"]
        return without_declared(computed, declared_by_window(events, periods))


def compared(found: FeatureTable, affiliates: int, spans: Sequence[str]) -> Iterator[Compared]:
    """What follows a reference beside the baseline of it: every stretch of each length, one after the other."""
    starts = sorted(set(found.values.index.get_level_values("window_start")))
    reference = found.windows(starts[:REFERENCE])
    frozen = FrozenBaseline.freeze(fit_traffic_model(reference), reference, WINDOW / timedelta(hours=1), frozenset())
    later = starts[REFERENCE:]
    for what in spans:
        for begin in range(0, len(later) - SPANS[what] + 1, SPANS[what]):
            yield Compared(affiliates, what, frozen.drift(found.windows(later[begin : begin + SPANS[what]]), LIMITS))


def measured(sizes: Sequence[int], seeds: Sequence[int], cheating: Sequence[float]) -> Iterator[Compared]:
    """Every program of these sizes and seeds: honest ones over a month, and those in which a share cheats in the week after."""
    days = (REFERENCE + LATER) * WINDOW // timedelta(days=1)
    for affiliates in sizes:
        for seed in seeds:
            honest = SimulationSpec(seed=seed, affiliates=affiliates, days=days, bad_share=0.0)
            with tempfile.TemporaryDirectory() as folder:
                yield from compared(windows_of(honest, Path(folder)), affiliates, tuple(SPANS))
            for share in cheating:
                turned = replace(honest, bad_share=share, hard_share=min(honest.hard_share, 1 - share), onset_days=LATER * WINDOW.days)
                with tempfile.TemporaryDirectory() as folder:
                    for one in compared(windows_of(turned, Path(folder)), affiliates, ("week",)):
                        yield replace(one, what=f"{share:.0%} cheat, a week")


def lines(found: Sequence[Compared]) -> list[str]:
    """What the page says of it."""
    frame = pd.DataFrame([one.row for one in found])
    rows = [
        (
            size,
            what,
            len(part),
            *(f"{np.quantile(part['evidence'], share):.2f}" for share in (0.5, 0.95, 1.0)),
            *(f"{np.quantile(part['share'], share):.2f}" for share in (0.5, 0.95, 1.0)),
            f"{part['large'].mean():.0%}",
        )
        for (size, what), part in frame.groupby(["affiliates", "what"], sort=False)
    ]
    head = ("affiliates", "compared", "times", *(f"evidence {q}" for q in ("median", "95%", "most")))
    shares = (f"features {q}" for q in ("median", "95%", "most"))
    told = (
        f"Baselines of {REFERENCE * WINDOW.days} days of made-up programs, read again in what follows: stability index of the evidence, "
        "the share of the features that drifted, and how often the limits call it large."
    )
    return [
        told,
        "",
        table((*head, *shares, "large"), rows),
    ]


def main() -> None:
    """Measures, prints, and writes the section of the page unless `--dry`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--affiliates", type=int, nargs="+", default=[100, 300, 1200])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--cheating", type=float, nargs="*", default=list(CHEATING))
    parser.add_argument("--dry", action="store_true")
    asked = parser.parse_args()
    told = lines(list(measured(asked.affiliates, asked.seeds, asked.cheating)))
    print("\n".join(told))
    if not asked.dry:
        section("Drift of a baseline", told)


if __name__ == "__main__":
    main()
