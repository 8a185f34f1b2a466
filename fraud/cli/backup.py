"""`fraud backup` and `fraud restore`: a workspace and its database, whole, while the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fraud.cli.console import JsonOption, WorkspaceOption, actor, err, opened, print_json
from fraud.settings import load_settings


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Service")(backup)
    app.command(rich_help_panel="Service")(restore)


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder that is not there yet.")],
    secrets: Annotated[
        bool, typer.Option("--secrets/--without-secrets", help="With the workspace's secrets; without, keep the pepper elsewhere.")
    ] = True,
    copy: Annotated[bool, typer.Option("--copy", help="Copy every file, where links would do on the same disk.")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Back up the workspace and its database (SQLite or PostgreSQL) as of one moment, while the service runs."""
    from fraud.app.backup import back_up

    with opened(workspace) as app:
        made = back_up(app, path, secrets=secrets, link=not copy)
        app.stores.audit.record(actor(), "*", "workspace.backed_up", str(path), app.clock.now(), {"files": len(made.files)})
    if json:
        print_json(made)
    err.print(f"Backed up {len(made.files):,} files ({made.size / 1e6:,.1f} MB) to {path}.", markup=False)
    if made.lake_url:
        err.print(f"Events are not in it: they stay at {made.lake_url}, whose provider's own versions or copies keep them.", markup=False)


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder of a backup.")],
    check: Annotated[bool, typer.Option("--check", help="Only check that the backup is whole.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Check a backup, and put it into an empty workspace and an empty database (that of FRAUD_DATABASE_URL, when it is set)."""
    from fraud.app.backup import check_backup
    from fraud.app.backup import restore as put_back

    settings = load_settings(workspace=workspace)
    made = check_backup(path) if check else put_back(settings, path)
    done = "is whole" if check else f"is in {settings.workspace}"
    err.print(f"The backup of {made.made_at:%Y-%m-%d %H:%M} UTC ({len(made.files):,} files) {done}.", markup=False)
    if made.lake_url != settings.lake_url:
        named = f"at {made.lake_url}: set FRAUD_LAKE_URL to it" if made.lake_url else "in the workspace: unset FRAUD_LAKE_URL"
        err.print(f"Its events are {named}.", markup=False)
