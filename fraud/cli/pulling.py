"""The command that fetches events from trackers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import JsonOption, WorkspaceOption, add_plain_row, err, opened, out, print_json, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fraud.workflows.pulling import PullReport


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Traffic")(pull)


def pull(
    feeds: Annotated[
        list[str] | None, typer.Argument(metavar="[FEED]...", help="The feeds to pull; all of them when none is named.", show_default=False)
    ] = None,
    only_due: Annotated[bool, typer.Option("--due", help="Only the feeds that are due by their schedule, as for cron.")] = False,
    feeds_file: Annotated[
        Path | None, typer.Option("--feeds", metavar="FILE", help="The feeds.", show_default="feeds.yaml in the workspace")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Fetch clicks and conversions from the trackers' reporting APIs, from where the last pull ended.

    A pull that was stopped goes on where it was; what is fetched again adds nothing.
    """
    from fraud.app.pulling import due_feeds, feeds_of, pull_feeds

    with opened(workspace) as app, progress("Pulling") as tell:
        chosen = feeds_of(app, feeds_file, feeds or ())
        reports = pull_feeds(app, due_feeds(app, chosen) if only_due else chosen, tell)
    if json:
        print_json(reports)
    else:
        _print(reports)
    for report in reports:
        for table in report.tables:
            for warning in table.warnings:
                err.print(f"Warning: {warning}", style="yellow", markup=False)
        if report.error:
            err.print(f"Error: {report.error}", style="red", markup=False)
    if any(report.error for report in reports):
        raise typer.Exit(1)


def _print(reports: Sequence[PullReport]) -> None:
    if not reports:
        out.print("No feed is due.")
        return
    shown = Table(title=None, show_edge=False, pad_edge=False)
    for name in ("feed", "table"):
        shown.add_column(name, overflow="fold")
    for name in ("rows", "kept", "duplicates", "set aside"):
        shown.add_column(name, justify="right")
    shown.add_column("up to")
    for report in reports:
        for table in report.tables:
            counts = (f"{count:,}" for count in (table.rows, table.kept, table.duplicates, table.rejected))
            reached = f"{table.reached:%Y-%m-%d %H:%M}" if table.reached else "never"
            add_plain_row(shown, report.feed, table.kind, *counts, reached)
    if shown.row_count:
        out.print(shown)
