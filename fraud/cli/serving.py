"""Commands that run and look after the service."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from fraud.cli.console import (
    PROGRAM,
    JsonOption,
    PolicyOption,
    ProgramIdOption,
    WorkspaceOption,
    err,
    opened,
    out,
    print_json,
    progress,
    show_rejects,
)
from fraud.domain.actors import SYSTEM
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.app.parts import App


SERVER: dict[str, Any] = {
    "log_level": "warning",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": 15,
}
"""How uvicorn runs: our own log instead of its own, and at the end 15 seconds for requests that are under way."""


MOST_OPEN_FILES = 65_536
"""Files that the service asks to be allowed to open: some thousand clients and room to spare."""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Service")(serve)
    app.command(rich_help_panel="Service")(doctor)
    app.command(rich_help_panel="Traffic")(score)
    app.command(rich_help_panel="Try it")(demo)


def allow_open_files() -> None:
    """Raises the number of files this process may open to what it may ask for: each client is one, and 1,024 are soon silent ones."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="The port to listen on.")] = 8000,
    workers: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Processes. Each sees all traffic only when it is alone or FRAUD_COUNTERS_URL names a Redis."
        ),
    ] = 1,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve the API, the pages and the workers. On the first start keys are made and written to the workspace."""
    import uvicorn

    from fraud.api.connections import BoundedConnection
    from fraud.app.keys import ensure_keys
    from fraud.app.telemetry import configure_telemetry
    from fraud.cli.service import create_service

    _require_free(host, port)
    allow_open_files()
    with opened(workspace) as app:
        configure_telemetry(app.settings)
        keys = ensure_keys(app)
        _announce(app, f"http://{host}:{port}", keys)
        if workers == 1:
            uvicorn.run(create_service(app), host=host, port=port, http=BoundedConnection, **SERVER)
            return
        os.environ["FRAUD_WORKSPACE"] = str(app.workspace.root)
    uvicorn.run("fraud.cli.service:application", factory=True, host=host, port=port, workers=workers, http=BoundedConnection, **SERVER)


def _require_free(host: str, port: int) -> None:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise InputError(f"Port {port} on {host} cannot be used: {fault.strerror}. Choose another with --port.") from fault


def _announce(app: App, address: str, keys: Path | None) -> None:
    from fraud.web.sessions import SessionSigner

    ticket = SessionSigner(app.secret_key).issue_ticket(SYSTEM, app.clock.now())
    sys.stdout.write(f"Serving at {address}\n")
    sys.stdout.write(f"Sign in once with {address}/login?ticket={ticket} (15 minutes), or with a key\n")
    sys.stdout.write(f"Keys: {keys if keys else 'those of the environment (FRAUD_REVIEW_KEY and so on)'}\n")
    sys.stdout.flush()


def demo(workspace: WorkspaceOption = None) -> None:
    """Make a demonstration workspace: a made-up program with planted fraud, a scan of it, three vetted applicants."""
    from fraud.app.demonstration import is_made, make_demonstration

    with opened(workspace) as app:
        if is_made(app):
            err.print(f"The demonstration in {app.workspace.root} is ready.", markup=False)
            return
        err.print("Making a demonstration: a program of 150 affiliates, one night's scan, three applicants (about a minute).", markup=False)
        with progress("Making up a program") as tell:
            make_demonstration(app, tell)
        err.print(f"Made {app.workspace.root}. Next: fraud serve --workspace {app.workspace.root}", markup=False)


def score(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Clicks, in any format `fraud ingest clicks` reads.")],
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help="The file's format, or `auto` to recognise it.")] = "auto",
    policy: PolicyOption = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Score clicks offline in event order, as the API would have, with the counters warmed up from the workspace."""
    from fraud.app.offline import score_file

    with opened(workspace) as app, progress("Scoring") as tell:
        answers, report = score_file(app, program_id, file, (format_name, policy, tell))
    show_rejects(report)
    if json:
        print_json(answers)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name, justify in (("decision", "left"), ("clicks", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # the two words above
    for decision in ("allow", "review", "block"):
        table.add_row(decision, f"{sum(answer.decision.value == decision for answer in answers):,}")
    out.print(table)
    if answers and answers[0].degraded:
        err.print("No click model yet, so rules alone decided: ingest clicks and run `fraud scan` to fit one.", style="yellow")


def doctor(
    catalogue: Annotated[bool, typer.Option("--catalogue", help="Try every platform of the catalogue on its samples instead.")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Say what is installed, configured and reachable, and what to do about what is not."""
    from fraud.app.examining import examine, examine_catalogue

    if catalogue:
        findings = examine_catalogue()
    else:
        with opened(workspace) as app:
            findings = examine(app)
    if json:
        print_json(findings)
        return
    table = Table(show_edge=False, pad_edge=False, show_header=False)
    marks = {"ok": "[green]ok[/]", "missing": "[yellow]missing[/]", "failing": "[red]failing[/]"}
    for finding in findings:
        table.add_row(marks[finding.state], finding.name, finding.text)
    out.print(table)
    if any(finding.state == "failing" for finding in findings):
        raise typer.Exit(1)
