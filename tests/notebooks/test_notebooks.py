"""The notebooks run from top to bottom, on programs small enough for a test, and are stored without what they printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
SMALL = {
    "night_explained": "AFFILIATES, DAYS, SEED = 60, 7, 7",
    "forest_and_baselines": "AFFILIATES, DAYS, SEED = 60, 10, 11",
    "policy_tuning": "AFFILIATES, DAYS, SEED, NIGHTS = 40, 8, 5, 2",
}


def read(name: str) -> Any:
    return nbformat.reads((FOLDER / f"{name}.ipynb").read_text(), as_version=4)  # type: ignore[no-untyped-call]  # nbformat's functions have no types


def test_every_notebook_is_run_here() -> None:
    assert {file.stem for file in FOLDER.glob("*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_runs_and_draws(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    book = read(name)
    (parameters,) = [cell for cell in book.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source = SMALL[name]
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]
