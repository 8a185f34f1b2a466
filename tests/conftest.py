"""What every test may rely on: an environment without settings, a clock that stands still, a product on a workspace of its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from fraud.app.parts import App
from fraud.domain.clock import FixedClock
from fraud.settings import Settings
from fraud.simulation.program import SimulatedProgram, simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from tests.order import longest_first
from tests.tenth import choose_tenth, pytest_addoption

__all__ = ["pytest_addoption"]

MORNING = datetime(2026, 4, 1, 6, tzinfo=UTC)
"""When the tests' products live: after the newest events of the made-up program."""

# The same examples on every machine, however busy it is; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1_000)
settings.load_profile("same")

OpenApp = Callable[[Path], App]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Chooses among the long tests before they are left out, and puts long files first where processes share them."""
    choose_tenth(config, items)
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """No setting of whoever runs the tests reaches them; what steers the tests themselves (`FRAUD_TEST_…`) stays."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("FRAUD_") and not name.startswith("FRAUD_TEST_")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """No test finds logs as another, or a server that it started, set them up, and none leaves them so."""
    _plain_logs()
    yield
    _plain_logs()


def _plain_logs() -> None:
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for server in map(logging.getLogger, ("uvicorn", "uvicorn.error", "uvicorn.access")):
        server.handlers.clear()
        server.setLevel(logging.NOTSET)
        server.propagate, server.disabled = True, False


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of development data; a test that asks for it is skipped where there is none."""
    named = os.environ.get("FRAUD_TEST_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("FRAUD_TEST_DATA names no folder of development data")
    return Path(named)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that a test may move."""
    return FixedClock(MORNING)


@pytest.fixture
def open_at(clock: FixedClock) -> Iterator[OpenApp]:
    """Opens products on workspaces, and closes them at the end."""
    opened: list[App] = []

    def open_one(workspace: Path) -> App:
        opened.append(App(settings_of(workspace), clock))
        return opened[-1]

    yield open_one
    for app in opened:
        app.close()


@pytest.fixture
def app(tmp_path: Path, open_at: OpenApp) -> App:
    """The product on an empty workspace."""
    return open_at(tmp_path / "workspace")


def settings_of(workspace: Path) -> Settings:
    """The defaults on a workspace, whatever `.env` lies about."""
    return Settings(workspace=workspace, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument


@pytest.fixture(scope="session")
def program() -> SimulatedProgram:
    """Forty affiliates over ten days, eight of them bad, one by absolute evidence: about 2,000 clicks, made once."""
    return simulate(SimulationSpec(seed=3, affiliates=40, days=10, clicks_per_day=6.0, bad_share=0.2, hard_share=0.1))


@pytest.fixture(scope="session")
def program_folder(program: SimulatedProgram, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's tables as files, with the truth beside them. Not to be written to."""
    folder = tmp_path_factory.mktemp("program")
    write(program, folder)
    return folder
