"""The gate on detection quality, on its small programs: a change that lowers a floor does not pass (`make quality` has the large ones)."""

from __future__ import annotations

from fraud.app.evaluation import gating
from fraud.app.evaluation.nights import NIGHTS, nights_to_detection
from fraud.app.evaluation.seeds import workbench
from fraud.domain.actors import SYSTEM
from fraud.simulation.spec import SimulationSpec


def test_the_small_programs_hold_their_floors() -> None:
    corpus = gating.corpus_named("small")
    found = gating.measure_corpus(corpus, lambda _: None)
    gating.check(corpus, found)
    assert set(corpus.floors) | set(corpus.ceilings) <= set(gating.figures_of(found))


def test_nights_to_detection_are_counted_from_the_onset() -> None:
    spec = SimulationSpec(seed=3, days=10, kinds=("bot_dc", "self_ref"))
    with workbench() as (app, folder):
        found = nights_to_detection(app, spec, folder, (3, (SYSTEM, "", lambda _: None)), affiliates=60)
    assert len(found.noticed) == NIGHTS
    assert list(found.noticed) == sorted(found.noticed)
    assert {one.kind for one in found.kinds} == {"bot_dc", "self_ref"}
    assert all(one.median_nights is None or 1 <= one.median_nights <= NIGHTS for one in found.kinds)
