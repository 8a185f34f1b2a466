"""The browser probe, where there is a browser: what a page does by itself, and that it goes nowhere else."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest

from crawlers.browser import BrowserProbe
from crawlers.facts import BrowserVisit
from tests.crawlers.servers import Answer, html, redirect, run, settings_to, site
from tests.crawlers.test_safety import canary
from tests.sites.cases import NESTED, STUFFINGS
from tests.sites.hosts import Answer as Made

BROWSER = os.environ.get("FRAUD_TEST_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome") or ""
CLICK = "http://go.acmetracking.test/click/77"
needs_browser = pytest.mark.skipif(not BROWSER or find_spec("playwright") is None, reason="there is no Chromium, or no Playwright")


def visited(pages: dict[str, Answer], never: tuple[str, ...] = ("go.acmetracking.test",)) -> tuple[BrowserVisit, list[str]]:
    """A visit to `shop.test`, and the paths that its servers were asked for."""
    with site(pages) as web:

        async def work() -> BrowserVisit:
            async with BrowserProbe(BROWSER, settings_to(web.port), keep=lambda picture: picture[:4].hex(), never=never) as probe:
                return await probe.visit("http://shop.test/")

        return run(work()), web.paths


@needs_browser
def test_what_a_page_does_by_itself_is_seen_and_no_click_is_made() -> None:
    with canary() as bird:
        script = (
            "document.getElementById('words').textContent='made by a script';document.cookie='visited=yes';"
            "setTimeout(function(){var f=document.createElement('iframe');f.style.display='none';"
            f"f.src='{CLICK}';document.body.appendChild(f)}},300);"
            "window.open('http://popup.test/w');setTimeout(function(){location.href='http://elsewhere.test/landing'},3000);"
        )
        inside = f'<img src="http://127.0.0.1:{bird.port}/x"><iframe src="http://[::1]:{bird.port}/"></iframe><img src="http://169.254.169.254/">'
        page = html(f"<title>Shop</title><body><p id=words></p>{inside}<script>{script}</script></body>")
        seen, asked = visited({"/": page, "/w": html("w"), "/landing": html("<p>landing</p>")})
        assert bird.visitors == 0
    assert seen.failure == ""
    assert CLICK in [request.url for request in seen.requests]
    assert seen.windows == ("http://popup.test/w",)
    assert [url for url, _ in seen.redirects] == ["http://elsewhere.test/landing"]
    assert "shop.test" in {cookie.domain for cookie in seen.cookies}
    assert seen.text == "landing"
    assert seen.screenshot == "89504e47"
    assert {"/", "/w", "/landing"} <= set(asked)
    assert not [path for path in asked if path.startswith("/click")]


@needs_browser
def test_the_words_that_scripts_write_are_read() -> None:
    seen, _ = visited({"/": html("<div id=root></div><script>root.innerHTML='<h1>Hello from a script</h1>'</script>")})
    assert seen.text == "Hello from a script"
    assert seen.redirects == ()


def test_without_a_browser_it_says_so() -> None:
    async def work() -> BrowserVisit:
        async with BrowserProbe("/nowhere/chromium", settings_to(1)) as probe:
            return await probe.visit("http://shop.test/")

    seen = run(work())
    assert "no browser at /nowhere/chromium" in seen.failure or "is not installed" in seen.failure


def _as_served(answer: Made) -> Answer:
    return Answer(answer.body, answer.status, {"Content-Type": "text/html", "Location": answer.location})


@needs_browser
@pytest.mark.long
def test_every_form_of_cookie_stuffing_shows_in_the_browser() -> None:
    """What the static reading finds by its markup, the browser shows as a request; prefetches wait for an idle moment and may not come."""
    own = CLICK.replace("http://", "https://") + "?aff=9"
    nested = {path: redirect(own) if answer.location == own else _as_served(answer) for path, answer in NESTED.items()}
    missed = []
    for form, element in STUFFINGS.items():
        seen, _ = visited({"/": html(f"<title>x</title><body><p>Words</p>{element}</body>"), **nested})
        wanted = [*(request.url for request in seen.requests), *seen.windows, *seen.refused]
        if not any("acmetracking.test" in url for url in wanted):
            missed.append(form)
    print(f"not shown by the browser: {missed}")
    assert set(missed) <= {"prefetch", "prerender"}
