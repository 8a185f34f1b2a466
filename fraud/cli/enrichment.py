"""The commands about what addresses are known to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import JsonOption, WorkspaceOption, add_plain_row, err, opened, out, print_json, progress

if TYPE_CHECKING:
    from fraud.domain.networks import AddressFacts
    from fraud.enrichment.building import Manifest

GivenOption = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="[WHAT=]FILE|URL",
        help="Read this instead of the configured sources; may be repeated. WHAT: a source's id, `asn`, `country` or a class.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Tables of networks: country, AS number and class of exit by address.", no_args_is_help=True)
    group.command()(refresh)
    group.command()(show)
    app.add_typer(group, name="enrichment", rich_help_panel="Traffic")


def refresh(
    given: GivenOption = None,
    forget: Annotated[
        str, typer.Option("--forget", metavar="ID", help="Drop a source, and build the tables without it.", show_default=False)
    ] = "",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Fetch the newest tables of networks, or read them from files, and put them to use.

    A source that cannot be reached keeps the copy it has. The last three versions of the tables are kept.
    """
    if forget:
        _forget(forget, workspace, json)
        return
    from fraud.app.refreshing import refresh as refresh_tables

    with opened(workspace) as app, progress("Reading the sources") as tell:
        report = refresh_tables(app, given or (), tell)
    if json:
        print_json(report)
        return
    for outcome in report.sources:
        style = None if outcome.state in {"read", "unchanged"} else "yellow"
        err.print(f"{outcome.source}: {outcome.state}. {outcome.text}", style=style, markup=False)
    out.print(f"In use: {report.version}", markup=False)
    for attribution in report.attributions:
        out.print(f"Say where you show it: {attribution}", markup=False)


def _forget(source: str, workspace: WorkspaceOption, json: bool) -> None:
    from fraud.app.refreshing import forget as forget_source

    with opened(workspace) as app, progress("Building the tables") as tell:
        forget_source(app, source, tell)
    if json:
        print_json({"forgotten": source})
    else:
        out.print(f"Forgotten: {source}", markup=False)


def show(
    address: Annotated[str, typer.Argument(metavar="[IP]", help="An address to read, v4 or v6.", show_default=False)] = "",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show the tables in use, or what an address reads as and on what evidence."""
    from fraud.app.enriching import networks
    from fraud.domain.networks import AddressFacts
    from fraud.enrichment.addresses import read_one
    from fraud.errors import InputError, NotFound

    if address and read_one(address) is None:
        raise InputError(f"{address!r} is no internet address; give one such as 192.0.2.1 or 2001:db8::1.")
    with opened(workspace) as app:
        tables = networks(app)
    if tables is None:
        raise NotFound("There are no tables of networks yet; run `fraud enrichment refresh`.")
    found: AddressFacts | Manifest = tables.explain(address) if address else tables.manifest
    if json:
        print_json(found)
    elif isinstance(found, AddressFacts):
        _print_address(found)
    else:
        _print_manifest(found)
    for attribution in () if json else tables.attributions:
        err.print(attribution, style="dim", markup=False)


def _print_address(facts: AddressFacts) -> None:
    table = Table(show_header=False, show_edge=False, pad_edge=False)
    rows = {
        "address": facts.address,
        "country": facts.country or "unknown",
        "network": f"AS{facts.asn} {facts.organisation or ''}".rstrip() if facts.asn is not None else "unknown",
        "class": facts.egress_class.value,
    }
    for name, value in rows.items():
        add_plain_row(table, name, value)
    out.print(table)
    for evidence in facts.evidence:
        out.print(f"  {evidence.source}: {evidence.says}, {evidence.first} to {evidence.last}", markup=False)
    if not facts.evidence:
        out.print("  No source says anything of it.", markup=False)


def _print_manifest(manifest: Manifest) -> None:
    out.print(f"{manifest.version}, built {manifest.built_at:%Y-%m-%d %H:%M} UTC, {manifest.hash[:12]}", markup=False)
    table = Table(show_edge=False, pad_edge=False)
    for name in ("source", "gives", "version", "read", "rows", "unread", "licence"):
        table.add_column(name, overflow="fold", justify="right" if name in {"rows", "unread"} else "left")
    for report in manifest.sources:
        kept = report.kept
        read = f"{kept.fetched_at:%Y-%m-%d}"
        version = kept.version or kept.sha256[0][:12]
        add_plain_row(
            table, kept.source.id, kept.source.gives, version, read, f"{report.rows:,}", f"{report.unread:,}", kept.source.licence
        )
    out.print(table)
