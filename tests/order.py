"""Which test files begin first when several processes share them: a run is over with its last file, and no long one shall be that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

LONG_FILES = (
    "tests/workflows/test_ingesting_hostile.py",
    "tests/features/test_conformance.py",
    "tests/browser/test_looks.py",
    "tests/api/test_soak.py",
    "tests/notebooks/test_notebooks.py",
    "tests/trackers/test_pulling.py",
    "tests/crawlers/test_page_properties.py",
    "tests/api/test_kills.py",
    "tests/cli/test_backup.py",
    "tests/models/test_isolation.py",
    "tests/app/test_scanning.py",
    "tests/app/test_baselines.py",
    "tests/app/test_carrying.py",
    "tests/app/evaluation/test_quality.py",
    "tests/app/test_models.py",
    "tests/api/test_outages.py",
    "tests/sites/test_suite.py",
    "tests/features/test_engine.py",
    "tests/features/test_small_sub_ids.py",
    "tests/browser/test_tasks.py",
    "tests/crawlers/test_browser.py",
    "tests/detection/test_properties.py",
    "tests/app/test_replaying_many.py",
    "tests/app/test_graph.py",
    "tests/features/test_memory.py",
    "tests/api/test_schemathesis.py",
    "tests/app/test_remembering.py",
    "tests/cli/test_serving.py",
    "tests/cli/test_commands.py",
    "tests/app/evaluation/test_measures.py",
)
"""Files that take more than some ten seconds, the longest first."""


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests with those of long files in front, then file by file, many tests before few. Each file keeps its tests' order."""
    files = [item.nodeid.partition("::")[0] for item in items]
    counts = Counter(files)
    ranks = {file: rank for rank, file in enumerate(LONG_FILES)}
    keys = [(ranks.get(file, len(ranks)), -counts[file], file) for file in files]
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]
