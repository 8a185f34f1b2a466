"""The floors of detection quality: figures that a change may not lower, kept in a file with the hash of what they were measured on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FLOORS_FILE = Path(__file__).with_name("baseline.json")
"""Where the floors stand in this repository."""
LEAST_MARGIN = 0.02
"""A floor lies at least this far below what was measured, so that a tie broken otherwise does not fail a build."""


@dataclass(frozen=True)
class Corpus:
    """One set of programs with its bounds. `settings` say how to make them, `corpus` is the hash of what was made; `floors` are the least
    and `ceilings` the most that each figure may be; `measured` is what it was when they were set.
    """

    name: str
    settings: Mapping[str, Any]
    corpus: str
    floors: Mapping[str, float] = field(default_factory=dict)
    ceilings: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)


def read_corpora(path: Path = FLOORS_FILE) -> dict[str, Corpus]:
    """The sets of programs of a floors file by name. Raises ValueError when it is not one."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["corpora"]
        return {name: Corpus(name=name, **one) for name, one in told.items()}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"{path} does not hold floors of detection quality: {fault}.") from fault


def write_corpus(corpus: Corpus, path: Path = FLOORS_FILE) -> None:
    """Replaces one set of programs in a floors file and leaves the others as they are."""
    told = json.loads(path.read_text(encoding="utf-8"))
    told["corpora"][corpus.name] = {
        "settings": dict(corpus.settings),
        "corpus": corpus.corpus,
        "floors": dict(corpus.floors),
        "ceilings": dict(corpus.ceilings),
        "measured": dict(corpus.measured),
    }
    path.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def broken(corpus: Corpus, hashed: str, figures: Mapping[str, float]) -> list[str]:
    """What is wrong with a measurement, one sentence each: other programs than the floors are for, a figure that is missing, a floor or
    ceiling that does not hold. Empty when all is well.
    """
    if hashed != corpus.corpus:
        return [
            f"The {corpus.name} programs changed since the floors were set ({corpus.corpus[:12]} then, {hashed[:12]} now): set them anew."
        ]
    wrong = []
    for bounds, sign, word in ((corpus.floors, 1.0, "fell below its floor"), (corpus.ceilings, -1.0, "rose above its ceiling")):
        for name, bound in bounds.items():
            if name not in figures:
                wrong.append(f"{name} was not measured.")
            elif sign * figures[name] < sign * bound:
                wrong.append(f"{name} {word}: {figures[name]:.4f}, bound {bound:.4f}.")
    return wrong


def bounds_of(
    figures: Mapping[str, float], spreads: Mapping[str, float], higher_is_better: Mapping[str, bool]
) -> tuple[dict[str, float], dict[str, float]]:
    """Floors and ceilings from a measurement: each a standard error of the mean (`spreads`), and at least `LEAST_MARGIN`, to the worse
    side of what was measured.
    """
    floors, ceilings = {}, {}
    for name, better in higher_is_better.items():
        margin = max(LEAST_MARGIN, spreads.get(name, 0.0))
        if better:
            floors[name] = round(figures[name] - margin, 4)
        else:
            ceilings[name] = round(figures[name] + margin, 4)
    return floors, ceilings
