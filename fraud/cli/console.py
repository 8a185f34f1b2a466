"""How the command line speaks: results on stdout, everything else on stderr, progress only on a terminal."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fraud.domain.actors import DEFAULT_PROGRAM, Actor, command_line_actor
from fraud.domain.hashing import readable_json
from fraud.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fraud.app.parts import App
    from fraud.workflows.ingesting import IngestReport

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        help="The folder that holds everything. Default: $FRAUD_WORKSPACE, else ./fraud-data.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result alone, as JSON, on stdout.")]
ProgramIdOption = Annotated[str, typer.Option("--program-id", metavar="ID", help="The program the data belong to.")]
PolicyOption = Annotated[
    str, typer.Option("--policy", metavar="PACK", help="A policy pack: the name of a shipped one, or a YAML file.", show_default="default")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="A folder to write the result's files to.", show_default=False)
]
PROGRAM = DEFAULT_PROGRAM


@contextmanager
def opened(workspace: Path | None) -> Iterator[App]:
    """The product on the workspace that the command names."""
    from fraud.app.logs import configure_logs
    from fraud.app.parts import open_app

    settings = load_settings(workspace=workspace)
    configure_logs(settings)
    with open_app(settings) as app:
        yield app


def actor() -> Actor:
    """Whoever is at the keyboard."""
    try:
        return command_line_actor(getpass.getuser())
    except (KeyError, OSError):  # a container may run as a user that has no name
        return command_line_actor("operator")


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what is being done, when stderr is a terminal."""
    if not err.is_terminal:
        yield lambda _: None
        return
    with err.status(first) as status:
        yield status.update


def add_plain_row(table: Table, *cells: str) -> None:
    """A row of a table as it is: an id or a site's words may look like the terminal's own markup."""
    table.add_row(*(Text(cell) for cell in cells))


def print_json(value: object) -> None:
    """A result as JSON on stdout, and nothing else."""
    sys.stdout.write(readable_json(value).decode() + "\n")
    sys.stdout.flush()  # now, where a reader that has gone ends the command quietly, and not in the interpreter's last moments


def show_rejects(report: IngestReport, most: int = 5) -> None:
    """Says on stderr which rows were set aside, where they stand and why: the first ones, and how many more there are."""
    for reject in report.rejects[:most]:
        err.print(f"Set aside {reject.file}:{reject.line}: {reject.reason}", style="yellow", markup=False)
    if report.rejected > most:
        err.print(f"... and {report.rejected - most:,} more rows set aside.", style="yellow", markup=False)


def written(path: Path) -> None:
    """Says on stderr what was written where."""
    err.print(f"Wrote {path}", markup=False)
