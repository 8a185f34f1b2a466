"""Reading what the product has found: affiliates, alerts, scans and decisions."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from fraud.api.bodies import answer
from fraud.api.looking import entrance
from fraud.api.openapi import responds
from fraud.api.problems import FieldFault, InvalidFields
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Role
from fraud.domain.alerts import Alert
from fraud.domain.scans import ScanResult
from fraud.errors import NotFound

Program = Annotated[str | None, Query(description="The program; needed when the key belongs to several.", max_length=500)]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items to answer with.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the answer before.", max_length=2000)]

AlertPlace = tuple[float, float, str]
"""Where an alert stands in the list: largest loss first, then highest score, then by id."""


def lookup_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """The `GET` routes of managers."""
    router, enter = APIRouter(prefix="/v1"), entrance(services, gate)

    @router.get("/affiliates/{affiliate_id:path}", tags=["affiliates"])
    def affiliate(request: Request, affiliate_id: str, program_id: Program = None) -> Response:
        """An affiliate and its sub-IDs as the newest scan saw them."""
        program = enter(request, program_id)
        scan = services.scans.latest(program)
        if scan is None:
            raise NotFound("This program has not been scanned yet; start a scan first.")
        return answer(affiliate_view(scan, affiliate_id))

    @router.get("/alerts", tags=["alerts"], openapi_extra=responds("Alerts"))
    def alerts(request: Request, program_id: Program = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
        """Open alerts, the largest expected loss first."""
        program = program_of(gate.require(request, Role.REVIEW), program_id)
        return answer(alert_page(services.alerts.open_alerts(program), limit, cursor))

    @router.get("/decisions/{decision_id}", tags=["decisions"], openapi_extra=responds("Decision"))
    def decision(request: Request, decision_id: str, program_id: Program = None) -> Response:
        """A decision as it was made, with everything it was based on."""
        program = enter(request, program_id)
        return answer(services.decisions.get(program, decision_id))

    @router.get("/decisions/{decision_id}/evidence", tags=["decisions"])
    def evidence(request: Request, decision_id: str, program_id: Program = None) -> Response:
        """The SHA-256 of every piece of evidence behind a decision."""
        program = enter(request, program_id)
        return answer({"items": services.decisions.get(program, decision_id).evidence_manifest, "next_cursor": None})

    return router


def affiliate_view(scan: ScanResult, affiliate_id: str) -> dict[str, Any]:
    """One affiliate of a scan with its sub-IDs, rings and where all that comes from; `NotFound` when it was not active."""
    found = next((subject for subject in scan.affiliates if subject.affiliate_id == affiliate_id), None)
    if found is None:
        raise NotFound(f"The affiliate {affiliate_id!r} was not active in the newest scan of this program.")
    return {
        **msgspec.to_builtins(found),
        "scan_id": scan.scan_id,
        "as_of": scan.as_of,
        "sub_ids": [subject for subject in scan.sub_ids if subject.affiliate_id == affiliate_id],
        "rings": [ring for ring in scan.rings if affiliate_id in ring.affiliate_ids],
    }


def alert_page(alerts: list[Alert], limit: int, cursor: str | None) -> dict[str, Any]:
    """The alerts after the cursor. A cursor names a place in the order, so it still holds when alerts have come or gone."""
    after = _place(cursor) if cursor else None
    ordered = sorted(((_place_of(alert), alert) for alert in alerts), key=lambda pair: pair[0])
    left = [pair for pair in ordered if after is None or pair[0] > after]
    more = len(left) > limit
    return {"items": [alert for _, alert in left[:limit]], "next_cursor": _cursor(left[limit - 1][0]) if more else None}


def _place_of(alert: Alert) -> AlertPlace:
    return -alert.expected_loss, -alert.score, alert.alert_id


def _cursor(place: AlertPlace) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _place(cursor: str) -> AlertPlace:
    try:
        place: AlertPlace = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=AlertPlace)
    except (ValueError, RecursionError) as fault:
        message = "This is no cursor of ours; use next_cursor as it was given, or leave it out to start over"
        raise InvalidFields(f"cursor: {message}.", (FieldFault("cursor", message),)) from fault
    return place
