"""The package as a user meets it: cheap to import, complete, and independent of the product."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import models

ROOT = Path(__file__).parents[2]


def test_every_public_name_can_be_had() -> None:
    assert all(getattr(models, name) is not None for name in models.__all__)
    assert set(models.__all__) <= set(dir(models))


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Oracle'"):
        models.Oracle  # noqa: B018 - the access is the test


def test_importing_models_loads_no_library() -> None:
    script = "import sys, models; print({'numpy', 'pandas', 'sklearn', 'scipy', 'numba', 'networkx'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "set()"


def imported_by(path: Path) -> set[str]:
    """The packages a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


def test_nothing_here_knows_the_product() -> None:
    modules = sorted((ROOT / "models").rglob("*.py"))
    assert len(modules) > 10
    for path in modules:
        assert not imported_by(path) & {"fraud", "crawlers", "httpx", "sqlalchemy"}, path
