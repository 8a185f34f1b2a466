"""Somebody's first look: one file of clicks scanned once, or one website vetted, from a page and in the background."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import msgspec

from fraud.app.parts import App
from fraud.app.policies import diff_policy
from fraud.app.scanning import OneShotFiles, scan_files
from fraud.domain.actors import SYSTEM, Actor
from fraud.domain.ids import new_id
from fraud.domain.jobs import Job
from fraud.domain.scans import ScanResult
from fraud.errors import NotFound
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack
from fraud.workflows.applications import application_from_url
from fraud.workflows.comparing import PolicyDiff
from fraud.workflows.night import ScanRequest

TRY, COMPARE, VET = "try", "compare_policy", "vet"
_COMPARED_DAYS = 30
_TOLD_EVERY = 500
"""Decisions between two words on how far a comparison is."""


def start_try(app: App, program_id: str, actor: Actor, files: dict[str, tuple[str, bytes]]) -> Job:
    """Queues a one-shot scan of uploaded files, by kind (`clicks`, `conversions`)."""
    paths = {kind: str(_keep(app, name, content)) for kind, (name, content) in files.items()}
    at = app.clock.now()
    job = app.stores.jobs.enqueue(program_id, TRY, {"paths": paths}, actor, at)
    app.stores.audit.record(actor, program_id, "try.started", job.job_id, at, {"files": [name for name, _ in files.values()]})
    return job


def run_try(app: App, job: Job) -> dict[str, Any]:
    """Scans the files once and keeps the result as evidence; the files are removed."""
    paths = {kind: Path(path) for kind, path in job.payload["paths"].items()}
    files = OneShotFiles(clicks=[paths["clicks"]], conversions=[paths["conversions"]] if "conversions" in paths else ())
    request = ScanRequest(program_id=job.program_id, days=3, history_days=28, whole=True)
    run = scan_files(app, files, request, (SYSTEM, "", lambda text: _note(app, job, text)))
    for path in paths.values():
        path.unlink(missing_ok=True)
    return {"result": app.evidence.put(msgspec.json.encode(run.result)), "rejected": sum(report.rejected for report in run.ingested)}


def _note(app: App, job: Job, text: str) -> None:
    """Says how far the job is to whoever waits for it."""
    if job.worker:
        app.stores.jobs.note(job.job_id, job.worker, text)


def _counted(app: App, job: Job, done: int) -> None:
    if done % _TOLD_EVERY == 0:
        _note(app, job, f"{done:,} decisions made again")


def tried(app: App, job: Job) -> ScanResult:
    """The result of a one-shot scan that is done; `NotFound` when it was removed."""
    if not job.result or "result" not in job.result:
        raise NotFound(f"The scan {job.job_id} has no result yet.")
    return msgspec.json.decode(app.evidence.get(job.result["result"]), type=ScanResult)


def start_vetting(app: App, program_id: str, actor: Actor, url: str) -> str:
    """Queues the vetting of one website; the application's id."""
    application = msgspec.structs.replace(application_from_url(url, program_id), applied_at=app.clock.now())
    kept = app.stores.applications.add(application)
    at = app.clock.now()
    app.stores.jobs.enqueue(program_id, VET, {"application_id": kept.application_id}, actor, at)
    app.stores.audit.record(actor, program_id, "application.submitted", kept.application_id, at, {"website": url})
    return kept.application_id


def propose_policy(app: App, program_id: str, actor: Actor, upload: tuple[str, bytes]) -> Job:
    """Queues the comparison of an uploaded pack with what is live; a faulty pack is refused here with file and line."""
    pack_name = str(_keep(app, *upload))
    pack = load_pack(pack_name)
    at = app.clock.now()
    job = app.stores.jobs.enqueue(program_id, COMPARE, {"pack": pack_name, "days": _COMPARED_DAYS, "hash": pack.hash}, actor, at)
    app.stores.audit.record(actor, program_id, "policy.proposed", pack.artefact.id, at, {"hash": pack.hash})
    return job


def compare_again(app: App, earlier: Job, actor: Actor) -> Job:
    """Queues another comparison of a pack that was proposed before, with the decisions made since."""
    at = app.clock.now()
    job = app.stores.jobs.enqueue(earlier.program_id, COMPARE, earlier.payload, actor, at)
    app.stores.audit.record(actor, earlier.program_id, "policy.compared_again", job.job_id, at, {"hash": earlier.payload["hash"]})
    return job


def run_comparison(app: App, job: Job) -> dict[str, Any]:
    """Decides the last days again under the proposed pack."""
    found = diff_policy(app, job.program_id, job.payload["pack"], job.payload["days"], lambda done: _counted(app, job, done))
    result: dict[str, Any] = msgspec.to_builtins(found)
    return {"diff": result}


def comparison_of(job: Job) -> PolicyDiff | None:
    """What the comparison found, once it is done."""
    return msgspec.convert(job.result["diff"], PolicyDiff) if job.result and "diff" in job.result else None


def proposed_pack(job: Job) -> Pack:
    """The pack that a comparison is about, exactly as it was proposed."""
    return _read_pack(job.payload["pack"], job.payload["hash"])


@functools.lru_cache(maxsize=16)
def _read_pack(path: str, _hash: str) -> Pack:
    """A kept pack, read once: its file is never written again."""
    return load_pack(path)


def _keep(app: App, name: str, content: bytes) -> Path:
    folder = app.workspace.root / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    endings = "".join(Path(name).suffixes[-2:]).lower()
    ending = endings if endings.replace(".", "").isalnum() and len(endings) < 14 else ""
    path = folder / f"{new_id('upl', app.clock.now())}{ending}"
    path.write_bytes(content)
    return path
