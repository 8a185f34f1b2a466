"""Every link of every page leads somewhere."""

from __future__ import annotations

import contextlib
from collections import deque
from urllib.parse import urlsplit

import pytest

from fraud.errors import Conflict
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
