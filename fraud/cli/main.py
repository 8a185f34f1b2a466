"""`fraud`: the command line. Exit code 0: done; 1: the input is wrong (one sentence on stderr); 2: usage."""

from __future__ import annotations

import sys

import typer

from fraud import __version__
from fraud.cli import (
    backup,
    casework,
    deciding,
    enrichment,
    evaluation,
    events,
    features,
    graph,
    keys,
    lake,
    models,
    paying,
    performing,
    policies,
    privacy,
    pulling,
    quarantine,
    reference,
    reporting,
    scanning,
    serving,
    sinks,
    tag,
    targets,
    telling,
    vetting,
    working,
)
from fraud.cli.console import err
from fraud.cli.disks import disk_fault
from fraud.errors import FraudError

app = typer.Typer(
    name="fraud",
    help="Vet affiliates, scan their traffic, score their clicks, with evidence a person can check.",
    epilog="Start with: fraud demo --workspace demo && fraud serve --workspace demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"fraud {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version and end."),
) -> None:
    """Vet affiliates, scan their traffic, score their clicks, with evidence a person can check."""


COMMANDS = (
    *(events, evaluation, pulling, telling, quarantine, lake, enrichment, features, scanning, models, performing),
    *(targets, reporting, graph, vetting, casework, deciding, paying, policies, serving, keys),
    *(tag, working, backup, sinks, privacy, reference),
)
for module in COMMANDS:
    module.register(app)


def run() -> None:
    """Runs a command; an error of ours, or of the disk, becomes one sentence and its exit code, never a traceback."""
    try:
        app()
    except FraudError as fault:
        err.print(f"Error: {fault.message}", style="red", markup=False)
        sys.exit(fault.exit_code)
    except Exception as fault:
        told = disk_fault(fault)
        if told is None:
            raise
        err.print(f"Error: {told}", style="red", markup=False)
        sys.exit(1)
