"""The commands that keep the store of events in order."""

from __future__ import annotations

from typing import Annotated

import typer

from fraud.cli.console import JsonOption, WorkspaceOption, opened, out, print_json


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Keep the store of events in order: merge small files, remove what is old.", no_args_is_help=True)
    group.command()(compact)
    group.command()(retain)
    app.add_typer(group, name="lake", rich_help_panel="Traffic")


def compact(
    most_files: Annotated[
        int, typer.Option("--most-files", min=1, metavar="N", help="Merge the files of days that have more than N of them.")
    ] = 8,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Merge the small files of each day. Nobody who reads is disturbed; every nightly scan does it too.

    The files that were merged stay for a day beside the new one, for those who began to read them.
    """
    from fraud.app.upkeep import compact_lake

    with opened(workspace) as app:
        done = compact_lake(app, most_files)
    if json:
        print_json(done)
        return
    out.print(f"{done.before:,} files in {done.folders:,} places became {done.after:,}.")


def retain(
    days: Annotated[int | None, typer.Option(min=1, metavar="N", help="Keep the last N days.", show_default="FRAUD_RETENTION_DAYS")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Remove clicks, conversions and rows set aside that are older than is kept, and say what was removed.

    With FRAUD_RETENTION_DAYS set, every nightly scan does it too. Decisions and alerts stay.
    """
    from fraud.app.upkeep import removed_in_words
    from fraud.app.upkeep import retain as remove

    with opened(workspace) as app:
        removed = remove(app, days)
    if json:
        print_json(removed)
        return
    out.print(removed_in_words(removed), markup=False)
