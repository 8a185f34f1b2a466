"""The pages of a program, all of them, and where each stands."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from fraud.app.parts import App
from fraud.reports.scan import scan_view
from fraud.reports.tables import scan_csv
from fraud.web.applying import Applying
from fraud.web.downloads import Downloads
from fraud.web.governing import Counted, Governing
from fraud.web.guarding import page_route
from fraud.web.helping import Helping
from fraud.web.looking import Looks
from fraud.web.modelling import Modelling
from fraud.web.paging import Paging, asked_page
from fraud.web.queueing import Facets, Tally
from fraud.web.rendering import SCRIPT_PATH, STYLE_PATH, csv_response, page, part, script_response, style_response
from fraud.web.reporting import Reporting
from fraud.web.routing import Route, add_routes, routes
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
    looks, facets = Looks(), Facets()
    rooms = (
        *(SigningIn(door), _Pages(door, shelf, looks), Working(door, Tally(), facets), Traffic(door, shelf, looks, facets), Applying(door)),
        *(
            Governing(door, Counted()),
            Modelling(door, shelf, looks),
            Reporting(door, looks),
            Settling(door),
            Downloads(door, shelf),
            Helping(door),
            Starting(door, looks),
        ),
    )
    router = APIRouter(route_class=page_route(door.largest), include_in_schema=False)
    add_routes(router, routes(((STYLE_PATH, style_response), (SCRIPT_PATH, script_response))))
    for room in rooms:
        add_routes(router, room.routes())
    return router


@dataclass(frozen=True)
class _Pages:
    door: Door
    shelf: Shelf
    looks: Looks

    def routes(self) -> list[Route]:
        """Where they stand."""
        return routes(
            (
                ("/", self.today),
                ("/scans", self.scans),
                ("/scans/{scan_id}.csv", self.scan_table),
                ("/scans/{scan_id}", self.scan),
                ("/decisions/{decision_id}", self.decision),
            ),
        )

    def today(self, request: Request) -> Response:
        """What needs a person now, how the nights went, and whether everything runs."""
        visit = self.door.enter(request)
        return page("today.html", visit, today_view(self.door.app, self.looks, visit))

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
