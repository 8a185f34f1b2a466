"""Telling trackers, wired: the feeds say which tracker a program has and whether it may be told."""

from __future__ import annotations

from collections.abc import Sequence

from fraud.app.parts import App
from fraud.app.pulling import Surroundings
from fraud.domain.actors import Actor
from fraud.domain.feeds import Feed, Telling
from fraud.domain.tracker_actions import ActionRecord, ActionState, TrackerAction
from fraud.errors import Conflict
from fraud.storage.tracker_actions import ActionFolder
from fraud.trackers.actions.registry import ADAPTERS
from fraud.trackers.http import TrackerClient
from fraud.trackers.registry import account_of
from fraud.workflows.tracker_actions import ActionTools, tell


def tell_tracker(
    app: App, feed: Feed, action: TrackerAction, actor: Actor, *, send: bool = False, around: Surroundings | None = None
) -> ActionRecord:
    """Tells a feed's tracker, or says what would be sent: really only when `send` is asked for and the feed's `actions` is `send`.

    `Conflict` when the feed's `actions` is off or the action is another program's. What is sent goes to the audit log too.
    """
    around = around or Surroundings()
    if feed.actions is Telling.OFF:
        raise Conflict(f"The feed {feed.name} tells its tracker nothing. Set `actions: dry_run` in it first, and `actions: send` later.")
    if send and feed.actions is not Telling.SEND:
        raise Conflict(f"The feed {feed.name} only tries out what it would send. Set `actions: send` in it when that is right.")
    if action.program_id != feed.program_id:
        raise Conflict(f"The feed {feed.name} belongs to the program {feed.program_id}, and the action to {action.program_id}.")
    with TrackerClient(account_of(feed, around.environment), app.clock, pause=around.pause) as client:
        tools = ActionTools(ADAPTERS[feed.tracker](client), action_log(app), app.clock.now(), feed.name, send)
        record = tell(action, tools)
    if record.state is not ActionState.DRY_RUN:
        detail = {"feed": feed.name, "kind": action.kind.value, "state": record.state.value, "error": record.error}
        app.stores.audit.record(actor, feed.program_id, "tracker.told", action.action_id, app.clock.now(), detail)
    return record


def told(app: App, program_id: str, limit: int = 100) -> Sequence[ActionRecord]:
    """What trackers were told, or would have been, newest first."""
    return action_log(app).records(program_id, limit)


def action_log(app: App) -> ActionFolder:
    """The workspace's log of what trackers were told."""
    return ActionFolder(app.workspace.root / "tracker-actions")
