"""Commands about decisions: replay what was decided."""

from __future__ import annotations

from typing import Annotated

import typer

from fraud.cli.console import JsonOption, WorkspaceOption, err, opened, out, print_json
from fraud.errors import ReplayError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(rich_help_panel="Decisions")(replay)


def replay(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="The decision's id, such as dec_…")],
    policy: Annotated[
        str, typer.Option("--policy", metavar="PACK", help="Ask what another pack would have said.", show_default=False)
    ] = "",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Recompute a decision from what was stored with it: the answer is exactly the same, or the differences are named (exit code 1)."""
    from fraud.app.replaying import replay_decision

    with opened(workspace) as app:
        result = replay_decision(app, decision, policy)
    if json:
        print_json(result)
    else:
        out.print(f"Then: {result.then.outcome}, risk {result.then.score}", markup=False)
        out.print(
            f"Now:  {result.now.outcome}, risk {result.now.score}   (policy {result.policy.id}, {result.policy.hash[:12]})", markup=False
        )
        for difference in result.differences:
            err.print(f"  {difference.field}: {_in_words(difference.field, difference.then, difference.now)}", markup=False)
        out.print("Exactly the same." if result.same else "Different.", markup=False)
    if not result.same and not policy:
        raise ReplayError(f"Decision {decision} did not come out the same; the fields above differ.")


def _in_words(field: str, then: object, now: object) -> str:
    """What changed in one field: for a list what went and what came, otherwise both values."""
    if not isinstance(then, tuple) or not isinstance(now, tuple):
        return f"{then} -> {now}"
    before, after = ([str(getattr(item, "code", getattr(item, "reason_code", item))) for item in items] for items in (then, now))
    gone, come = [name for name in before if name not in after], [name for name in after if name not in before]
    changes = [*(f"without {name}" for name in gone), *(f"with {name}" for name in come)]
    return ", ".join(changes) or "the same ones, with other figures"
