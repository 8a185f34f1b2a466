"""The command that scans traffic."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import (
    PROGRAM,
    JsonOption,
    OutOption,
    PolicyOption,
    ProgramIdOption,
    WorkspaceOption,
    actor,
    add_plain_row,
    err,
    opened,
    out,
    print_json,
    progress,
    show_rejects,
    written,
)
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.app.scanning import ScanRun
    from fraud.domain.scans import ScanResult
    from fraud.workflows.night import ScanRequest

Files = list[Path] | None


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Traffic")(scan)


def scan(
    clicks: Annotated[
        Files,
        typer.Argument(
            metavar="CLICKS",
            help="Click files for a one-shot scan; without any, the workspace's newest night is scanned.",
            show_default=False,
        ),
    ] = None,
    conversions: Annotated[
        Files, typer.Option(metavar="FILE", help="Conversion files of a one-shot scan; may be repeated.", show_default=False)
    ] = None,
    affiliates: Annotated[
        Files, typer.Option(metavar="FILE", help="Affiliate files of a one-shot scan; may be repeated.", show_default=False)
    ] = None,
    offers: Annotated[
        Files, typer.Option(metavar="FILE", help="Offer files of a one-shot scan; may be repeated.", show_default=False)
    ] = None,
    labels: Annotated[
        Files, typer.Option(metavar="FILE", help="Label files of a one-shot scan; may be repeated.", show_default=False)
    ] = None,
    history: Annotated[
        Files, typer.Option(metavar="FILE", help="Earlier clicks or conversions, as reference; may be repeated.", show_default=False)
    ] = None,
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help="The files' format, or `auto` to recognise it.")] = "auto",
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Scan as of this time (ISO 8601, UTC).", show_default="just after the last event")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Days of the window.", show_default="3; the whole of one-shot files")
    ] = None,
    history_days: Annotated[int, typer.Option(min=1, metavar="N", help="Days of reference before the window.")] = 28,
    budget: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Alert on at most this many on statistics.", show_default="the policy's")
    ] = None,
    fdr: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.5,
            metavar="Q",
            help="Alert so that this share is expected false, once the history is reviewed.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = "",
    out_dir: OutOption = None,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Scan traffic quality: rank every active affiliate by risk, with reasons, and alert within the reviewers' budget."""
    from fraud.app.writing import make_folder
    from fraud.reports.documents import scan_document
    from fraud.workflows.night import ScanRequest

    request = ScanRequest(
        program_id=program_id,
        as_of=_time(as_of),
        days=days or 3,
        history_days=history_days,
        budget=budget,
        fdr=fdr,
        whole=bool(clicks) and days is None,
    )
    if out_dir is not None:
        make_folder(out_dir)
    others = {"conversions": conversions, "affiliates": affiliates, "offers": offers, "labels": labels, "history": history}
    run = _run(request, (clicks, others, format_name), policy, workspace)
    for report in run.ingested:
        show_rejects(report)
    if out_dir is not None:
        _write(run.result, out_dir)
    if json:
        print_json(scan_document(run.result))
    else:
        _show(run.result)


def _run(request: ScanRequest, files: tuple[Files, dict[str, Files], str], policy: str, workspace: Path | None) -> ScanRun:
    from fraud.app.scanning import OneShotFiles, scan_files, scan_workspace

    clicks, others, format_name = files
    given = [name for name, paths in others.items() if paths]
    if not clicks and given:
        raise InputError(
            f"--{given[0]} belongs to a one-shot scan: name the click files too, or ingest it with `fraud ingest {given[0]} FILE`."
        )
    with opened(workspace) as app, progress("Reading") as tell:
        if not clicks:
            return scan_workspace(app, request, actor(), policy, tell)
        one_shot = OneShotFiles(clicks=clicks, format=format_name, **{name: paths or () for name, paths in others.items()})
        return scan_files(app, one_shot, request, (actor(), policy, tell))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise InputError(f"--as-of {text!r} is no time: write it like 2026-03-01 or 2026-03-01T10:00:00Z.") from fault
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _write(result: ScanResult, folder: Path) -> None:
    from fraud.app.writing import write_scan

    for path in write_scan(result, folder):
        written(path)


def _show(result: ScanResult) -> None:
    reference = (
        "the same night's peers"
        if isinstance(result.reference, str)
        else f"{result.reference.start:%Y-%m-%d} to {result.reference.end:%Y-%m-%d}"
    )
    out.print(
        f"{result.counts.clicks:,} clicks, {result.counts.conversions:,} conversions, {result.counts.affiliates:,} active affiliates; "
        f"{result.counts.duplicate_rows:,} duplicate rows, {result.counts.rejected_rows:,} rejected.",
        f"Window {result.window.start:%Y-%m-%d %H:%M} to {result.window.end:%Y-%m-%d %H:%M} UTC, against {reference}. {result.mode_reason}",
        sep="\n",
        markup=False,
    )
    table = Table(show_edge=False, pad_edge=False, title_justify="left")
    for name, justify in (("#", "right"), ("affiliate", "left"), ("risk", "right"), ("outcome", "left"), ("why", "left")):
        table.add_column(name, justify=justify, no_wrap=name != "why")  # type: ignore[arg-type]  # the five words above
    for row in result.affiliates[:20]:
        why = row.reasons[0].text if row.reasons else ""
        add_plain_row(table, str(row.rank), row.affiliate_id, f"{row.score:.2f}", f"{row.outcome}{' ●' if row.alerted else ''}", why)
    out.print(table)
    for ring in result.rings:
        out.print(f"Ring of {len(ring.affiliate_ids)}: {', '.join(ring.affiliate_ids)}", markup=False)
    err.print(f"{_alerts(len(result.alerts))} (●). The whole ranking: --json, or --out DIR for a report to read.", markup=False)


def _alerts(count: int) -> str:
    return f"{count:,} alert" if count == 1 else f"{count:,} alerts"
