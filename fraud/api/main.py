"""The HTTP API as one FastAPI application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from fraud import __version__
from fraud.api.applications import ApplicationState, application_routes
from fraud.api.bodies import answer
from fraud.api.cases import CaseStep, case_routes
from fraud.api.clicks import ClickIn
from fraud.api.conversions import ConversionIn
from fraud.api.events import EventsAnswer, event_routes
from fraud.api.health import Readiness, health_routes
from fraud.api.hot import HotClicks
from fraud.api.lookups import lookup_routes
from fraud.api.metrics import Metrics
from fraud.api.openapi import describe
from fraud.api.postbacks import postback_routes
from fraud.api.problems import Problem, install
from fraud.api.requests import RequestFrame
from fraud.api.reviews import Feedback, PersonsDecision, Resolution, review_routes
from fraud.api.scans import ScanAsked, ScanState, scan_routes
from fraud.api.scoring import EventLanes, scoring_routes
from fraud.api.security import Gate
from fraud.api.services import ApiServices
from fraud.api.tag import VisitIn, tag_routes
from fraud.domain.actors import Role
from fraud.domain.cases import Case
from fraud.domain.decisions import Decision
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application
from fraud.domain.reviews import Review
from fraud.domain.scans import ScanResult
from fraud.workflows.converting import ConversionAnswer
from fraud.workflows.scoring import ClickAnswer

SCHEMAS: list[type] = [
    ClickIn,
    ClickAnswer,
    ConversionIn,
    ConversionAnswer,
    EventsAnswer,
    VisitIn,
    ScanAsked,
    ScanState,
    Resolution,
    PersonsDecision,
    Feedback,
    Review,
    Case,
    CaseStep,
    Application,
    ApplicationState,
    Dossier,
    ScanResult,
    Decision,
    Readiness,
    Problem,
]
"""The types whose schemas the OpenAPI document shows."""


class Api(FastAPI):
    """The application, with the route that trackers call for every click in front of the framework."""

    hot: HotClicks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await self.hot(scope, receive, send)


def create_api(services: ApiServices, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The API over these services; `routers` (the pages) are served beside it."""
    app = Api(
        title="Affiliate fraud detection and screening",
        version=__version__,
        description="Vet applicants, scan traffic, score clicks. Scores run from 0 to 1 and higher is riskier; times are UTC.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect names the scheme that a proxy asked by: a key would be sent again in the clear
    )
    gate, metrics = Gate(services.actors, services.clock, services.limits), Metrics()
    app.add_middleware(RequestFrame, metrics=metrics, clock=services.clock)
    app.hot = HotClicks(super(Api, app).__call__, services, gate, metrics)
    install(app)
    lanes = EventLanes(services, metrics)
    app.include_router(scoring_routes(services, gate, lanes))
    app.include_router(postback_routes(services, gate, lanes))
    app.include_router(event_routes(services, gate))
    app.include_router(tag_routes(services))
    app.include_router(scan_routes(services, gate))
    app.include_router(application_routes(services, gate))
    app.include_router(lookup_routes(services, gate))
    app.include_router(review_routes(services, gate))
    app.include_router(case_routes(services, gate))
    app.include_router(health_routes(services, gate, metrics))
    app.include_router(document_route(app, gate))
    for router in routers:
        app.include_router(router)
    return app


def document_route(app: FastAPI, gate: Gate) -> APIRouter:
    """`GET /openapi.json`, for any key."""
    router = APIRouter()

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> Response:
        """The description of this API."""
        gate.require(request, Role.SCORE)
        return answer(openapi_document(app))

    return router


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an API, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = describe(app, SCHEMAS)
    return app.openapi_schema
