"""The landing pages' tag: the snippet that a program's pages need."""

from __future__ import annotations

from typing import Annotated

import typer

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, opened, out, print_json


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Service")(tag)


def tag(
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where visitors reach the service; FRAUD_PUBLIC_URL by default.", show_default=False)
    ] = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a landing page has to contain so that the service hears how clicks behave there."""
    from fraud.app.tagging import snippet, tag_of

    with opened(workspace) as app:
        page, own = snippet(app, program_id, url or app.settings.public_url or "https://risk.example"), tag_of(app, program_id)
    if json:
        print_json({"tag": own, "snippet": page})
        return
    out.print(page, markup=False, highlight=False, soft_wrap=True)
