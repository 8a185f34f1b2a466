"""From a measurement to the gate: which figures have bounds, and how they are set and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fraud.app.evaluation.baselines import RAW_FOREST
from fraud.app.evaluation.measures import PRODUCT
from fraud.app.evaluation.seeds import SeedsEvaluation, SeedsRequest, evaluate_seeds
from fraud.errors import InputError
from fraud.simulation.spec import SimulationSpec
from models.evaluation.gate import Corpus, bounds_of, broken, read_corpora, write_corpus

HIGHER_IS_BETTER: Mapping[str, bool] = {
    "average precision": True,
    "recall at 1% false positives": True,
    "precision of the first 20": True,
    "share of the kinds of fraud found by 60%": True,
    "mean alert rate of honest kinds": False,
    "alerts on a night without fraud": False,
    "Brier score": False,
}
"""The figures that have bounds, and which way is better."""
HARDNESS = (0.15, 0.45)
"""The average precision of a plain forest on the same programs: outside of this the programs say little."""
_RAW = "plain forest, average precision"
_FOUND = 0.6


def figures_of(evaluation: SeedsEvaluation) -> dict[str, float]:
    """The figures with bounds; those that were not measured are left out."""
    means = {one.name: one.mean for one in (*evaluation.rankings, *evaluation.alerting)}
    fraud = [kind.found / kind.affiliates for kind in evaluation.kinds if kind.bad]
    honest = [kind.alerted / kind.affiliates for kind in evaluation.kinds if not kind.bad]
    taken = {
        "average precision": means.get(f"{PRODUCT}: average_precision"),
        "recall at 1% false positives": means.get(f"{PRODUCT}: recall_at_1_percent"),
        "precision of the first 20": means.get(f"{PRODUCT}: precision_at_20"),
        "share of the kinds of fraud found by 60%": float(np.mean([found >= _FOUND for found in fraud])) if fraud else None,
        "mean alert rate of honest kinds": float(np.mean(honest)) if honest else None,
        "alerts on a night without fraud": float(np.mean(evaluation.null_alerts)) if evaluation.null_alerts else None,
        "Brier score": means.get("Brier score"),
        _RAW: means.get(f"{RAW_FOREST}: average_precision"),
    }
    return {name: round(value, 4) for name, value in taken.items() if value is not None}


def measure_corpus(corpus: Corpus, progress: Callable[[str], None]) -> SeedsEvaluation:
    """Simulates and measures the programs of one set of floors."""
    told: dict[str, Any] = dict(corpus.settings)
    seeds, null_nights = told.pop("seeds"), told.pop("null_nights", False)
    specs = tuple(SimulationSpec(seed=seed, **told) for seed in seeds)
    return evaluate_seeds(SeedsRequest(specs=specs, null_nights=null_nights), progress)


def corpus_named(name: str) -> Corpus:
    """One set of programs of the floors file; an `InputError` that lists them when there is none of that name."""
    corpora = read_corpora()
    if name not in corpora:
        raise InputError(f"There are no floors named {name!r}; choose from {', '.join(sorted(corpora))}.")
    return corpora[name]


def check(corpus: Corpus, evaluation: SeedsEvaluation) -> None:
    """Raises `InputError` with every bound that does not hold."""
    wrong = broken(corpus, evaluation.corpus, figures_of(evaluation))
    if wrong:
        raise InputError(f"Detection quality ({corpus.name}): {' '.join(wrong)}")


def set_floors(corpus: Corpus, evaluation: SeedsEvaluation) -> Corpus:
    """Writes the bounds that follow from a measurement, with its figures and the programs' hash; returns them."""
    figures = figures_of(evaluation)
    bounded = {name: better for name, better in HIGHER_IS_BETTER.items() if name in figures}
    floors, ceilings = bounds_of(figures, _standard_errors(evaluation), bounded)
    floors[_RAW], ceilings[_RAW] = HARDNESS
    fresh = Corpus(corpus.name, corpus.settings, evaluation.corpus, floors, ceilings, figures)
    write_corpus(fresh)
    return fresh


def _standard_errors(evaluation: SeedsEvaluation) -> dict[str, float]:
    """Of the figures that every seed has one of."""
    of = {one.name: (one.sd or 0.0) / np.sqrt(len(one.seeds)) for one in (*evaluation.rankings, *evaluation.alerting)}
    nulls = evaluation.null_alerts
    return {
        "average precision": of.get(f"{PRODUCT}: average_precision", 0.0),
        "recall at 1% false positives": of.get(f"{PRODUCT}: recall_at_1_percent", 0.0),
        "precision of the first 20": of.get(f"{PRODUCT}: precision_at_20", 0.0),
        "share of the kinds of fraud found by 60%": 1.0 / max(1, sum(kind.bad for kind in evaluation.kinds)),
        "alerts on a night without fraud": 1.0 + (float(np.std(nulls, ddof=1)) if len(nulls) > 1 else 0.0),
        "Brier score": of.get("Brier score", 0.0),
    }
