"""The command about rows that were set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, err, opened, out, print_json, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fraud.workflows.quarantine import ReasonCount


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Traffic")(quarantine)


def quarantine(
    show: Annotated[int, typer.Option(min=0, metavar="N", help="Also show the first N rows as they came.")] = 0,
    retry: Annotated[bool, typer.Option("--retry", help="Read the rows again; those that can now be read join the workspace.")] = False,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="With --retry: another format, or a mapping of your own (FILE.yaml).")
    ] = "auto",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List the rows that ingestion set aside, by file and reason, or read them again.

    They stay until they can be read: after a mapping was corrected, or the product learnt a format.
    """
    if retry:
        _retry(format_name, program_id, workspace, json)
        return
    from fraud.app.quarantining import list_quarantine

    with opened(workspace) as app:
        report = list_quarantine(app, program_id, show)
    if json:
        print_json(report)
        return
    if not report.rows:
        out.print("Nothing is set aside.")
        return
    _print_reasons(report.reasons)
    for row in report.shown:
        out.print(f"{row.file}:{row.line}: {row.reason}", markup=False)
        out.print(f"    {row.raw}", markup=False)
    err.print("Read them again: fraud quarantine --retry, with --format when the mapping is another.", markup=False)


def _retry(format_name: str, program_id: str, workspace: WorkspaceOption, json: bool) -> None:
    from fraud.app.quarantining import retry_quarantine

    with opened(workspace) as app, progress("Reading again") as tell:
        report = retry_quarantine(app, program_id, format_name, tell)
    if json:
        print_json(report)
        return
    out.print(
        f"{report.rows:,} rows read again: {report.kept:,} kept, {report.duplicates:,} duplicates, {report.set_aside:,} still set aside.",
        markup=False,
    )
    if report.reasons:
        _print_reasons(report.reasons)


def _print_reasons(reasons: Sequence[ReasonCount]) -> None:
    table = Table(title=None, show_edge=False, pad_edge=False)
    for name in ("table", "file", "reason"):
        table.add_column(name, overflow="fold")
    table.add_column("rows", justify="right")
    for count in reasons:
        table.add_row(count.kind, Text(count.file), Text(count.reason), f"{count.rows:,}")
    out.print(table)
