"""Commands about policy packs: show one, prove its rules, see what it would change, make it live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraud.cli.console import (
    PROGRAM,
    JsonOption,
    ProgramIdOption,
    WorkspaceOption,
    actor,
    add_plain_row,
    err,
    opened,
    out,
    print_json,
    progress,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from fraud.workflows.backtesting import Backtest
    from fraud.workflows.comparing import Changed, Move, PolicyDiff

policy_app = typer.Typer(help="Policy packs: thresholds, weights, outcomes and rules as data.", no_args_is_help=True)

PackArgument = Annotated[str, typer.Argument(metavar="PACK", help="The name of a shipped pack, or a YAML file.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(policy_app, name="policy", rich_help_panel="Decisions")


@policy_app.command("list")
def list_policies(json: JsonOption = False) -> None:
    """List the packs that come with the product: one for each kind of program. Name one in a profile (`policy:`) or publish it."""
    from fraud.policy.loading import load_pack, shipped_packs

    packs = [load_pack(name) for name in shipped_packs()]
    if json:
        print_json([{"policy": pack.artefact, "title": pack.title, "description": pack.description} for pack in packs])
        return
    for pack in packs:
        out.print(f"{pack.id}: {pack.title}\n  {pack.description}", markup=False)


@policy_app.command("show")
def show_policy(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="The name of a shipped pack, or a YAML file.")] = "default",
    json: JsonOption = False,
) -> None:
    """Check a pack and print its thresholds with their reasons."""
    from fraud.domain.catalogue import CHECKS
    from fraud.policy.loading import load_pack

    loaded = load_pack(pack)
    if json:
        print_json(loaded)
        return
    out.print(f"{loaded.title} ({loaded.id}@{loaded.version}, {loaded.hash[:12]})", markup=False)
    for check_id, check in loaded.checks.items():
        out.print(f"\n{CHECKS[check_id].title}  [{check_id}, weight {check.weight:g}]", markup=False)
        for name, threshold in check.thresholds.items():
            out.print(f"  {name} = {threshold.value:g}: {threshold.reason} ({threshold.source})", markup=False)


@policy_app.command("test")
def prove_policy(pack: PackArgument = "default", json: JsonOption = False) -> None:
    """Load a pack whole and run every rule's own examples; what is wrong is named with its line (exit code 1)."""
    from fraud.policy.loading import load_pack

    loaded = load_pack(pack)
    rules = [
        {"id": rule.id, "job": rule.job, "enabled": rule.enabled, "fires": len(rule.examples.fires), "quiet": len(rule.examples.quiet)}
        for rule in loaded.rules
    ]
    if json:
        print_json({"policy": loaded.artefact, "checks": len(loaded.checks), "rules": rules})
        return
    out.print(f"{loaded.title} ({loaded.id}@{loaded.version}, {loaded.hash[:12]}) holds together.", markup=False)
    out.print(
        f"{len(loaded.checks)} checks with their thresholds; {_counted(len(rules), 'rule')}, each proved by its examples.", markup=False
    )
    for rule in rules:
        off = "" if rule["enabled"] else "   (switched off)"
        out.print(f"  {rule['id']}  [{rule['job']}]  fires on {rule['fires']}, stays quiet on {rule['quiet']}{off}", markup=False)


@policy_app.command("diff")
def diff_policy(
    pack: PackArgument,
    days: Annotated[int, typer.Option("--days", min=1, max=3660, metavar="N", help="How many days of decisions to look at.")] = 30,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Say what a pack would change: the scans of the last days and the open applications decided again, in people and money."""
    from fraud.app.policies import diff_policy as compared

    with opened(workspace) as app, progress("Deciding again") as tell:
        result = compared(app, program_id, pack, days, lambda done: tell(f"Deciding again: {done:,}"))
    if json:
        print_json(result)
        return
    _print_diff(result)


@policy_app.command("publish")
def publish_policy(
    pack: PackArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    shadow: Annotated[bool, typer.Option("--shadow", help="Decide beside the live pack instead of in its place.")] = False,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Make a pack live for a program. It is kept under its hash and never changes; publish another to change course."""
    from fraud.app.policies import publish_policy as publish
    from fraud.domain.policies import PolicyState

    with opened(workspace) as app:
        published = publish(app, program_id, pack, PolicyState.SHADOW if shadow else PolicyState.LIVE, (actor(), reason))
    if json:
        print_json(published)
        return
    words = "runs in shadow beside the live one" if shadow else "is live"
    out.print(f"{published.policy.id} ({published.policy.hash[:12]}) {words} for the program {program_id!r}.", markup=False)


@policy_app.command("backtest")
def backtest_policy(
    pack: PackArgument,
    days: Annotated[int, typer.Option("--days", min=1, max=3660, metavar="N", help="How many days of decisions to look at.")] = 90,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Hold a pack against what people found: of those labelled bad, how many it would have looked at, and how many honest ones."""
    from fraud.app.policies import backtest_policy as tested

    with opened(workspace) as app, progress("Deciding again") as tell:
        results = tested(app, program_id, pack, days, lambda done: tell(f"Deciding again: {done:,}"))
    if json:
        print_json(results)
        return
    for one in results:
        _print_backtest(one)


@policy_app.command("shadow")
def shadow_policy(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Say what the pack in shadow would have done since it was published: it decides beside the live one and never acts."""
    from fraud.app.shadowing import shadow_report

    with opened(workspace) as app:
        report = shadow_report(app, program_id)
    if json:
        print_json(report)
        return
    if report is None:
        err.print("No pack is in shadow. Start one with: fraud policy publish PACK --shadow --reason TEXT", markup=False)
        return
    since = report.published.published_at
    out.print(f"In shadow since {since:%Y-%m-%d %H:%M} UTC, by {report.published.published_by}: {report.published.reason}", markup=False)
    _print_diff(report.diff)


@policy_app.command("retire")
def retire_policy(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the record.")] = "",
    shadow: Annotated[bool, typer.Option("--shadow", help="End the pack in shadow instead of the live one.")] = False,
    program_id: ProgramIdOption = PROGRAM,
    workspace: WorkspaceOption = None,
) -> None:
    """End the pack that was published; without one the profile's pack serves, else the default. What it decided stays on record."""
    from fraud.app.policies import retire_policy as retire
    from fraud.domain.policies import PolicyState

    with opened(workspace) as app:
        retire(app, program_id, PolicyState.SHADOW if shadow else PolicyState.LIVE, (actor(), reason))
    out.print("Retired.", markup=False)


@policy_app.command("history")
def policy_history(program_id: ProgramIdOption = PROGRAM, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List what was published for a program, newest first, with who did it and why."""
    with opened(workspace) as app:
        history = app.stores.policies.history(program_id)
    if json:
        print_json(history)
        return
    if not history:
        err.print("Nothing was published yet: the pack of the program's profile, else the default, serves.", markup=False)
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in ("state", "pack", "hash", "published", "by", "reason"):
        table.add_column(name)
    for one in history:
        add_plain_row(
            table, one.state.value, one.policy.id, one.policy.hash[:12], f"{one.published_at:%Y-%m-%d %H:%M}", one.published_by, one.reason
        )
    out.print(table)


def _print_diff(result: PolicyDiff) -> None:
    out.print(f"Under {result.policy.id} ({result.policy.hash[:12]}):", markup=False)
    out.print(f"  {result.changed:,} of {_counted(result.decisions, 'decision')} would come out otherwise.", markup=False)
    if result.erased:
        out.print(f"  {_counted(result.erased, 'decision')} could not be made again: their inputs were erased.", markup=False)
    if result.moves:
        _print_moves(result.moves)
    if result.rules:
        fired = ", ".join(f"{name} {count:,}" for name, count in result.rules.items())
        out.print(f"Rules that would fire: {fired}.", markup=False)
    if result.examples:
        _print_examples(result.examples)


def _print_backtest(result: Backtest) -> None:
    out.print(f"{result.job.value}: {_counted(result.decisions, 'decision')} on labelled subjects, under {result.policy.id}.", markup=False)
    if result.unlabelled or result.erased:
        out.print(f"  Left out: {_counted(result.unlabelled, 'subject')} without a label, {result.erased:,} erased.", markup=False)
    table = Table(show_edge=False, pad_edge=False)
    for name in ("", "bad looked at", "honest looked at", "bad stopped", "honest stopped", "precision", "pending of bad", "of honest"):
        table.add_column(name)
    for name, tally in (("then", result.then), ("now", result.now)):
        precision = "-" if tally.precision is None else f"{tally.precision:.0%}"
        add_plain_row(
            table,
            *(name, f"{tally.bad_looked_at} of {tally.bad}", f"{tally.good_looked_at} of {tally.good}"),
            *(f"{tally.bad_stopped}", f"{tally.good_stopped}", precision, _money(tally.caught), _money(tally.troubled)),
        )
    out.print(table)


def _money(amounts: dict[str, Decimal]) -> str:
    return ", ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(amounts.items())) or "-"


def _print_moves(moves: tuple[Move, ...]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for name, justify in (
        ("job", "left"),
        ("from", "left"),
        ("to", "left"),
        ("decisions", "right"),
        ("subjects", "right"),
        ("pending", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # the two words above
    for move in moves:
        counts = (f"{move.decisions:,}", f"{move.subjects:,}", _money(move.commission))
        add_plain_row(table, move.job.value, move.then.value, move.now.value, *counts)
    out.print(table)


def _print_examples(examples: tuple[Changed, ...]) -> None:
    out.print("Most at stake:", markup=False)
    for one in examples[:10]:
        because = f"   by {', '.join(one.rules)}" if one.rules else ""
        money = f"   {one.commission:,.2f} {one.currency or ''}".rstrip() if one.commission is not None else ""
        out.print(f"  {one.subject_id}: {one.then.value} -> {one.now.value}{money}{because}   {one.decision_id}", markup=False)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
