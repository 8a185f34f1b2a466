"""The gate on quality: what breaks it, and how its bounds follow from a measurement."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.evaluation.gate import LEAST_MARGIN, Corpus, bounds_of, broken, read_corpora, write_corpus

FIGURES = {"average precision": 0.8, "alerts on a night without fraud": 1.0}


def corpus() -> Corpus:
    return Corpus("small", {"seeds": [1]}, "abc", {"average precision": 0.75}, {"alerts on a night without fraud": 2.0})


def test_a_measurement_within_its_bounds_passes() -> None:
    assert broken(corpus(), "abc", FIGURES) == []


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ({**FIGURES, "average precision": 0.74}, "average precision fell below its floor: 0.7400, bound 0.7500"),
        ({**FIGURES, "alerts on a night without fraud": 2.5}, "alerts on a night without fraud rose above its ceiling"),
        ({"average precision": 0.8}, "alerts on a night without fraud was not measured"),
    ],
)
def test_what_breaks_is_named(figures: dict[str, float], sentence: str) -> None:
    (wrong,) = broken(corpus(), "abc", figures)
    assert sentence in wrong


def test_figures_of_other_programs_are_not_compared() -> None:
    (wrong,) = broken(corpus(), "def", FIGURES)
    assert "changed since the floors were set" in wrong


def test_bounds_lie_a_standard_error_to_the_worse_side() -> None:
    floors, ceilings = bounds_of({"up": 0.9, "down": 0.1, "sure": 0.5}, {"up": 0.05}, {"up": True, "down": False, "sure": True})
    assert floors == {"up": pytest.approx(0.85), "sure": pytest.approx(0.5 - LEAST_MARGIN)}
    assert ceilings == {"down": pytest.approx(0.1 + LEAST_MARGIN)}


def test_one_corpus_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "floors.json"
    file.write_text('{"how": "words", "corpora": {"other": {"settings": {"seeds": [2]}, "corpus": "x"}}}')
    write_corpus(corpus(), file)
    assert set(read_corpora(file)) == {"small", "other"}
    assert read_corpora(file)["small"] == corpus()
    assert '"how": "words"' in file.read_text()


@pytest.mark.parametrize("text", ["{", "[]", '{"corpora": []}', '{"corpora": {"small": {"unknown": 1}}}'])
def test_a_file_without_floors_says_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "floors.json"
    file.write_text(text)
    with pytest.raises(ValueError, match="does not hold floors"):
        read_corpora(file)


def test_the_repositorys_floors_can_be_read_and_are_set() -> None:
    corpora = read_corpora()
    assert "small" in corpora
    for one in corpora.values():
        assert len(one.corpus) == 64
        assert one.floors["average precision"] < one.measured["average precision"]
        assert set(one.settings["seeds"]) <= set(range(1, 21)), "floors are measured on tuning seeds, never on the reported ones"
