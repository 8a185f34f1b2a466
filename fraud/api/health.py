"""Alive, able to serve, and the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from fraud.api import metrics as prometheus
from fraud.api.bodies import answer
from fraud.api.metrics import Metrics
from fraud.api.openapi import responds
from fraud.api.security import Gate
from fraud.api.services import ApiServices, Probe
from fraud.domain.actors import DEFAULT_PROGRAM, Role
from fraud.errors import FraudError
from fraud.workflows.scoring import ClickScorer

_log = structlog.get_logger(__name__)

_NOT_READY: dict[str, Any] = {**responds("Readiness")["responses"]["200"], "description": "Not ready, and why"}
NO_MODEL = "There is no model of clicks yet: rules alone decide. A scan fits one."


class Readiness(msgspec.Struct, frozen=True):
    """Whether this process can serve, why not, and what it does without."""

    ready: bool
    reasons: list[str]
    degraded: list[str]


def health_routes(services: ApiServices, gate: Gate, metrics: Metrics) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> Response:
        """Alive: this process answers."""
        return answer({"status": "alive"})

    @router.get("/readyz", openapi_extra=responds("Readiness"), responses={503: _NOT_READY})
    def readyz() -> Response:
        """Able to serve: 503 with reasons until it is. What it does without is under `degraded`."""
        served: list[ClickScorer] = []

        def scoring() -> None:
            served.append(services.scorer_of(DEFAULT_PROGRAM))

        reasons = failing(services.probes) or failing({"scoring": scoring})
        degraded = [NO_MODEL] if served and served[0].model is None else []
        return answer(Readiness(not reasons, reasons, degraded), 503 if reasons else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    def figures(request: Request) -> Response:
        """Counts and latencies in Prometheus' text format, for any key."""
        gate.require(request, Role.SCORE)
        return Response(metrics.exposition(services.gauges()), media_type=prometheus.MEDIA_TYPE)

    return router


def failing(probes: Mapping[str, Probe]) -> list[str]:
    """A sentence for each probe that fails. Details, which may name hosts and paths, go to the log only: anybody may ask."""
    reasons = []
    for name, probe in probes.items():
        try:
            probe()
        except FraudError as fault:
            _log.warning("not_ready", part=name, detail=fault.message)
            reasons.append(f"{name} is not usable yet; the log says why.")
    return reasons
