"""How affiliates do: their figures for managers, and the report that one affiliate gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, opened, out, print_json, written
from fraud.errors import InputError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Traffic")(performance)


def performance(
    affiliate: Annotated[str, typer.Argument(metavar="[AFFILIATE]", help="One affiliate; without it, all of them.")] = "",
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day.", show_default="30 days back")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="The last day.", show_default="yesterday")
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="One affiliate's report as HTML, or all figures as CSV.", show_default=False),
    ] = None,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Say how affiliates do: conversion rate, order value, earnings per click, new customers, reversals, targets.

    With an affiliate and --out, write what it may read about itself: no detector, nobody else.
    """
    import pandas as pd

    from fraud.app.affiliate_reports import report_of
    from fraud.app.performing import as_rows, performance_of, performances
    from fraud.cli.targets import print_progress
    from fraud.domain.scans import Period
    from fraud.reports.performance import performance_report

    with opened(workspace) as app:
        end = (until or app.clock.now().replace(tzinfo=None) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        start = since or end - timedelta(days=29)
        if end < start:
            raise InputError(f"The period ends ({end:%Y-%m-%d}) before it begins ({start:%Y-%m-%d}).")
        period = Period(start=start.replace(tzinfo=UTC), end=end.replace(tzinfo=UTC) + timedelta(days=1))
        if not affiliate:
            figures, report = performances(app, program_id, period), None
        else:
            figures = [performance_of(app, program_id, affiliate, period)]
            report = report_of(app, program_id, affiliate, period)
    rows = as_rows(figures)
    if out_file is not None and report is not None:
        out_file.write_text(performance_report(report), encoding="utf-8")
        written(out_file)
    elif out_file is not None:
        pd.DataFrame(rows).to_csv(out_file, index=False)
        written(out_file)
    if json:
        print_json(rows if report is None else [{**rows[0], "targets": report.targets}])
    elif out_file is None:
        out.print(pd.DataFrame(rows).to_string(index=False) if rows else "Nobody was active in this period.", markup=False)
        if report is not None and report.targets:
            print_progress(list(report.targets))
