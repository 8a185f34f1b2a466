"""Every link of every page leads somewhere."""

from __future__ import annotations

import contextlib
from collections import deque
from urllib.parse import urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from fraud.errors import Conflict
from fraud.reports import definitions
from tests.reports import samples
from tests.web.conftest import Browser, Shop

_MOST_PAGES = 400


@pytest.fixture(autouse=True)
def _every_decision(shop: Shop) -> None:
    """The samples name more decisions than they hold; here each one named is kept."""
    for result in shop.app.stores.scans.recent("default", 10):
        named = {one.decision_id for one in (*result.affiliates, *result.sub_ids)} | {one.decision_id for one in result.alerts}
        named |= {one.decision_id for one in shop.app.stores.applications.dossiers("default", 10)}
        for decision_id in sorted(named):
            with contextlib.suppress(Conflict):
                shop.decisions.add([samples.decision(decision_id)])


@pytest.mark.parametrize("who", ["reviewer", "admin", "newcomer"])
def test_no_link_is_dead(who: str, request: pytest.FixtureRequest) -> None:
    browser: Browser = request.getfixturevalue(who)
    waiting, seen, dead = deque(["/?program=default"]), {"/?program=default"}, []
    while waiting and len(seen) < _MOST_PAGES:
        path = waiting.popleft()
        response = browser.get(path)
        if path.startswith("/graph/") and response.status_code == 404:
            continue  # nobody of the samples is in the lake; the page says so
        if response.status_code not in {200, 303}:
            dead.append((path, response.status_code))
            continue
        if not response.headers.get("content-type", "").startswith("text/html"):
            continue
        page = browser.page(path)
        ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
        inside = [href for href in page.hrefs() if href.startswith("#")]
        dead += [(path + href, 0) for href in inside if href[1:] not in ids]
        for href in page.hrefs():
            where = urlsplit(href)._replace(fragment="").geturl()
            if where and where not in seen:
                seen.add(where)
                waiting.append(where)
    assert not dead
    assert len(seen) > 8


FIGURES = (
    "/", "/alerts", "/cases", "/kept-back", "/applications?state=all", "/applications/app_0001", "/affiliates", "/affiliates/nordic-deals",
    "/rings", "/scans", "/scans/scn_00000000night1", "/decisions/dec_00001", "/policy", "/policy/checks/website.parked",
    "/settings/deliveries",
)  # fmt: skip


@pytest.mark.parametrize("path", FIGURES)
def test_every_figure_leads_to_its_meaning_or_its_evidence(admin: Browser, path: str) -> None:
    shown = HTMLParser(admin.get(path).text)
    tiles = shown.css(".figures > div")
    columns = shown.css("th.n")
    assert [one.text(strip=True) for one in (*tiles, *columns) if one.css_first("a") is None] == []


def test_every_meaning_that_is_linked_is_there(admin: Browser) -> None:
    meanings = {attributes.get("id", "") for _, attributes in admin.page("/help").elements}
    for path in FIGURES:
        linked = {href.partition("#")[2] for href in admin.page(path).hrefs() if href.startswith("/help") and "#" in href}
        assert linked <= meanings


def test_a_label_without_a_meaning_would_be_noticed() -> None:
    with pytest.raises(KeyError):
        definitions.key_of("Something new")
