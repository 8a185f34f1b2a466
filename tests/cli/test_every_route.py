"""Every route of the whole service, pages and all, with every role: a route that is added is walked, or this fails."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI

from fraud.app.parts import App
from fraud.cli.service import create_service
from fraud.domain.actors import DEFAULT_PROGRAM, Role
from fraud.domain.programs import ProgramProfile
from tests.conftest import settings_of
from tests.storage.samples import NOON, REASON, alert, application, decision, dossier, scan, verdict

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

SECRET = "read by those of this program alone"
"""Stands in everything that the program `default` has, and must never be read by anybody else."""

KEYS = {role: f"key-of-{role.value}" for role in Role}
STRANGER = "key-of-an-administrator-elsewhere"

OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/static/pages.css"),
    ("GET", "/static/pages.js"),
}
"""What answers anybody (CONTRACT 4), besides the landing-page tag with its collector, and signed links."""

TAG = re.compile(r"/(tag\.js|t|v1/tag|v1/signals|v1/collect)(/.*)?")
SIGNED = re.compile(r"/report/\{token\}.*")
FOR_TRACKERS = re.compile(r"/v1/(score/.*|postback|events/.*|feedback)|/metrics|/openapi\.json")


@dataclass
class Served:
    """The whole service over a workspace whose program `default` has one of everything."""

    service: FastAPI
    known: dict[str, str]

    def routes(self) -> list[tuple[str, str]]:
        return [(method, route.path) for route in walked(self.service.routes) for method in sorted(route.methods - {"HEAD"})]

    def client(self, key: str = "") -> TestClient:
        headers = {"X-API-Key": key} if key else {}
        return TestClient(self.service, headers=headers, raise_server_exceptions=False, follow_redirects=False)

    def filled(self, path: str) -> str:
        return re.sub(r"\{([a-z_]+)(:path)?\}", lambda found: self.known.get(found[1], "x"), path)


def walked(routes: Any) -> Iterator[Any]:
    """The routes there are, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from walked(inner.routes)
        elif getattr(route, "methods", None):
            yield route


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    app = App(settings_of(tmp_path_factory.mktemp("walk")).model_copy(update={"rate_limit": 0.0}))
    for role, key in KEYS.items():
        app.stores.actors.accept_key(key, role.value, role, (DEFAULT_PROGRAM,), NOON)
    app.stores.actors.accept_key(STRANGER, "stranger", Role.ADMIN, ("elsewhere",), NOON)
    app.stores.programs.save(ProgramProfile(name="Elsewhere", program_id="elsewhere"))
    yield Served(create_service(app), fill(app))
    app.close()


def fill(app: App) -> dict[str, str]:
    """One of everything in the program `default`; returns the ids by the names that paths give them."""
    stores, one = app.stores, {"program_id": DEFAULT_PROGRAM}
    telling = (msgspec.structs.replace(REASON, text=SECRET),)
    night = scan(**one)
    subject = msgspec.structs.replace(night.affiliates[0], reasons=telling)
    stores.scans.add(msgspec.structs.replace(night, affiliates=(subject,)))
    (kept,) = stores.alerts.record([msgspec.structs.replace(alert(**one), reasons=telling)])
    stores.applications.save(msgspec.structs.replace(application(**one), name=SECRET))
    stores.applications.add_dossier(dossier(**one))
    stores.decisions.add([decision(verdict=msgspec.structs.replace(verdict(), reasons=telling), **one)])
    return {
        "alert_id": kept.alert_id,
        "application_id": application().application_id,
        "affiliate_id": subject.affiliate_id,
        "scan_id": night.scan_id,
        "decision_id": decision().decision_id,
        "name": "alerts",
        "tab": "keys",
    }


def is_open(method: str, path: str) -> bool:
    return (method, path) in OPEN or TAG.fullmatch(path) is not None or SIGNED.fullmatch(path) is not None


def is_api(path: str) -> bool:
    return path.startswith(("/v1/", "/metrics", "/openapi.json"))


def test_there_is_something_to_walk(served: Served) -> None:
    routes = served.routes()
    assert len(routes) > 75
    assert {("GET", "/metrics"), ("POST", "/v1/score/click"), ("GET", "/alerts"), ("POST", "/settings/keys")} <= set(routes)


def test_those_of_the_program_do_read_it(served: Served) -> None:
    """Otherwise the tests below could not fail."""
    client = served.client(KEYS[Role.REVIEW])
    client.post("/login", data={"key": KEYS[Role.REVIEW]})
    reading = [path for method, path in served.routes() if method == "GET" and SECRET in client.get(served.filled(path)).text]
    assert {"/v1/alerts", "/v1/decisions/{decision_id}", "/v1/affiliates/{affiliate_id:path}", "/alerts", "/applications"} <= set(reading)


def test_nothing_but_what_is_open_answers_nobody(served: Served) -> None:
    for method, path in served.routes():
        if is_open(method, path):
            continue
        for key in ("", "made-up"):
            answer = served.client(key).request(method, served.filled(path))
            if is_api(path):
                assert answer.status_code == 401, (method, path)
            else:
                assert (answer.status_code, answer.headers.get("location", "")[:7]) in {(303, "/login?"), (403, "")}, (method, path)
            assert SECRET not in answer.text, (method, path)


def test_signed_links_want_their_signature(served: Served) -> None:
    for method, path in served.routes():
        if SIGNED.fullmatch(path):
            assert 400 <= served.client().request(method, served.filled(path)).status_code < 500, path


def test_a_trackers_key_opens_what_trackers_call_and_no_page(served: Served) -> None:
    client = served.client(KEYS[Role.SCORE])
    assert client.post("/login", data={"key": KEYS[Role.SCORE]}).status_code == 403
    for method, path in served.routes():
        if is_open(method, path):
            continue
        answer = client.request(method, served.filled(path))
        if is_api(path):
            assert (answer.status_code == 403) is (FOR_TRACKERS.fullmatch(path) is None), (method, path, answer.status_code)
        else:
            assert answer.status_code in {303, 403}, (method, path)


@pytest.mark.parametrize("role", [Role.REVIEW, Role.ADMIN])
def test_no_route_breaks_for_who_may_enter(served: Served, role: Role) -> None:
    client = served.client(KEYS[role])
    assert client.post("/login", data={"key": KEYS[role]}).status_code == 303
    for method, path in served.routes():
        if method == "GET" and path != "/readyz":
            assert client.get(served.filled(path)).status_code < 500, path


def test_what_belongs_to_another_program_is_never_read(served: Served) -> None:
    """An administrator of another program asks for everything by its true name: in its own program, and in the one it is not in."""
    client = served.client(STRANGER)
    assert client.post("/login", data={"key": STRANGER}).status_code == 303
    for method, path in served.routes():
        if is_open(method, path) or path in {"/metrics", "/openapi.json"}:
            continue
        asked = served.filled(path)
        body = {"json": {"program_id": DEFAULT_PROGRAM}} if method == "POST" and is_api(path) else {}
        there = client.request(method, asked, params={"program": DEFAULT_PROGRAM, "program_id": DEFAULT_PROGRAM}, **body)
        assert there.status_code in {403, 404, 422}, (method, path, there.status_code)
        own = client.request(method, asked)
        for answer in (there, own):
            assert answer.status_code < 500, (method, path)
            assert SECRET not in answer.text, (method, path)
