"""The demonstration: a made-up program with planted fraud, a night's scan of it, and three applicants vetted from loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fraud.app.keys import ensure_keys
from fraud.app.parts import App
from fraud.app.scanning import ingest_files, ingest_options, scan_workspace
from fraud.app.vetting import VettingMeans, crawl_settings, vet_applications
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.errors import NotFound
from fraud.simulation.program import simulate
from fraud.simulation.sites.applications import APPLICATIONS, PROFILE, serve_sites
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.workflows.night import ScanRequest

Progress = Callable[[str], None]

SPEC = SimulationSpec(seed=7, affiliates=150, days=31, clicks_per_day=60.0, bad_share=0.08, hard_share=0.08)
"""Large enough that peers mean something, small enough to be made in well under a minute."""
TABLES = ("offers", "affiliates", "clicks", "conversions", "calendar")


def is_made(app: App) -> bool:
    """Whether the workspace holds the whole demonstration already."""
    try:
        app.stores.programs.get(DEFAULT_PROGRAM)
    except NotFound:
        return False
    scanned = app.stores.scans.latest(DEFAULT_PROGRAM) is not None
    return scanned and len(app.stores.applications.dossiers(DEFAULT_PROGRAM, 10)) >= len(APPLICATIONS)


def make_demonstration(app: App, progress: Progress) -> None:
    """Fills the workspace; a demonstration that broke off is completed by making it again."""
    app.stores.programs.save(PROFILE)
    _ingest(app, progress)
    progress("Scanning the last three days")
    if app.stores.scans.latest(DEFAULT_PROGRAM) is None:
        scan_workspace(app, ScanRequest(program_id=DEFAULT_PROGRAM), SYSTEM, "", progress)
    progress("Vetting three applicants")
    with serve_sites() as (host, port):
        # The applicants' sites exist nowhere but on this machine: every connection of the crawler ends at the local server.
        crawl = replace(crawl_settings(app.settings), connect_to={80: (host, port), 443: (host, port)}, delay=0.0)
        vet_applications(app, APPLICATIONS, PROFILE, VettingMeans(actor=SYSTEM, progress=progress, crawl=crawl))
    ensure_keys(app)


def _ingest(app: App, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=app.workspace.root) as folder:
        progress("Making up a program")
        program = simulate(SPEC, lambda done, total, text: progress(text))
        write(program, Path(folder))
        for kind in TABLES:
            files = sorted(Path(folder).glob(f"{kind}.*"))
            progress(f"Reading {kind}")
            ingest_files(app, DEFAULT_PROGRAM, kind, files, ingest_options(app, "auto", progress))
