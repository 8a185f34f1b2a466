"""The pages of a program, all of them, and where each stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from fraud.app.parts import App
from fraud.reports.scan import scan_view
from fraud.reports.tables import scan_csv
from fraud.web.applying import Applying
from fraud.web.downloads import Downloads
from fraud.web.governing import Counted, Governing
from fraud.web.guarding import PageRoute
from fraud.web.helping import Helping
from fraud.web.looking import Looks
from fraud.web.paging import Paging, asked_page
from fraud.web.rendering import SCRIPT_PATH, STYLE_PATH, csv_response, page, part, script_response, style_response
from fraud.web.sessions import SessionSigner
from fraud.web.settling import Settling
from fraud.web.shelf import Shelf
from fraud.web.signing_in import SigningIn
from fraud.web.starting import Starting
from fraud.web.today import headline, today_view
from fraud.web.traffic import Traffic
from fraud.web.visits import Door
from fraud.web.working import Working

_SCANS = 30


def create_pages(app: App, sessions: SessionSigner) -> APIRouter:
    """The router of all pages, their style sheet and script. None of them is part of the API's own description."""
    door, shelf = Door(app, sessions), Shelf(app)
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    signing_in, pages = SigningIn(door), _Pages(door, shelf)
    working, applying, traffic = Working(door), Applying(door), Traffic(door, shelf, Looks())
    helping = Helping(door)
    governing, starting, settling, downloads = Governing(door, Counted()), Starting(door), Settling(door), Downloads(door, shelf)
    readings: dict[str, Callable[..., Any]] = {
        STYLE_PATH: style_response,
        SCRIPT_PATH: script_response,
        "/login": signing_in.form,
        "/": pages.today,
        "/alerts": working.listed,
        "/alerts/{alert_id}": working.shown,
        "/cases": working.cases,
        "/cases/{case_id}": working.case,
        "/kept-back": working.kept_back,
        "/scans": pages.scans,
        "/scans/{scan_id}.csv": pages.scan_table,
        "/scans/{scan_id}": pages.scan,
        "/affiliates": traffic.listed,
        "/affiliates.csv": traffic.table,
        "/nights/{affiliate_id:path}": traffic.history,
        "/affiliates/{affiliate_id:path}": traffic.affiliate,
        "/traffic/{affiliate_id:path}": traffic.shape,
        "/graph/{affiliate_id:path}": traffic.graph,
        "/rings": traffic.rings,
        "/rings/{ring_id:path}": traffic.ring,
        "/applications": applying.listed,
        "/next-application": applying.next,
        "/applications/{application_id:path}/screenshots/{sha256}": applying.screenshot,
        "/applications/{application_id:path}": applying.shown,
        "/decisions/{decision_id}": pages.decision,
        "/policy": governing.policy,
        "/policy/checks/{check_id}": governing.check,
        "/policy/proposals/{job_id}": governing.proposal,
        "/models": settling.models,
        "/settings": settling.settings,
        "/settings/{tab}": settling.settings,
        "/csv/{name}": downloads.table,
        "/csv/{name}/{key:path}": downloads.table,
        "/help": helping.figures,
        "/features/{name}": helping.feature,
        "/start": starting.form,
        "/tries/{job_id}": starting.result,
    }
    actions: dict[str, Callable[..., Any]] = {
        "/login": signing_in.sign_in,
        "/logout": signing_in.sign_out,
        "/next-case": working.take_next,
        "/alerts/snooze": working.snooze_many,
        "/alerts/wake": working.wake_many,
        "/alerts/{alert_id}/take": working.take,
        "/alerts/{alert_id}/step": working.step,
        "/alerts/{alert_id}/snooze": working.snooze,
        "/alerts/{alert_id}/wake": working.wake,
        "/alerts/{alert_id}/suppress": working.suppress,
        "/suppressions/{suppression_id}/lift": working.lift,
        "/applications/decide": applying.decide_many,
        "/applications/{application_id:path}/decision": applying.decide,
        "/policy/proposals": governing.propose,
        "/policy/proposals/{job_id}/publish": governing.publish,
        "/policy/proposals/{job_id}/again": governing.compare_again,
        "/policy/shadow/end": governing.end_shadow,
        "/settings/keys": settling.create_key,
        "/settings/keys/{actor_id}/revoke": settling.revoke_key,
        "/settings/sinks/{sink}/revive": settling.revive,
        "/start/scan": starting.scan,
        "/start/vet": starting.vet,
    }
    for path, read in readings.items():
        router.add_api_route(path, read, methods=["GET"])
    for path, act in actions.items():
        router.add_api_route(path, act, methods=["POST"])
    return router


@dataclass(frozen=True)
class _Pages:
    door: Door
    shelf: Shelf

    def today(self, request: Request) -> Response:
        """What needs a person now, how the nights went, and whether everything runs."""
        visit = self.door.enter(request)
        return page("today.html", visit, today_view(self.door.app, visit))

    def scans(self, request: Request) -> Response:
        """The scans, newest first."""
        visit, nights = self.door.enter(request), self.door.app.stores.nights
        paging = Paging(asked_page(request), nights.count(visit.program_id), _SCANS)
        lines = [(line, headline(line)) for line in nights.nights(visit.program_id, _SCANS, paging.offset)]
        return page("scans.html", visit, {"title": "Scans", "scans": lines, "paging": paging, "query": {}})

    def scan(self, request: Request, scan_id: str) -> Response:
        """One scan's report."""
        visit = self.door.enter(request)
        view = scan_view(self.shelf.get(visit.program_id, scan_id), visit.profile, brief=True)
        body = part("scan.html", visit, {"view": view})
        return page("report.html", visit, {"title": view.headline, "body": body, "csv": visit.address(f"/scans/{scan_id}.csv")})

    def scan_table(self, request: Request, scan_id: str) -> Response:
        """One scan's ranked table as CSV."""
        visit = self.door.enter(request)
        return csv_response(scan_id, scan_csv(self.shelf.get(visit.program_id, scan_id)))

    def decision(self, request: Request, decision_id: str) -> Response:
        """One decision as it was made."""
        visit = self.door.enter(request)
        made = self.door.app.stores.decisions.get(visit.program_id, decision_id)
        return page("decision.html", visit, {"title": "Decision", "decision": made})
