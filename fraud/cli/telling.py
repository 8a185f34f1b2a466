"""The command that tells a tracker what was decided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from fraud.cli.console import JsonOption, WorkspaceOption, actor, err, opened, out, print_json
from fraud.domain.tracker_actions import ActionKind, ActionState, TrackerAction
from fraud.errors import TrackerError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Traffic")(tell)


def tell(
    feed: Annotated[str, typer.Argument(metavar="FEED", help="The feed whose tracker is told.")],
    kind: Annotated[ActionKind, typer.Argument(metavar="ACTION", help="What the tracker is to do.")],
    action_id: Annotated[str, typer.Option("--id", metavar="ID", help="Your name for it; the same one is never carried out twice.")],
    affiliate: Annotated[str, typer.Option("--affiliate", metavar="ID", help="The affiliate.")] = "",
    offer: Annotated[str, typer.Option("--offer", metavar="ID", help="Only on this offer.")] = "",
    sub_id: Annotated[str, typer.Option("--sub-id", metavar="TEXT", help="The sub-ID.")] = "",
    conversion: Annotated[list[str] | None, typer.Option("--conversion", metavar="ID", help="A conversion; may be repeated.")] = None,
    cap: Annotated[int | None, typer.Option(min=0, metavar="N", help="Conversions a day or month.", show_default=False)] = None,
    cap_period: Annotated[str, typer.Option(metavar="day|month", help="What the cap counts by.")] = "day",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Shown in the tracker, perhaps to the affiliate.")] = "",
    send: Annotated[bool, typer.Option("--send", help="Really send it; without this nothing is changed.")] = False,
    feeds_file: Annotated[
        Path | None, typer.Option("--feeds", metavar="FILE", help="The feeds.", show_default="feeds.yaml in the workspace")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Tell a tracker to block an affiliate or sub-ID, to reject or hold conversions, or to set a cap.

    It says what it would send; with --send, and where the feed's `actions` is `send`, it does.
    """
    from fraud.app.pulling import feeds_of
    from fraud.app.telling import tell_tracker

    if cap_period not in {"day", "month"}:
        raise typer.BadParameter("Write day or month.", param_hint="--cap-period")
    with opened(workspace) as app:
        (found,) = feeds_of(app, feeds_file, [feed])
        action = TrackerAction(
            action_id=action_id,
            kind=kind,
            program_id=found.program_id,
            affiliate_id=affiliate,
            offer_id=offer,
            sub_id=sub_id,
            conversion_ids=tuple(conversion or ()),
            cap=cap,
            cap_period=cast("Literal['day', 'month']", cap_period),
            reason=reason,
        )
        record = tell_tracker(app, found, action, actor(), send=send)
    if json:
        print_json(record)
    else:
        verb = "would be sent" if record.state is ActionState.DRY_RUN else "sent"
        for call in record.calls:
            out.print(f"{verb}: {call.method} {call.path} {call.body}", markup=False)
        out.print("Nothing needs to be sent." if not record.calls else f"{action_id}: {record.state.value}", markup=False)
    if record.state is ActionState.DRY_RUN:
        err.print("Nothing was changed. Add --send to do it.", markup=False)
    if record.error:
        raise TrackerError(record.error)
