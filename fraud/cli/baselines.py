"""The commands that show the frozen baselines of a program and put one in force: `models` baselines, accept, revert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, actor, add_plain_row, err, opened, out, print_json

if TYPE_CHECKING:
    from fraud.app.baselines import KeptBaseline
    from fraud.domain.drift import DriftReport

WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the audit log.", show_default=False)]
_STATES = {"in_force": "in force", "held": "waits", "kept": ""}


def register(models: typer.Typer) -> None:
    """Adds the commands to those of models."""
    models.command("baselines")(baselines)
    models.command("accept")(accept)
    models.command("revert")(revert)


def baselines(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """The frozen baselines of the nightly scan: which one is in force, which one waits for a person, how far traffic has drifted."""
    from fraud.app import baselines as kept

    with opened(workspace) as app:
        found = kept.baselines(app, program_id)
    if json:
        print_json(found)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in ("baseline", "state", "until", "drifted"):
        table.add_column(name, no_wrap=True, min_width=42 if name == "baseline" else None)
    for one in found.baselines:
        add_plain_row(table, one.model_id, _STATES[one.state], *_figures(one))
    out.print(table)
    if not found.baselines:
        err.print("No baseline has been kept yet: `fraud scan` fits one from the nights before.", markup=False)
    err.print("Drifted: features whose figures are not those of the baseline before it.", markup=False)
    standing = found.newest_scan
    if standing is not None:
        _show_drift("The newest night", standing.night)
        _show_drift("The newer reference", standing.refit)
    if found.held is not None:
        err.print(f"{found.held.model_id} waits: `fraud models accept --why TEXT` lets it judge from the next scan on.", markup=False)


def accept(
    why: WhyOption,
    reference: Annotated[str, typer.Argument(metavar="MODEL", help="A baseline's id; by default the one that waits.")] = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Let a baseline judge from the next scan on, although it drifted far from the one before."""
    from fraud.app import baselines as kept

    with opened(workspace) as app:
        found = kept.accept_baseline(app, program_id, why, actor(), reference)
    _show(found, json)


def revert(why: WhyOption, program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Go back to the baseline that was in force before."""
    from fraud.app import baselines as kept

    with opened(workspace) as app:
        found = kept.roll_back_baseline(app, program_id, why, actor())
    _show(found, json)


def _show(found: KeptBaseline, json: bool) -> None:
    if json:
        print_json(found)
        return
    out.print(f"{found.model_id} ({found.trained.start:%d %b} to {found.trained.end:%d %b}) judges from the next scan on.", markup=False)


def _figures(one: KeptBaseline) -> tuple[str, ...]:
    drifted = "" if one.drift_features is None else f"{one.drift_features} of {one.drift_features_compared}"
    return f"{one.trained.end:%d %b}", drifted


def _show_drift(what: str, drift: DriftReport | None) -> None:
    if drift is None:
        return
    out.print(f"{what} beside the baseline in force: {drift.why}", markup=False)
    for one in drift.features[:3]:
        out.print(f"  {one.title}: drift {one.psi:.2f}, median moved by {one.moved:+.1f}", markup=False)
