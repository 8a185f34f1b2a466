"""Privacy: what is kept about one person, handed out or erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, actor, err, opened, out, print_json, written
from fraud.domain.privacy import PersonKind
from fraud.errors import InputError

privacy_app = typer.Typer(help="Data about one person: handed out, or erased.", no_args_is_help=True)

KindArgument = Annotated[PersonKind, typer.Argument(metavar="KIND", help="By what the person is named.", show_choices=True)]
ValueArgument = Annotated[str, typer.Argument(metavar="VALUE", help="The address, number or id; an applicant by the application's id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(privacy_app, name="privacy", rich_help_panel="Service")


@privacy_app.command("export")
def export_person(
    kind: KindArgument,
    value: ValueArgument,
    out_file: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to write it as JSON.", show_default=False)] = None,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """Hand out everything that is kept about one person, as JSON; that it was asked for stands in the audit log."""
    from fraud.app.privacy import export_person as export
    from fraud.domain.hashing import readable_json

    with opened(workspace) as app:
        found = export(app, program_id, (kind, value), actor())
    if out_file is None:
        print_json(found)
        return
    out_file.write_bytes(readable_json(found))
    written(out_file)


@privacy_app.command("erase")
def erase_person(
    kind: KindArgument,
    value: ValueArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, such as the request's number; it stands in the record.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Really: it cannot be undone. Without it, only say what would be erased.")] = False,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Erase one person: rows say no longer who it was, decisions keep their outcome and a proof of what they were.

    What counts and pays stays: times, affiliates, amounts. What a tracker sends again afterwards is new, so erase it there first.
    """
    from fraud.app.privacy import erase_person as erase
    from fraud.app.privacy import export_person as export

    if yes and not reason.strip():
        raise InputError("Say why with --reason, such as the number of the request; it stands in the record.")
    with opened(workspace) as app:
        if not yes:
            found = export(app, program_id, (kind, value), actor())
            rows = ", ".join(f"{len(rows):,} {table}" for table, rows in found.rows.items()) or "no events"
            err.print(f"Would erase: {rows}, {len(found.decisions):,} decisions. Say --yes to do it.", markup=False)
            return
        done = erase(app, program_id, (kind, value), (actor(), reason))
    if json:
        print_json(done)
        return
    rows = ", ".join(f"{count:,} {table}" for table, count in done.rows.items()) or "no events"
    out.print(f"Erased {done.subject}: {rows}, {len(done.proofs):,} decisions, {done.quarantined:,} rows set aside.", markup=False)
    if done.on_their_way:
        err.print(
            f"{done.on_their_way:,} events of this person were answered moments ago and are still on their way to the lake: "
            "say it again in a minute or two (while much is answered, when fraud_decisions_waiting under /metrics is 0).",
            markup=False,
        )
