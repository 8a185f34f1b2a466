"""Every page on a phone, a tablet and a desk, light and dark: accessible, quiet, and nothing wider than the screen.

A test for each theme and width: files of many tests are run first, and this one takes longest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fraud.app.affiliate_reports import make_link
from fraud.domain.actors import SYSTEM
from tests.browser.conftest import Desk, sit_down
from tests.web.conftest import ADMIN_KEY, NOW, Shop
from tests.web.test_modelling import kept, kept_baseline

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TABLET = 820
WIDTHS = (390, TABLET, 1440)


def pages(shop: Shop) -> dict[str, str]:
    rankers_and_baselines(shop)
    alert = shop.alerts.open_alerts("default")[0]
    ring = next(iter(shop.app.stores.scans.recent("default", 1)[0].rings))
    return {
        "today": "/",
        "alerts": "/alerts",
        "alerts-narrowed": "/alerts?severity=high&held=free",
        "alerts-none": "/alerts?q=nobody",
        "alert": f"/alerts/{alert.alert_id}",
        "applications": "/applications",
        "application": "/applications/app_0001",
        "traffic": "/affiliates",
        "affiliate": "/affiliates/nordic-deals",
        "rings": "/rings",
        "ring": f"/rings/{ring.ring_id}",
        "scans": "/scans",
        "scan": "/scans/scn_00000000night1",
        "decision": "/decisions/dec_00001",
        "policy": "/policy",
        "check": "/policy/checks/website.parked",
        "models": "/models",
        "settings": "/settings",
        "deliveries": "/settings/deliveries",
        "feeds": "/settings/feeds",
        "jobs": "/settings/jobs",
        "audit": "/settings/audit",
        "cases": "/cases",
        "kept-back": "/kept-back",
        "help": "/help",
        "feature": "/features/top_ip_share",
        "shape": "/traffic/nordic-deals",
        "report": "/reports/nordic-deals",
        "own-report": f"/report/{make_link(shop.app, 'default', 'nordic-deals', 30, SYSTEM)[1]}",
        "start": "/start",
        "error": "/affiliates/nobody",
    }


def rankers_and_baselines(shop: Shop) -> None:
    """Two rankers, of which the second is live, and a baseline that waits."""
    first, second, serving = kept(shop, 9), kept(shop, 1), kept_baseline(shop, 9)
    kept_baseline(shop, 2, held=True)
    for info in (first, second, serving):
        shop.app.registry.promote(info.id, NOW, "Rosa", "Better on last month’s labels")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_accessible_and_fit_their_screen(chromium: Browser, base: str, shop: Shop, theme: Any, width: int) -> None:
    desk = sit_down(chromium, base, color_scheme=theme, viewport={"width": width, "height": 900}).sign_in(ADMIN_KEY)
    found = [problem for name, path in pages(shop).items() for problem in look(desk, name, path, f"{theme}-{width}", rules=width != TABLET)]
    desk.page.context.close()
    assert not found
    assert [fault for fault in desk.faults if "404" not in fault] == []  # the error page is one of those looked at


def look(desk: Desk, name: str, path: str, how: str, *, rules: bool) -> list[str]:
    """What is wrong with a page in one theme, at one width; the `rules` of accessibility are asked on a phone and on a desk."""
    desk.go(path)
    desk.page.locator('meta[name="again"], meta[http-equiv="refresh"]').wait_for(state="detached")  # what is looked up is there
    overflow = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    desk.shot(f"{name}-{how}")
    wide = [f"{name} {how}: {overflow} px wider than the screen"] if overflow > 0 else []
    found = desk.violations() if rules else []
    return wide + [f"{name} {how}: {one['id']} at {one['nodes'][0]['target']} ({len(one['nodes'])})" for one in found]


def test_the_first_page_is_accessible_before_signing_in(chromium: Browser, base: str) -> None:
    desk = sit_down(chromium, base)
    desk.go("/login")
    assert desk.violations() == []
    assert not desk.faults
