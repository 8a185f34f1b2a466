"""The pages in a real Chromium: a service on a port of this machine, and a browser that notes every error and every request elsewhere."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from fastapi import FastAPI

from fraud.app.working import Worker
from fraud.cli.jobs import HANDLERS
from fraud.domain.actors import Role
from fraud.web.own_report import own_report_pages
from fraud.web.pages import create_pages
from tests.web.conftest import ADMIN_KEY, NOW, REVIEW_KEY, SECOND_KEY, Shop, fill, open_shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHOTS = Path(__file__).parents[2] / "build" / "pages"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


@dataclass
class Desk:
    """One person at a browser: where the service is, and what went wrong on the way."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, key: str) -> Desk:
        self.go("/login")
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.base}/*")
        return self

    def violations(self) -> list[dict[str, Any]]:
        """What axe-core finds on the page as it stands; evaluated by the browser's own protocol, so the content policy stays in force."""
        self.page.evaluate(AXE.read_text() + "; undefined")
        found: list[dict[str, Any]] = self.page.evaluate("axe.run(document).then(result => result.violations)")
        return found

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def missing(reason: str) -> None:
    if "chromium" in os.environ.get("FRAUD_TEST_REQUIRE", ""):
        pytest.fail(f"{reason}, and FRAUD_TEST_REQUIRE asks for it")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium of this machine; the tests are skipped where there is none."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        missing("no Chromium is installed (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[browser]')")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A filled program on a workspace of its own."""
    opened = fill(open_shop(tmp_path / "workspace"))
    for key, name, role in ((REVIEW_KEY, "Rosa", Role.REVIEW), (SECOND_KEY, "Sven", Role.REVIEW), (ADMIN_KEY, "Ada", Role.ADMIN)):
        opened.actors.accept_key(key, name, role, ("default",), NOW)
    yield opened
    opened.app.close()


@pytest.fixture
def base(shop: Shop) -> Iterator[str]:
    """Where the pages of the program are served, with a worker behind them."""
    api = FastAPI()
    api.include_router(create_pages(shop.app, shop.signer))
    api.include_router(own_report_pages(shop.app))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(api, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    worker = Worker(shop.app, HANDLERS)
    thread.start()
    worker.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{port}"
    worker.stop()
    server.should_exit = True
    thread.join(10)


def sit_down(chromium: Browser, base: str, **options: Any) -> Desk:
    """A new browser window of somebody, in which errors and foreign requests are noted."""
    context = chromium.new_context(timezone_id="Europe/Berlin", locale="en-GB", **options)
    desk = Desk(context.new_page(), base)
    desk.page.set_default_timeout(20_000)
    desk.page.on("console", lambda message: desk.faults.append(message.text) if message.type in {"error", "warning"} else None)
    desk.page.on("pageerror", lambda fault: desk.faults.append(str(fault)))
    desk.page.on("request", lambda asked: None if asked.url.startswith((base, "data:")) else desk.faults.append(asked.url))
    return desk


@pytest.fixture
def desk(chromium: Browser, base: str) -> Iterator[Desk]:
    """A reviewer at work; errors on the console and requests to other hosts fail the test."""
    seated = sit_down(chromium, base, viewport={"width": 1440, "height": 900}).sign_in(REVIEW_KEY)
    yield seated
    seated.page.context.close()
    assert not seated.faults
