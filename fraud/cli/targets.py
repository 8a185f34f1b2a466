"""Targets: set one, see how affiliates stand, and who has earned what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, ProgramIdOption, WorkspaceOption, actor, add_plain_row, err, opened, out, print_json
from fraud.domain.targets import Metric
from fraud.errors import InputError

if TYPE_CHECKING:
    from fraud.domain.targets import Progress

target_app = typer.Typer(help="Targets of affiliates: one figure, one number, two dates.", no_args_is_help=True)

DayOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.", show_default="today")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(target_app, name="target", rich_help_panel="Traffic")


@target_app.command("set")
def set_target(
    metric: Annotated[Metric, typer.Argument(metavar="METRIC", help="The figure.")],
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="The number: a share from 0 to 1, a count, or an amount.")],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day.")],
    affiliate: Annotated[str, typer.Option("--affiliate", metavar="ID", help="Whose; without it, everybody's.")] = "",
    since: DayOption = None,
    incentive: Annotated[str, typer.Option("--incentive", metavar="TEXT", help="What there is for reaching it.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Set a target: specific, measured and dated. The affiliate reads it, and how far it is, in its report."""
    from fraud.app.targets import Wanted
    from fraud.app.targets import set_target as set_it

    with opened(workspace) as app:
        start = (since.replace(tzinfo=UTC) if since else app.clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = Wanted(affiliate, metric, _number(goal), start, until.replace(tzinfo=UTC) + timedelta(days=1), incentive)
        target = set_it(app, program_id, wanted, (actor(), reason))
    if json:
        print_json(target)
        return
    out.print(f"{target.target_id}: {metric.value} {goal} until {until:%Y-%m-%d}, for {affiliate or 'everybody'}.", markup=False)


@target_app.command("list")
def list_targets(
    affiliate: Annotated[str, typer.Argument(metavar="[AFFILIATE]", help="One affiliate; without it, all of them.")] = "",
    met: Annotated[bool, typer.Option("--met", help="Only what was met: the incentives that are due.")] = False,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Say how affiliates stand with their targets, and which incentives are due or wait."""
    from fraud.app.targets import progress

    with opened(workspace) as app:
        standing = [one for one in progress(app, program_id, affiliate) if not met or one.state == "met"]
    if json:
        print_json(standing)
        return
    if not standing:
        err.print("No target stands. Set one with: fraud target set METRIC GOAL --to DAY --reason TEXT", markup=False)
        return
    print_progress(standing)


@target_app.command("end")
def end_target(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The target's id, such as tgt_….")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """End a target before its time; it earns nothing any more."""
    from fraud.app.targets import end_target as end

    with opened(workspace) as app:
        end(app, program_id, target, (actor(), reason))
    out.print("Ended.", markup=False)


def print_progress(standing: list[Progress]) -> None:
    """A table of how affiliates stand."""
    table = Table(show_edge=False, pad_edge=False)
    for name in ("target", "affiliate", "figure", "now", "state", "until", "incentive"):
        table.add_column(name, no_wrap=name == "target", overflow="fold")
    for one in standing:
        last_day = one.target.period.end - timedelta(days=1)
        reached, value = ("-" if one.share is None else f"{one.share:.0%}"), ("-" if one.value is None else f"{one.value:,.4g}")
        earned = f"{one.incentive} ({one.waits})" if one.waits else one.incentive
        add_plain_row(
            table,
            *(one.target.target_id, one.affiliate_id, one.target.metric.value, f"{value} of {one.target.goal:,} ({reached})"),
            *(one.state.value, f"{last_day:%Y-%m-%d}", earned),
        )
    out.print(table)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as fault:
        raise InputError(f"{text!r} is no number; give a goal such as 500 or 0.05.") from fault
