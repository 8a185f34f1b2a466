"""`fraud worker`: jobs, deliveries and the nightly schedule without the service, on this machine or another."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from fraud.cli.console import WorkspaceOption, err, opened

if TYPE_CHECKING:
    from types import FrameType


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Service")(worker)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Work off what is queued and due now, then end.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Work off vettings, scans and deliveries, and start the nightly scans of FRAUD_NIGHTLY; any number of workers share the work.

    Set FRAUD_SERVE_JOBS=false where the service shall leave all of it to workers. SIGTERM ends it after the job in hand.
    """
    from fraud.app.background import background, work_off
    from fraud.app.telemetry import configure_telemetry
    from fraud.cli.jobs import HANDLERS

    with opened(workspace) as app:
        configure_telemetry(app.settings)
        if once:
            err.print(f"{work_off(app, HANDLERS):,} jobs and deliveries done.", markup=False)
            return
        with background(app, HANDLERS):
            err.print(f"Working on {app.workspace.root}. Stop with Ctrl-C or SIGTERM.", markup=False)
            _await_signal()


def _await_signal() -> None:
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    stop.wait()
