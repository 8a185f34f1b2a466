"""The landing pages' tag in a real Chromium, on a merchant's page of another origin with the strictest content policy that lets it in."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fraud.api.tag import script
from fraud.domain.events import Click
from fraud.features.visits import MARKS, marks_of
from tests.api.conftest import TAG, House, house, migrated_file
from tests.browser.conftest import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

__all__ = ["house", "migrated_file"]

HOOK = "window.tagConsent = function (tell) { window.tellTag = tell; };"
"""A merchant's consent manager that keeps the tag's question for later."""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Where an application answers on this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def shop_of(service: str) -> Starlette:
    """A merchant whose pages carry the tag, with what the address asks for as its attributes."""
    policy = f"default-src 'none'; script-src {service} 'self'; connect-src {service}; frame-src 'self'; require-trusted-types-for 'script'"

    async def landing(request: Request) -> Response:
        asked = request.query_params
        said = " ".join(f'{name}="{asked[name]}"' for name in ("data-consent", "data-consent-hook", "data-click-param") if name in asked)
        pin = f'?v={script()[1]}" integrity="sha256-{_digest()}" crossorigin="anonymous' if "pinned" in asked else ""
        tag = f'<script src="{service}/tag.js{pin}" data-tag="{TAG}" {said} async></script>'
        page = f'<!doctype html><title>Shoes</title><script src="/hook.js"></script>{tag}<p>Shoes.'
        return HTMLResponse(page, headers={"content-security-policy": policy})

    async def frame(request: Request) -> Response:
        page = f'<!doctype html><title>Blog</title><iframe src="/landing?{request.url.query}" width=1 height=1></iframe>'
        return HTMLResponse(page, headers={"content-security-policy": policy})

    async def hook(request: Request) -> Response:
        return Response(HOOK, media_type="text/javascript")

    async def nothing(request: Request) -> Response:
        return Response(status_code=204)

    return Starlette(routes=[Route("/landing", landing), Route("/frame", frame), Route("/hook.js", hook), Route("/favicon.ico", nothing)])


def _digest() -> str:
    return base64.b64encode(hashlib.sha256(script()[0]).digest()).decode()


@dataclass
class Visitor:
    """Somebody before a browser who follows an affiliate's link to the merchant."""

    page: Page
    shop: str
    house: House
    faults: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def land(self, query: str = "data-consent=granted", path: str = "landing", click: str = "click_id=c1") -> None:
        self.page.goto(f"{self.shop}/{path}?{click}&{query}", wait_until="load")
        (self.page if path == "landing" else self.page.frames[1]).wait_for_function("window.affiliateTag !== undefined")

    def leave(self) -> None:
        self.page.goto("about:blank")

    def marks(self, click_id: str = "c1") -> dict[str, bool | None]:
        """What is known of the click, once the report that was sent on leaving is there."""
        clicked = Click(click_id=click_id, clicked_at=datetime.now(UTC), affiliate_id="aff")
        for _ in range(200):
            visits = self.house.visits.of_click("default", click_id)
            if any(visit.final for visit in visits):
                return marks_of(clicked, visits)
            self.page.wait_for_timeout(25)
        raise AssertionError("no report came")

    def silent(self) -> bool:
        """Whether nothing was sent, though there was time to."""
        self.page.wait_for_timeout(400)
        return not self.reported and not self.house.visits.of_click("default", "c1")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    running = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[browser]')")
    with running.sync_playwright() as started:
        yield started


def launched(playwright: Playwright, *args: str) -> Browser:
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        missing("no Chromium is installed (apt-get install chromium)")
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", *args])


@pytest.fixture(scope="module")
def driven(playwright: Playwright) -> Iterator[Browser]:
    """A browser that says of itself that a program drives it."""
    browser = launched(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def own(playwright: Playwright) -> Iterator[Browser]:
    """A browser as people have it."""
    browser = launched(playwright, "--disable-blink-features=AutomationControlled")
    yield browser
    browser.close()


@pytest.fixture
def shop(house: House) -> Iterator[str]:
    with served(house.app) as service, served(shop_of(service)) as shop:
        yield shop


@contextmanager
def visitor(browser: Browser, shop: str, house: House, init: str = "") -> Iterator[Visitor]:
    """A visitor in a fresh window, where every complaint of the browser is noted; there are none, no cookies and nothing stored."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, screen={"width": 1280, "height": 800})
    if init:
        context.add_init_script(init)
    one = Visitor(context.new_page(), shop, house)
    one.page.on("console", lambda message: one.faults.append(message.text) if message.type in {"error", "warning"} else None)
    one.page.on("pageerror", lambda fault: one.faults.append(str(fault)))
    context.on("request", lambda asked: one.reported.append(asked.url) if "/v1/tag/" in asked.url else None)
    yield one
    kept = stored(context, shop)
    context.close()
    assert (one.faults, kept) == ([], [])


def stored(context: BrowserContext, shop: str) -> list[Any]:
    """What a visit left behind in the browser."""
    page = context.new_page()
    page.goto(f"{shop}/landing")
    left = page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)].flat()")
    return [*context.cookies(), *left]


def test_a_driven_browser_is_marked(driven: Browser, shop: str, house: House) -> None:
    with visitor(driven, shop, house) as robot:
        robot.land()
        robot.leave()
        marks = robot.marks()
    assert (marks["driven"], marks["untouched"]) == (True, True)


def test_a_person_is_not(own: Browser, shop: str, house: House) -> None:
    with visitor(own, shop, house) as person:
        person.land()
        person.page.mouse.move(200, 200)
        person.page.mouse.move(400, 300, steps=5)
        person.page.mouse.wheel(0, 200)
        person.page.wait_for_timeout(50)
        person.leave()
        assert person.marks() == dict.fromkeys(MARKS, False)


def test_events_that_a_script_makes_up_are_no_touch(own: Browser, shop: str, house: House) -> None:
    with visitor(own, shop, house) as robot:
        robot.land()
        robot.page.evaluate("document.dispatchEvent(new PointerEvent('pointermove')); document.dispatchEvent(new KeyboardEvent('keydown'))")
        robot.leave()
        assert robot.marks()["untouched"] is True


def test_a_page_in_a_frame_of_one_pixel_stands_in_an_odd_window(own: Browser, shop: str, house: House) -> None:
    with visitor(own, shop, house) as stuffed:
        stuffed.land(path="frame")
        stuffed.page.wait_for_timeout(50)
        stuffed.leave()
        assert stuffed.marks()["odd_window"] is True
    (visit,) = house.visits.of_click("default", "c1")
    assert visit.framed is True


def test_a_page_that_never_showed_was_not_seen(own: Browser, shop: str, house: House) -> None:
    hide = "Object.defineProperty(Document.prototype, 'visibilityState', {get: () => 'hidden'});"
    with visitor(own, shop, house, hide) as nobody:
        nobody.land()
        nobody.leave()
        assert nobody.marks()["unseen"] is True


@pytest.mark.parametrize("query", ["", "data-consent=denied", "data-consent-hook=tagConsent", "data-consent-hook=nothingThere"])
def test_without_consent_nothing_is_sent(own: Browser, shop: str, house: House, query: str) -> None:
    with visitor(own, shop, house) as private:
        private.land(query)
        private.page.mouse.move(10, 10)
        private.leave()
        assert private.silent()


@pytest.mark.parametrize(("signal", "value"), [("globalPrivacyControl", "true"), ("doNotTrack", "'1'")])
def test_a_browser_that_objects_is_left_alone_whatever_the_page_says(
    own: Browser, shop: str, house: House, signal: str, value: str
) -> None:
    with visitor(own, shop, house, f"Object.defineProperty(Navigator.prototype, '{signal}', {{get: () => {value}}});") as private:
        private.land()
        private.leave()
        assert private.silent()


@pytest.mark.parametrize(("answer", "sent"), [("window.tellTag(true)", True), ("window.tellTag(false)", False)])
def test_the_merchants_own_question_decides(own: Browser, shop: str, house: House, answer: str, sent: bool) -> None:
    with visitor(own, shop, house) as asked:
        asked.land("data-consent-hook=tagConsent")
        asked.page.evaluate(answer)
        asked.leave()
        assert (asked.marks()["driven"] is False) if sent else asked.silent()


def test_consent_that_is_withdrawn_ends_it(own: Browser, shop: str, house: House) -> None:
    with visitor(own, shop, house) as wavering:
        wavering.land()
        wavering.page.evaluate("window.affiliateTag.consent(false)")
        wavering.leave()
        assert wavering.silent()


def test_without_a_click_there_is_nothing_to_report(own: Browser, shop: str, house: House) -> None:
    with visitor(own, shop, house) as direct:
        direct.land(click="utm_source=x")
        direct.leave()
        assert direct.silent()


def test_a_page_may_name_its_parameter_and_pin_the_script(own: Browser, shop: str, house: House) -> None:
    with visitor(own, shop, house) as person:
        person.land("data-consent=granted&data-click-param=tid&pinned=1", click="tid=c7")
        person.leave()
        assert person.marks("c7")["driven"] is False


def test_a_first_report_comes_while_the_page_is_open(own: Browser, shop: str, house: House) -> None:
    """Three seconds after the visit began: a conversion on the very page finds it."""
    with visitor(own, shop, house) as person:
        person.land()
        ends = time.monotonic() + 20
        while not house.visits.of_click("default", "c1") and time.monotonic() < ends:
            person.page.wait_for_timeout(50)
        (visit,) = house.visits.of_click("default", "c1")
    assert visit.final is False
    assert visit.visible_ms is not None
    assert visit.visible_ms > 1_000
