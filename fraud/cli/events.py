"""Commands about events: ingest them, or make some up."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, err, opened, out, print_json, progress, show_rejects

if TYPE_CHECKING:
    from fraud.workflows.ingesting import IngestReport

TABLES = "Tables"

SHOWN_COLUMNS = 8
"""Columns without a meaning that are named."""


class Kind(StrEnum):
    """The tables of the contract."""

    CLICKS = "clicks"
    CONVERSIONS = "conversions"
    AFFILIATES = "affiliates"
    OFFERS = "offers"
    LABELS = "labels"
    CALENDAR = "calendar"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Traffic")(ingest)
    app.command(rich_help_panel="Try it")(simulate)


def ingest(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="What the files hold.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES", help="Files, folders or globs: CSV, JSON, Parquet or Excel, compressed or not; - is stdin.", show_default=False
        ),
    ],
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="A tracker's export format, or `auto` to recognise it.")
    ] = "auto",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Append events to the workspace. Rows that cannot be read are set aside with file, line and reason; the others are used.

    Ingesting the same file twice adds nothing.
    """
    from fraud.app.scanning import ingest_files, ingest_options

    with opened(workspace) as app, progress(f"Reading {kind.value}") as tell:
        report = ingest_files(app, program_id, kind.value, files, ingest_options(app, format_name, tell))
    show_rejects(report)
    if report.rejected:
        err.print(f"All rows set aside, with their reasons: {report.quarantine_path}", style="yellow", markup=False)
    if json:
        print_json(report)
        return
    out.print(
        f"{report.kept:,} rows kept, {report.duplicates:,} duplicates, {report.rejected:,} set aside ({report.format}).", markup=False
    )
    for line in _besides(kind.value, report):
        out.print(line, markup=False)


def _besides(kind: str, report: IngestReport) -> list[str]:
    """What else came of the files: rows of other tables, rows that are none of these, columns that nobody reads."""
    lines = [
        f"Besides {other}: {counts.kept:,} rows kept, {counts.duplicates:,} duplicates, {counts.rejected:,} set aside."
        for other, counts in report.kinds.items()
        if other != kind
    ]
    if report.passed_over:
        lines.append(f"Rows passed over, which are no {kind}: {report.passed_over:,}.")
    if report.unknown_columns:
        names = list(report.unknown_columns)
        more = f" and {len(names) - SHOWN_COLUMNS} more" if len(names) > SHOWN_COLUMNS else ""
        lines.append(f"Columns without a meaning here, left out: {', '.join(names[:SHOWN_COLUMNS])}{more}.")
    return lines


def simulate(
    out_dir: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder to write the tables to; the truth goes to its subfolder truth/.")
    ],
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed makes the same program.")] = 0,
    affiliates: Annotated[int, typer.Option(min=1, metavar="N", help="How many affiliates.")] = 500,
    days: Annotated[int, typer.Option(min=1, metavar="N", help="How many days.")] = 31,
    clicks_per_day: Annotated[
        float | None, typer.Option(min=0.1, metavar="X", help="Mean clicks a day and affiliate.", show_default="heavy-tailed, median 45")
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Only this kind of bad or hard honest affiliate, by name or code (F01 to F18, L01 to L12)."),
    ] = None,
    laws: Annotated[
        str, typer.Option(metavar="NAME", help="The world's laws: lognormal (a), or hawkes (b), which nothing is tuned on.")
    ] = ("lognormal"),
    intensity: Annotated[float, typer.Option(metavar="X", help="How strong the fraud is, above 0 and up to 1.")] = 1.0,
    null_night: Annotated[bool, typer.Option("--null", help="Nobody cheats; the hard honest kinds stay.")] = False,
    reviewed: Annotated[float, typer.Option(metavar="SHARE", help="Share of the affiliates that reviewers have labelled.")] = 0.0,
) -> None:
    """Make up an affiliate program with known truth, to try the product on and to measure it."""
    from fraud.simulation.program import simulate as make
    from fraud.simulation.spec import SimulationSpec
    from fraud.simulation.writing import write

    spec = SimulationSpec(
        seed=seed,
        affiliates=affiliates,
        days=days,
        clicks_per_day=clicks_per_day,
        kinds=tuple(scenario or ()),
        window_days=min(SimulationSpec.window_days, days),
        laws=laws,
        intensity=intensity,
        bad_share=0.0 if null_night else SimulationSpec.bad_share,
        reviewed_share=reviewed,
    )
    with progress("Making up a program") as tell:
        program = make(spec, lambda done, total, text: tell(f"{text} ({done}/{total})"))
        write(program, out_dir)
    table = Table(title=None, show_edge=False, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name in ("clicks", "conversions", "affiliates", "offers", "calendar", "labels"):
        table.add_row(name, f"{len(getattr(program, name)):,}")
    out.print(table)
    err.print(f"Wrote {out_dir}. Next: fraud evaluate --truth {out_dir}", markup=False)
