"""The pages of a program: today, alerts, scans, affiliates, applications and decisions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from fraud.domain.clock import Clock
from fraud.reports.dossier import dossier_body, dossier_view
from fraud.reports.scan import scan_body, scan_view
from fraud.reports.tables import scan_csv
from fraud.web import views
from fraud.web.guarding import PageRoute
from fraud.web.rendering import STYLE_PATH, page, style_response
from fraud.web.sessions import SessionSigner
from fraud.web.signing_in import SigningIn
from fraud.web.stores import PageStores
from fraud.web.visits import Door


def create_pages(stores: PageStores, sessions: SessionSigner, clock: Clock) -> APIRouter:
    """The router of all pages and their style sheet. None of them is part of the API's own description."""
    door = Door(stores, sessions, clock)
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    signing_in, pages = SigningIn(door), _Pages(door)
    router.add_api_route(STYLE_PATH, style_response, methods=["GET"])
    router.add_api_route("/login", signing_in.form, methods=["GET"])
    router.add_api_route("/login", signing_in.sign_in, methods=["POST"])
    router.add_api_route("/logout", signing_in.sign_out, methods=["POST"])
    router.add_api_route("/", pages.today, methods=["GET"])
    router.add_api_route("/alerts", pages.alerts, methods=["GET"])
    router.add_api_route("/scans", pages.scans, methods=["GET"])
    router.add_api_route("/scans/{scan_id}.csv", pages.scan_table, methods=["GET"])
    router.add_api_route("/scans/{scan_id}", pages.scan, methods=["GET"])
    router.add_api_route("/affiliates/{affiliate_id:path}", pages.affiliate, methods=["GET"])
    router.add_api_route("/applications", pages.applications, methods=["GET"])
    router.add_api_route("/applications/{application_id:path}", pages.application, methods=["GET"])
    router.add_api_route("/decisions/{decision_id}", pages.decision, methods=["GET"])
    return router


@dataclass(frozen=True)
class _Pages:
    door: Door

    def today(self, request: Request) -> Response:
        """What needs a person now, the latest scan in a line, and the newest applicants."""
        visit = self.door.enter(request)
        return page("today.html", visit, views.today(self.door.stores, visit.program_id))

    def alerts(self, request: Request) -> Response:
        """Every open alert, largest expected loss first."""
        visit = self.door.enter(request)
        return page("alerts.html", visit, views.alerts(self.door.stores, visit.program_id))

    def scans(self, request: Request) -> Response:
        """The newest scans."""
        visit = self.door.enter(request)
        return page("scans.html", visit, {"title": "Scans", "scans": views.recent_scans(self.door.stores, visit.program_id)})

    def scan(self, request: Request, scan_id: str) -> Response:
        """One scan's report."""
        visit = self.door.enter(request)
        view = scan_view(self.door.stores.scans.get(visit.program_id, scan_id), visit.profile)
        body = scan_body(view, visit.link)
        return page("report.html", visit, {"title": view.headline, "body": body, "csv": visit.address(f"/scans/{scan_id}.csv")})

    def scan_table(self, request: Request, scan_id: str) -> Response:
        """One scan's ranked table as CSV."""
        visit = self.door.enter(request)
        table = scan_csv(self.door.stores.scans.get(visit.program_id, scan_id))
        name = re.sub(r"[^A-Za-z0-9_-]", "_", scan_id)
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return Response(table, media_type="text/csv", headers=headers)

    def affiliate(self, request: Request, affiliate_id: str) -> Response:
        """One affiliate: its place in the latest scan, why, and how it stands beside its peers."""
        visit = self.door.enter(request)
        return page("affiliate.html", visit, views.affiliate(self.door.stores, visit.program_id, affiliate_id))

    def applications(self, request: Request) -> Response:
        """The applicants that have a dossier."""
        visit = self.door.enter(request)
        rows = views.applicants(self.door.stores, visit.program_id)
        return page("applications.html", visit, {"title": "Applications", "applicants": rows})

    def application(self, request: Request, application_id: str) -> Response:
        """One applicant's dossier, or word that it is still being made."""
        visit = self.door.enter(request)
        application, dossier = views.application(self.door.stores, visit.program_id, application_id)
        if dossier is None:
            return page("waiting.html", visit, {"title": "Being checked", "application": application})
        view = dossier_view(dossier, application)
        return page("report.html", visit, {"title": view.subject, "body": dossier_body(view, visit.link), "csv": ""})

    def decision(self, request: Request, decision_id: str) -> Response:
        """One decision as it was made."""
        visit = self.door.enter(request)
        made = self.door.stores.decisions.get(visit.program_id, decision_id)
        return page("decision.html", visit, {"title": "Decision", "decision": made})
