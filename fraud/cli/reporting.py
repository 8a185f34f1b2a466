"""Affiliates' own reports: a link to one, the links there are, and their end."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, actor, add_plain_row, err, opened, out, print_json

report_app = typer.Typer(help="Reports that affiliates read about themselves, by link.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(report_app, name="report", rich_help_panel="Traffic")


@report_app.command("link")
def make_report_link(
    affiliate: Annotated[str, typer.Argument(metavar="AFFILIATE", help="Whose report it shows.")],
    days: Annotated[int, typer.Option("--days", min=1, max=90, metavar="N", help="How long it works.")] = 14,
    mail: Annotated[str, typer.Option("--mail", metavar="ADDRESS", help="Also send it there, through a mail sink of sinks.yaml.")] = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Make a link under which one affiliate reads its own report and can answer, without signing in.

    It shows no detector and nobody else, ends by itself, and can be revoked. `fraud serve` answers it.
    """
    from fraud.app.affiliate_reports import address_of, make_link
    from fraud.app.mailing import mail_link

    with opened(workspace) as app:
        link, token = make_link(app, program_id, affiliate, days, actor())
        address = address_of(app, token)
        if mail:
            mail_link(app, link, mail, (actor(), "Asked for with --mail"))
    if json:
        print_json({"link": link, "address": address, "mailed": bool(mail)})
        return
    out.print(address, markup=False, soft_wrap=True)
    sent = f", sent to {mail}" if mail else ""
    err.print(f"{link.link_id}: works until {link.expires_at:%Y-%m-%d %H:%M} UTC{sent}.", markup=False)


@report_app.command("list")
def list_report_links(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the links that were made, newest first; their addresses are kept nowhere."""
    with opened(workspace) as app:
        links, now = app.stores.report_links.all(program_id), app.clock.now()
    if json:
        print_json(links)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in ("link", "affiliate", "made", "by", "until", "state"):
        table.add_column(name)
    for one in links:
        state = "revoked" if one.revoked_at else "open" if one.is_open(now) else "ended"
        add_plain_row(
            table, one.link_id, one.affiliate_id, f"{one.created_at:%Y-%m-%d}", one.created_by, f"{one.expires_at:%Y-%m-%d}", state
        )
    out.print(table)


@report_app.command("revoke")
def revoke_report_link(
    link: Annotated[str, typer.Argument(metavar="LINK", help="The link's id, such as lnk_….")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """End a link before its time."""
    from fraud.app.affiliate_reports import revoke_link

    with opened(workspace) as app:
        revoke_link(app, program_id, link, (actor(), reason))
    out.print("Revoked.", markup=False)
