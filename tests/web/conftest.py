"""A browser over an in-memory program: no socket is opened, and cookies are kept as a browser keeps them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from fraud.domain.actors import Role
from fraud.domain.clock import FixedClock
from fraud.web.pages import create_pages
from fraud.web.sessions import SessionSigner
from fraud.web.stores import PageStores
from tests.reports import samples
from tests.reports.markup import Page, assert_inert, read
from tests.web import fakes

NOW = samples.NIGHT + timedelta(hours=8)
REVIEW_KEY = "review-key-of-the-default-program"
ADMIN_KEY = "admin-key-of-every-program"
SCORE_KEY = "score-key-of-a-tracker"


@dataclass
class Shop:
    """A program's stores as the fakes they are, with the clock and the signer behind the pages."""

    decisions: fakes.Decisions = field(default_factory=fakes.Decisions)
    scans: fakes.Scans = field(default_factory=fakes.Scans)
    alerts: fakes.Alerts = field(default_factory=fakes.Alerts)
    applications: fakes.Applications = field(default_factory=fakes.Applications)
    programs: fakes.Programs = field(default_factory=fakes.Programs)
    actors: fakes.Actors = field(default_factory=fakes.Actors)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    signer: SessionSigner = field(default_factory=lambda: SessionSigner(b"a secret of the tests, thirty-two"))

    def stores(self) -> PageStores:
        return PageStores(self.decisions, self.scans, self.alerts, self.applications, self.programs, self.actors)


@dataclass
class Browser:
    """Asks the application for pages, without following redirects."""

    app: FastAPI
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self._ask("POST", path, form or {}, headers)

    def page(self, path: str, status: int = 200) -> Page:
        """A page that must be well-formed and must not run or load anything."""
        response = self.get(path)
        assert response.status_code == status, response.text
        shown = read(response.text)
        assert_inert(shown)
        return shown

    def sign_in(self, key: str) -> Browser:
        assert self.post("/login", {"key": key}).status_code == 303
        return self

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None, headers: Mapping[str, str] | None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            base = f"{self.scheme}://fraud.example"
            async with httpx.AsyncClient(transport=transport, base_url=base, cookies=self.cookies) as client:
                return await client.request(method, path, data=form, headers=headers)

        response = asyncio.run(ask())
        self._keep(response.headers.get_list("set-cookie"))
        return response

    def _keep(self, cookies: list[str]) -> None:
        for cookie in cookies:
            name, value = re.match(r"([^=]+)=\"?([^;\"]*)", cookie).groups()  # type: ignore[union-attr]  # a cookie always has a name
            self.cookies[name] = value
            if "max-age=0" in cookie.lower():
                del self.cookies[name]


@pytest.fixture
def empty() -> Shop:
    """A program in which nothing has happened yet."""
    shop = Shop()
    shop.actors.accept_key(REVIEW_KEY, "Rosa", Role.REVIEW, ("default",), NOW)
    shop.actors.accept_key(ADMIN_KEY, "Ada", Role.ADMIN, ("*",), NOW)
    shop.actors.accept_key(SCORE_KEY, "tracker", Role.SCORE, ("default",), NOW)
    return shop


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """A program after two nights and two applicants, beside another program that has its own."""
    earlier = msgspec.structs.replace(samples.scan_result(scan_id="scn_earlier"), as_of=samples.NIGHT - timedelta(days=1))
    elsewhere = samples.scan_result(scan_id="scn_elsewhere", program_id="other")
    empty.scans.kept = [earlier, samples.scan_result(), elsewhere]
    empty.alerts.record(samples.scan_result().alerts)
    empty.alerts.record([msgspec.structs.replace(samples.alert("secret-partner"), program_id="other")])
    empty.applications.given = [samples.application(), msgspec.structs.replace(samples.application("app_0003"), name="Waiting Person")]
    empty.applications.made = [samples.clean_dossier(), samples.dossier(), samples.dossier(application_id="app_other", program_id="other")]
    empty.decisions.add([samples.decision(), samples.decision("dec_other", program_id="other")])
    empty.programs.kept = [samples.profile(), samples.profile("other", "Other Program")]
    return empty


def browser_of(shop: Shop) -> Browser:
    app = FastAPI()
    app.include_router(create_pages(shop.stores(), shop.signer, shop.clock))
    return Browser(app)


@pytest.fixture
def visitor(shop: Shop) -> Browser:
    """Somebody who is not signed in."""
    return browser_of(shop)


@pytest.fixture
def reviewer(shop: Shop) -> Browser:
    """A reviewer of the default program."""
    return browser_of(shop).sign_in(REVIEW_KEY)


@pytest.fixture
def admin(shop: Shop) -> Browser:
    """An administrator of every program."""
    return browser_of(shop).sign_in(ADMIN_KEY)


@pytest.fixture
def newcomer(empty: Shop) -> Browser:
    """A reviewer of a program in which nothing has happened yet."""
    return browser_of(empty).sign_in(REVIEW_KEY)
