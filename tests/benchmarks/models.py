"""What one row and a million rows cost, beside scikit-learn's forest; and how well the models rank real data, where it is.

`make bench-models`, or `make bench-models BENCH="--rows 100000"` for a quick look, `BENCH=--quality` for the figures on real data.
Times are of the processor, not of the wall, so that other programs on the machine count for less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
from sklearn.ensemble import IsolationForest

from models import AnomalyDetector
from models.arrays import FloatArray
from tests.benchmarks.report import section, table

REPEATS = 5
CALLS = 2_000
COLUMNS = 40


def main() -> None:
    """Measures what the command line asks for and writes it into `docs/benchmarks.md`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--quality", action="store_true")
    arguments.add_argument("--seeds", type=int, default=3)
    asked = arguments.parse_args()
    if asked.quality:
        quality(range(asked.seeds))
    else:
        speed(asked.rows)


def speed(rows: int) -> None:
    """Scoring many rows and one row, the forest and the ensemble beside scikit-learn (300 trees of 512 rows, one thread each)."""
    probe = np.random.default_rng(0).normal(0, 1, (rows, COLUMNS))
    reference = probe[:20_000]
    theirs = IsolationForest(n_estimators=300, max_samples=512, random_state=0).fit(reference)
    forest, ensemble = AnomalyDetector("forest").fit(reference), AnomalyDetector().fit(reference)
    for detector in (forest, ensemble):
        detector.score_samples(reference[:10])
        detector.explain_row(reference[0])
    many = rounds({"scikit-learn": theirs.score_samples, "forest": forest.score_samples, "ensemble": ensemble.score_samples}, probe)
    lines = [[name, f"{many[name] * 1e6:.1f} µs", f"{many['scikit-learn'] / many[name]:.1f}"] for name in many]
    one = {
        name: (per_call(detector.score_row, probe), per_call(detector.explain_row, probe))
        for name, detector in zip(("forest", "ensemble"), (forest, ensemble), strict=True)
    }
    text = [
        f"Detector: 300 trees of 512 rows, {COLUMNS} columns, processor time, one thread, medians of {REPEATS}; {rows:,} rows for many.",
        "At least 2.0 times is wanted of the ensemble, the default, and at most 25 µs for a row scored and explained.",
        "",
        table(["many rows", "each", "times as fast as scikit-learn"], lines),
        "",
        table(["one row", "scored", "scored and explained"], [[name, f"{a:.1f} µs", f"{b:.1f} µs"] for name, (a, b) in one.items()]),
    ]
    print("\n".join(text))
    section("Detector: speed", text)


def rounds(scorers: dict[str, Callable[[FloatArray], object]], probe: FloatArray) -> dict[str, float]:
    """Median processor seconds that each scorer takes for a row of the probe, which it scores in as many parts as there are rounds.

    Every row is scored once by each, the scorers taking turns part by part: a million rows take minutes, not an hour.
    """
    taken: dict[str, list[float]] = {name: [] for name in scorers}
    for part in np.array_split(probe, REPEATS):
        for name, scorer in scorers.items():
            started = time.process_time()
            scorer(part)
            taken[name].append((time.process_time() - started) / len(part))
    return {name: median(seconds) for name, seconds in taken.items()}


def per_call(function: Callable[[FloatArray], object], probe: FloatArray) -> float:
    """Median microseconds of a call, over rounds of calls with a different row each."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        for row in probe[:CALLS]:
            function(row)
        taken.append((time.process_time() - started) / min(CALLS, len(probe)) * 1e6)
    return median(taken)


def quality(seeds: Sequence[int]) -> None:
    """Average precision and area under ROC on the benchmark sets, on FDMA's publishers without labels, and on bots' sessions."""
    from tests.models.real_data import compare_on_sets, told_apart, unusual_publishers  # noqa: PLC0415 - needs the development data

    sets = compare_on_sets(seeds)
    ours, theirs = (np.array([getattr(one, side) for one in sets]) for side in ("ours", "theirs"))
    rows = [[one.name, *(f"{a:.3f}" for a in (*one.ours, *one.theirs))] for one in sets]
    rows.append(["mean", *(f"{a:.3f}" for a in (*ours.mean(axis=0), *theirs.mean(axis=0)))])
    publishers = np.mean([unusual_publishers(seed) for seed in seeds], axis=0)
    bots = {kind: np.mean([told_apart(kind, seed) for seed in seeds], axis=0) for kind in ("moderate_bot", "advanced_bot")}
    text = [
        f"Benchmark sets without labels, means of {len(seeds)} seeds. Sets won: {int((ours > theirs)[:, 0].sum())} of {len(sets)}.",
        "",
        table(["set", "average precision", "area under ROC", "scikit-learn's precision", "its area"], rows),
        "",
        f"FDMA 2012 without labels, average precision on `validation`: {publishers[0]:.3f}, scikit-learn's forest {publishers[1]:.3f}.",
        "",
        table(
            ["sessions", "area under ROC", "recall with 2% of humans flagged"],
            [[kind, f"{a:.3f}", f"{b:.2f}"] for kind, (a, b) in bots.items()],
        ),
    ]
    print("\n".join(text))
    section("Detector and ranker: real data", text)


if __name__ == "__main__":
    main()
