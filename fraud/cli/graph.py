"""The command that shows who is linked to whom, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, opened, out, print_json, progress, written
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.domain.graph_view import Neighbourhood

_SHOWN = 12
_TIERS = {"identity": "same identity", "strong": "much in common", "weak": "little in common"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Traffic")(graph)


def graph(
    affiliate: Annotated[str, typer.Argument(metavar="AFFILIATE", help="An affiliate's id, or an application's.")],
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a drawing.", show_default=False)] = None,
    graphml: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write GraphML.", show_default=False)] = None,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show who an affiliate is linked to: what they share, how rare that is, since when, and what else it may mean."""
    from fraud.app.graph import as_graphml, as_svg, graph_around

    with opened(workspace) as app, progress("Reading the graph"):
        around = graph_around(app, program_id, affiliate)
    for file, text in ((svg, as_svg), (graphml, as_graphml)):
        if file is not None:
            _write(file, text(around))
    if json:
        print_json(around)
    else:
        _show(around)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise InputError(f"{file} cannot be written: {fault.strerror}. Name a file in a folder that exists.") from fault
    written(file)


def _show(around: Neighbourhood) -> None:
    mine = [link for link in around.links if around.affiliate_id in {link.left, link.right}]
    if not mine:
        out.print(f"{around.affiliate_id} shares nothing rare with anybody.", markup=False)
        return
    standing = {node.node_id: node.standing for node in around.nodes}
    out.print(f"{around.affiliate_id} is linked to {len(mine) + around.left_out:,} other accounts; the closest first.", markup=False)
    for link in mine[:_SHOWN]:
        other = link.right if link.left == around.affiliate_id else link.left
        known = f" ({standing[other]})" if standing.get(other) else ""
        out.print(f"\n{other}{known}: {'declared owner' if link.declared else _TIERS[link.tier]}", markup=False)
        out.print(f"  {link.text}", markup=False)
        if link.also_explained_by:
            out.print(f"  Also explained by: {link.also_explained_by}.", markup=False)
    if len(mine) + around.left_out > _SHOWN:
        out.print(f"\n... and {len(mine) + around.left_out - _SHOWN:,} more; --json shows {len(mine)}.", markup=False)
