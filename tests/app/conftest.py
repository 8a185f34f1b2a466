"""A scanned workspace, made once for the tests that only read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fraud.app.parts import App
from fraud.app.scanning import ScanRun
from fraud.domain.clock import FixedClock
from tests.app.products import ingest_program, scan_newest
from tests.conftest import MORNING, OpenApp, settings_of


@dataclass(frozen=True)
class Scanned:
    """A product whose workspace holds the made-up program, and the scan of its newest nights."""

    app: App
    run: ScanRun


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory, program_folder: Path) -> Iterator[Scanned]:
    """Scanned once, for tests that change nothing."""
    opened = App(settings_of(tmp_path_factory.mktemp("scanned")), FixedClock(MORNING))
    ingest_program(opened, program_folder)
    yield Scanned(opened, scan_newest(opened))
    opened.close()


@pytest.fixture
def scanned_copy(scanned: Scanned, tmp_path: Path, open_at: OpenApp) -> App:
    """A copy of the scanned workspace, for tests that change it."""
    return open_at(shutil.copytree(scanned.app.workspace.root, tmp_path / "copy"))
