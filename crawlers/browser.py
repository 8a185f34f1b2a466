"""The home page in a real browser that nobody touches: what it asks for, opens, sets and moves to by itself.

Chromium is driven through Playwright (the extra `browser`) and reaches the network only through `GuardingProxy`: the crawler's address
rules hold for every request, redirect and tunnel. Known click addresses are not asked for; that they were wanted is what is reported.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crawlers.domains import is_within
from crawlers.facts import BrowserCookie, BrowserRequest, BrowserVisit
from crawlers.limits import CrawlSettings
from crawlers.proxy import GuardingProxy
from crawlers.reading.affiliate import network_of
from crawlers.reading.urls import clean, host_of
from crawlers.resolve import Resolver
from crawlers.survey import DESKTOP

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Frame, Page, Request, Route

LOAD_SECONDS = 20.0
SETTLE_SECONDS = 6.0
"""How long the page is watched after it has loaded: timed redirects and late frames fire within five seconds."""
VISIT_SECONDS = 45.0
MOST_REQUESTS, MOST_COOKIES, MOST_TEXT = 500, 200, 20_000
ARGUMENTS = (
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-domain-reliability",
    "--disable-extensions", "--disable-quic", "--disable-sync", "--disable-breakpad", "--disable-client-side-phishing-detection",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,AutofillServerCommunication,CertificateTransparencyComponentUpdater",
    "--dns-prefetch-disable", "--metrics-recording-only", "--mute-audio", "--no-default-browser-check", "--no-first-run", "--no-pings",
    "--safebrowsing-disable-auto-update", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
"""A browser that asks nobody for anything but the page: no look-ups of its own, no UDP, no services of its maker."""


@dataclass
class _Watch:
    """What was seen of one visit."""

    started: float
    requests: list[BrowserRequest] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)
    redirects: list[tuple[str, float]] = field(default_factory=list)
    loaded: bool = False


class BrowserProbe:
    """Visits pages with the Chromium at `executable`; use it as `async with BrowserProbe(...) as probe`. One visit at a time.

    `keep` stores screenshots and returns their SHA-256; `never` are hosts that are not asked for anything, such as the program's own
    tracking. With a certificate authority of the operator's own the browser does not verify certificates: it carries no secrets.
    """

    def __init__(
        self,
        executable: str,
        settings: CrawlSettings,
        *,
        keep: Callable[[bytes], str] | None = None,
        never: tuple[str, ...] = (),
        resolver: Resolver | None = None,
    ) -> None:
        self._executable, self._settings = executable, settings
        self._keep, self._never = keep, never
        self._proxy = GuardingProxy(settings, resolver, never)
        self._open = AsyncExitStack()
        self._browser: Browser | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._open.aclose()

    async def visit(self, url: str) -> BrowserVisit:
        """Return what the page did by itself; `failure` says why nothing is known. Raises nothing that the page or the browser causes."""
        try:
            from playwright.async_api import Error  # noqa: PLC0415 -- an extra, needed by this alone
        except ImportError:
            return BrowserVisit(url=url, failure="the extra `browser` is not installed (pip install 'affiliate-fraud[browser]').")
        if not Path(self._executable).is_file():
            return BrowserVisit(url=url, failure=f"there is no browser at {self._executable}.")
        async with self._turn:
            try:
                async with asyncio.timeout(VISIT_SECONDS):
                    return await self._visit(await self._started(), url)
            except TimeoutError:
                return BrowserVisit(url=url, failure=f"the browser was not done after {VISIT_SECONDS:g} seconds.")
            except Error as error:
                return BrowserVisit(url=url, failure=f"the browser gave up ({clean(error.message.splitlines()[0])[:200]}).")

    async def _started(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            from playwright.async_api import async_playwright  # noqa: PLC0415 -- as above

            await self._open.enter_async_context(self._proxy)
            driver = await self._open.enter_async_context(async_playwright())
            self._browser = await driver.chromium.launch(
                executable_path=self._executable,
                headless=True,
                chromium_sandbox=os.geteuid() != 0,
                proxy={"server": f"http://127.0.0.1:{self._proxy.port}", "bypass": "<-loopback>"},
                args=list(ARGUMENTS),
            )
            self._open.push_async_callback(self._browser.close)
        return self._browser

    async def _visit(self, browser: Browser, url: str) -> BrowserVisit:
        self._proxy.reset()
        context = await browser.new_context(
            user_agent=DESKTOP,
            ignore_https_errors=self._settings.ca_file is not None,
            accept_downloads=False,
            service_workers="block",
            viewport={"width": 1280, "height": 800},
        )
        try:
            return await self._watched(context, url)
        finally:
            await context.close()

    async def _watched(self, context: BrowserContext, url: str) -> BrowserVisit:
        from playwright.async_api import Error, TimeoutError as Late  # noqa: I001, PLC0415 -- as above

        watch = _Watch(asyncio.get_running_loop().time())
        await context.route("**/*", self._gate)
        context.on("request", lambda request: _asked(watch, request))
        page = await context.new_page()
        context.on("page", lambda other: watch.windows.append(other.url))
        page.on("framenavigated", lambda frame: _moved(watch, page, frame))
        page.set_default_timeout(LOAD_SECONDS * 1000)
        failure = ""
        try:
            await page.goto(url, wait_until="load")
        except Late:
            pass  # a page that never stops loading is watched as it is
        except Error as error:
            failure = "" if watch.requests[1:] else f"the page did not open ({clean(error.message.splitlines()[0])[:200]})."
        watch.loaded = True
        await asyncio.sleep(SETTLE_SECONDS)
        return await self._seen(context, page, watch, (url, failure))

    async def _seen(self, context: BrowserContext, page: Page, watch: _Watch, asked: tuple[str, str]) -> BrowserVisit:
        url, failure = asked
        cookies = {(str(cookie.get("domain", "")), str(cookie.get("name", ""))) for cookie in await context.cookies()}
        opened = [other.url for other in context.pages if other is not page]
        return BrowserVisit(
            url=url,
            final_url=page.url,
            title=clean(await _quietly(page, "document.title"))[:1000],
            text=clean(await _quietly(page, "document.body ? document.body.innerText : ''"))[:MOST_TEXT],
            requests=tuple(watch.requests[:MOST_REQUESTS]),
            cookies=tuple(BrowserCookie(domain=domain, name=name[:200]) for domain, name in sorted(cookies)[:MOST_COOKIES]),
            windows=tuple(dict.fromkeys(one for one in (*watch.windows, *opened) if host_of(one)))[:50],
            redirects=tuple(watch.redirects[:20]),
            refused=tuple(dict.fromkeys(self._proxy.refused))[:200],
            screenshot=await self._screenshot(page),
            failure=failure,
        )

    async def _screenshot(self, page: Page) -> str:
        from playwright.async_api import Error  # noqa: PLC0415 -- as above

        if self._keep is None:
            return ""
        try:
            return self._keep(await page.screenshot(timeout=5_000))
        except Error:
            return ""  # a page that is moving on cannot be drawn, and the rest of the visit stands without its picture

    async def _gate(self, route: Route) -> None:
        """Let a request through unless it would be somebody's click, or is none of the web's."""
        url = route.request.url
        click = bool(network_of(url)) or any(is_within(host_of(url), host) for host in self._never)
        if click or not url.startswith(("http://", "https://", "data:", "blob:")):
            await route.abort()
        else:
            await route.continue_()


def _asked(watch: _Watch, request: Request) -> None:
    """Writes down a request. A window's own first request says where it was opened to."""
    from playwright.async_api import Error  # noqa: PLC0415 -- as above

    url = clean(request.url)[:2048]
    if not url.startswith(("http://", "https://")) or len(watch.requests) >= MOST_REQUESTS:
        return
    try:
        frame = request.frame
        window = request.is_navigation_request() and frame.parent_frame is None and frame.page is not frame.page.context.pages[0]
        top = request.is_navigation_request() and frame.parent_frame is None and not window
        inside = frame.url
    except Error:  # the frame is gone, or belongs to a worker
        window, top, inside = False, False, ""
    watch.requests.append(BrowserRequest(url=url, kind=request.resource_type, frame_url=clean(inside)[:2048], network=network_of(url)))
    if window:
        watch.windows.append(url)
    if top and watch.loaded:
        watch.redirects.append((url, round(asyncio.get_running_loop().time() - watch.started, 2)))


def _moved(watch: _Watch, page: Page, frame: Frame) -> None:
    """Writes down where the page itself went after it had loaded."""
    known = {url for url, _ in watch.redirects}
    if watch.loaded and frame == page.main_frame and host_of(frame.url) and frame.url not in known:
        watch.redirects.append((clean(frame.url)[:2048], round(asyncio.get_running_loop().time() - watch.started, 2)))


async def _quietly(page: Page, expression: str) -> str:
    from playwright.async_api import Error  # noqa: PLC0415 -- as above

    try:
        return str(await page.evaluate(expression))
    except Error:
        return ""  # the page is moving on; what it was asked is then unknown
