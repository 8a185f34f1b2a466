"""What the worker does with each kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from fraud.app.parts import App
from fraud.app.scanning import scan_workspace
from fraud.app.trying import COMPARE, TRY, run_comparison, run_try
from fraud.app.vetting import VettingMeans, vet_applications
from fraud.app.working import Handler
from fraud.domain.actors import SYSTEM
from fraud.domain.jobs import Job
from fraud.domain.programs import Application
from fraud.workflows.night import ScanRequest


def vet(app: App, job: Job) -> dict[str, Any]:
    """Vets the application that the job names."""
    application: Application = app.stores.applications.get(job.program_id, job.payload["application_id"])
    (dossier,) = vet_applications(app, [application], app.profile(job.program_id), VettingMeans(actor=SYSTEM))
    return {"decision_id": dossier.decision_id, "outcome": dossier.outcome.value}


def scan(app: App, job: Job) -> dict[str, Any]:
    """Scans the program's newest night, or the one the job names."""
    payload = job.payload
    as_of = payload.get("as_of")
    request = ScanRequest(
        program_id=job.program_id,
        as_of=None if as_of is None else msgspec.convert(as_of, datetime),
        days=payload.get("days", 3),
        history_days=payload.get("history_days", 28),
        budget=payload.get("budget"),
    )
    profile = app.profile(job.program_id)
    result = scan_workspace(app, request, SYSTEM, profile.policy if profile else "", lambda _: None).result
    return {"scan_id": result.scan_id, "alerts": len(result.alerts)}


HANDLERS: Mapping[str, Handler] = {"vet": vet, "scan": scan, TRY: run_try, COMPARE: run_comparison}
"""The handler of each kind of job."""
