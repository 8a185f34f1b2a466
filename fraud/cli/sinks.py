"""Commands about sinks: who is told of what, a test, and what could not be delivered."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, add_plain_row, err, opened, out, print_json

sinks_app = typer.Typer(help="Who is told of what happens: signed webhooks, channels, mail.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="SINK", help="Its name in sinks.yaml.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(sinks_app, name="sinks", rich_help_panel="Service")


@sinks_app.command("show")
def show_sinks(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the sinks of the workspace's sinks.yaml, how deliveries stand, and those that were given up."""
    with opened(workspace) as app:
        names = [sink.name for sink in app.sinks]
        counts, dead = app.stores.outbox.counts(), app.stores.outbox.dead(program_id, 20)
    if json:
        print_json({"sinks": names, "deliveries": counts, "dead": dead})
        return
    out.print(f"Sinks: {', '.join(names) or 'none; write sinks.yaml into the workspace'}", markup=False)
    out.print("Deliveries: " + ", ".join(f"{count:,} {state.value}" for state, count in counts.items()), markup=False)
    if dead:
        table = Table(show_edge=False, pad_edge=False)
        for name in ("sink", "event", "subject", "attempts", "why it was given up"):
            table.add_column(name)
        for one in dead:
            add_plain_row(table, one.sink, one.event.event_id, one.event.subject, str(one.attempts), one.error)
        out.print(table)
        err.print("Once the receiver is well: fraud sinks retry SINK", markup=False)


@sinks_app.command("try")
def try_one(name: NameArgument, workspace: WorkspaceOption = None) -> None:
    """Send one made-up event to a sink now, and say whether it was taken."""
    from fraud.app.couriers import try_sink

    with opened(workspace) as app:
        try_sink(app, name)
    out.print(f"{name} took the test.", markup=False)


@sinks_app.command("retry")
def retry(name: NameArgument, program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None) -> None:
    """Deliver again what was given up; the running service takes it from there."""
    with opened(workspace) as app:
        revived = app.stores.outbox.revive(program_id, name, app.clock.now())
    out.print(f"{revived:,} {'delivery waits' if revived == 1 else 'deliveries wait'} for {name} again.", markup=False)
