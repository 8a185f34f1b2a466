"""Measuring the scan where the truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraud.app.evaluation.baselines import BUSINESS_RULES, CEILING, RAW_FOREST, TWO_SD
from fraud.app.evaluation.measures import PRODUCT
from fraud.app.evaluation.simulated import evaluate_simulation
from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.errors import InputError
from fraud.simulation.program import SimulatedProgram
from tests.app.products import quiet

MEANS = (SYSTEM, "", quiet)


def test_every_ranking_is_measured_on_the_same_affiliates(app: App, program: SimulatedProgram, program_folder: Path) -> None:
    found = evaluate_simulation(app, program_folder, None, 3, MEANS)
    assert [ranking.name for ranking in found.rankings] == [PRODUCT, RAW_FOREST, TWO_SD, BUSINESS_RULES, CEILING]
    for ranking in found.rankings:
        figures = (ranking.average_precision, ranking.recall_at_1_percent, ranking.precision_at_bad, ranking.precision_at_20)
        assert 0 <= min(figures) <= max(figures) <= 1
    assert 0 < found.bad <= sum(one.bad for one in program.truth.affiliates)
    assert sum(kind.affiliates for kind in found.kinds) == found.affiliates
    assert sum(kind.alerted for kind in found.kinds) == found.alerts == found.rankings[0].alerts
    assert sum(kind.alerted for kind in found.kinds if not kind.bad) == found.false_alerts
    assert sum(one.affiliates for one in found.calibration.bins) == found.affiliates
    assert found.money.saved is None or 0 <= found.money.saved <= 1
    assert app.lake.time_range(DEFAULT_PROGRAM) is None, "an evaluation leaves nothing in the workspace"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be opened"),
        ("[]", "is not the truth"),
        ("{", "is not the truth"),
        ('{"affiliates": [{"bad": true}]}', "is not the truth"),
    ],
)
def test_a_truth_that_is_none_says_so(app: App, tmp_path: Path, text: str | None, sentence: str) -> None:
    file = tmp_path / "truth.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=sentence):
        evaluate_simulation(app, file, None, 3, MEANS)


def test_a_truth_of_another_program_is_refused(app: App, program_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "truth.json"
    file.write_text('{"affiliates": [{"affiliate_id": "somebody-else", "bad": true, "kind": "ring"}]}')
    with pytest.raises(InputError, match="do the truth and the data belong together"):
        evaluate_simulation(app, file, program_folder, 3, MEANS)
