"""A browser over a small program: no socket is opened, and cookies are kept as a browser keeps them."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from fraud.app.parts import App
from fraud.domain.actors import Role
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.storage.alerts import SqlAlerts
from fraud.web.pages import create_pages
from fraud.web.sessions import SessionSigner
from tests.conftest import settings_of
from tests.reports import samples
from tests.reports.markup import Page, assert_inert, read
from tests.web import fakes

NOW = samples.NIGHT + timedelta(hours=8)
REVIEW_KEY = "review-key-of-the-default-program"
ADMIN_KEY = "admin-key-of-every-program"
SECOND_KEY = "review-key-of-a-colleague"
SCORE_KEY = "score-key-of-a-tracker"


@dataclass
class Shop:
    """A program on a workspace of its own, with the stores that tests fill and the signer behind the pages."""

    app: App
    clock: FixedClock
    scans: fakes.Scans
    decisions: fakes.Decisions
    applications: fakes.Applications
    programs: fakes.Programs
    actors: fakes.Actors
    signer: SessionSigner = field(default_factory=lambda: SessionSigner(b"a secret of the tests, thirty-two"))

    @property
    def alerts(self) -> SqlAlerts:
        return self.app.stores.alerts


def open_shop(workspace: Path) -> Shop:
    clock = FixedClock(NOW)
    app = App(settings_of(workspace), clock)
    scans, decisions, programs = fakes.Scans(app.database), fakes.Decisions(app.database), fakes.Programs(app.database)
    applications, actors = fakes.Applications(app.database), fakes.Actors(app.database)
    app.stores = dataclasses.replace(
        app.stores, scans=scans, decisions=decisions, applications=applications, programs=programs, actors=actors
    )
    return Shop(app, clock, scans, decisions, applications, programs, actors)


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

    def settled(self, path: str) -> httpx.Response:
        """A page once what it looks up in the background is there."""
        while "being counted" in (response := self.get(path)).text:
            pass
        return response

    def page(self, path: str, status: int = 200) -> Page:
        """A page that must be well-formed and must not run or load anything."""
        response = self.get(path)
        assert response.status_code == status, response.text
        shown = read(response.text)
        scripts = [one for one in shown.elements if one[0] == "script"]
        assert all(one[1].get("src", "").startswith("/static/pages.js?v=") for one in scripts)
        assert_inert(Page(shown.text, [one for one in shown.elements if one[0] != "script"]))
        return shown

    def act(self, path: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        """Sends a form of ours as a browser would, with the token of the page it stands on."""
        token = next(field["value"] for field in self.page("/start").all("input") if field.get("name") == "token")
        return self.post(path, {"token": token, **(form or {})}, headers={"Sec-Fetch-Site": "same-origin"})

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


@pytest.fixture(scope="session")
def fresh_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose database has its tables, made once and copied by each test."""
    folder = tmp_path_factory.mktemp("fresh") / "workspace"
    App(settings_of(folder), FixedClock(NOW)).close()
    return folder


@pytest.fixture
def empty(fresh_workspace: Path, tmp_path: Path) -> Iterator[Shop]:
    """A program in which nothing has happened yet."""
    shop = open_shop(Path(shutil.copytree(fresh_workspace, tmp_path / "workspace")))
    shop.actors.accept_key(REVIEW_KEY, "Rosa", Role.REVIEW, ("default",), NOW)
    shop.actors.accept_key(SECOND_KEY, "Sven", Role.REVIEW, ("default",), NOW)
    shop.actors.accept_key(ADMIN_KEY, "Ada", Role.ADMIN, ("*",), NOW)
    shop.actors.accept_key(SCORE_KEY, "tracker", Role.SCORE, ("default",), NOW)
    yield shop
    shop.app.close()


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """A program after two nights and two applicants, beside another program that has its own."""
    return fill(empty)


def fill(shop: Shop) -> Shop:
    """Two nights, alerts, applicants with decisions, and another program."""
    earlier = msgspec.structs.replace(samples.scan_result(scan_id="scn_earlier"), as_of=samples.NIGHT - timedelta(days=1))
    elsewhere = samples.scan_result(scan_id="scn_elsewhere", program_id="other")
    shop.scans.only([earlier, samples.scan_result(), elsewhere])
    shop.alerts.record(samples.scan_result().alerts)
    shop.alerts.record([msgspec.structs.replace(samples.alert("secret-partner"), program_id="other")])
    waiting = msgspec.structs.replace(samples.application("app_0003"), name="Waiting Person")
    made = [samples.clean_dossier(), samples.dossier(), samples.dossier(application_id="app_other", program_id="other")]
    shop.applications.fill([samples.application(), waiting], made)
    shop.decisions.add([samples.decision(), samples.decision("dec_other", program_id="other"), vetted()])
    shop.programs.only([samples.profile(), samples.profile("other", "Other Program")])
    return shop


def vetted() -> Decision:
    """The decision behind the dossier of `app_0001`."""
    dossier = samples.dossier()
    verdict = msgspec.structs.replace(samples.decision().verdict, outcome=dossier.outcome, reasons=())
    return msgspec.structs.replace(
        samples.decision(dossier.decision_id),
        kind=DecisionKind.VET,
        subject_kind=SubjectKind.APPLICATION,
        subject_id=dossier.application_id,
        signals=dossier.signals,
        verdict=verdict,
    )


def browser_of(shop: Shop) -> Browser:
    app = FastAPI()
    app.include_router(create_pages(shop.app, shop.signer))
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
def colleague(shop: Shop) -> Browser:
    """Another reviewer of the default program."""
    return browser_of(shop).sign_in(SECOND_KEY)


@pytest.fixture
def admin(shop: Shop) -> Browser:
    """An administrator of every program."""
    return browser_of(shop).sign_in(ADMIN_KEY)


@pytest.fixture
def newcomer(empty: Shop) -> Browser:
    """A reviewer of a program in which nothing has happened yet."""
    return browser_of(empty).sign_in(REVIEW_KEY)
