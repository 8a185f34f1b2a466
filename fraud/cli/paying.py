"""The payment run: what to pay, hold and reject for a period, with reasons, as a tracker takes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, add_plain_row, opened, out, print_json, written
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.domain.payments import PaymentRun


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Decisions")(pay)
    app.command(rich_help_panel="Decisions")(clawback)


def pay(
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day of the period.")],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Its last day.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A CSV file to write the list to.", show_default=False)
    ] = None,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The file's shape: csv, everflow, tune, affise or impact.")
    ] = "csv",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List what to pay, hold and reject for the conversions of a period, each with its reasons. Nothing is sent anywhere."""
    from fraud.app.paying import payment_run
    from fraud.domain.scans import Period
    from fraud.reports.payments import FORMATS, payments_csv

    if format_name not in FORMATS:
        raise InputError(f"There is no format {format_name!r} for a payment run; use one of {', '.join(FORMATS)}.")
    if until < since:
        raise InputError(f"The period ends ({until:%Y-%m-%d}) before it begins ({since:%Y-%m-%d}).")
    period = Period(start=since.replace(tzinfo=UTC), end=until.replace(tzinfo=UTC) + timedelta(days=1))
    with opened(workspace) as app:
        run = payment_run(app, program_id, period)
    if out_file is not None:
        out_file.write_text(payments_csv(run, format_name), encoding="utf-8")
        written(out_file)
    if json:
        print_json(run)
        return
    _print_totals(run)


def clawback(
    since: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day of a period that was paid.")
    ],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Its last day.")],
    paid: Annotated[
        Path | None,
        typer.Option(
            "--paid", metavar="FILE", help="The run that was paid, as `fraud pay` wrote it to a file; without it, all.", show_default=False
        ),
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A CSV file to write the list to.", show_default=False)
    ] = None,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The file's shape: csv, everflow, tune, affise or impact.")
    ] = "csv",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List what was paid for a period and is not owed by what is known now: reversed, found bad by a person, or of a suspended affiliate.

    No machine's word takes anything back, and nothing is sent anywhere.
    """
    from fraud.app.paying import payment_run
    from fraud.cases.paying import clawback_of
    from fraud.domain.scans import Period
    from fraud.reports.payments import FORMATS, paid_in, payments_csv

    if format_name not in FORMATS:
        raise InputError(f"There is no format {format_name!r} for a payment run; use one of {', '.join(FORMATS)}.")
    if until < since:
        raise InputError(f"The period ends ({until:%Y-%m-%d}) before it begins ({since:%Y-%m-%d}).")
    were_paid = paid_in(paid.read_text(encoding="utf-8")) if paid is not None else None
    period = Period(start=since.replace(tzinfo=UTC), end=until.replace(tzinfo=UTC) + timedelta(days=1))
    with opened(workspace) as app:
        run = clawback_of(payment_run(app, program_id, period), were_paid)
    if out_file is not None:
        out_file.write_text(payments_csv(run, format_name), encoding="utf-8")
        written(out_file)
    if json:
        print_json(run)
    elif run.lines:
        _print_totals(run)
    else:
        out.print("Nothing that was paid is to be taken back.", markup=False)


def _print_totals(run: PaymentRun) -> None:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("do")
    for name in ("conversions", "commission"):
        table.add_column(name, justify="right")
    table.add_column("")
    for total in run.totals:
        unknown = f"{total.unknown:,} of unknown commission" if total.unknown else ""
        add_plain_row(table, total.action.value, f"{total.conversions:,}", f"{total.commission:,.2f} {total.currency}".strip(), unknown)
    out.print(table)
