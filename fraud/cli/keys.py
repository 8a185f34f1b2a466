"""`fraud keys`: the API keys of a workspace, made, listed, rotated and revoked. A secret is printed once and kept nowhere."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from fraud.cli.console import PROGRAM, JsonOption, WorkspaceOption, actor, add_plain_row, err, opened, out, print_json
from fraud.domain.actors import Actor, Role

_MOST_DAYS, _MOST_HOURS = 3650, 8760

ActorArgument = Annotated[str, typer.Argument(metavar="ACTOR", help="Whose key: the id that `fraud keys list` shows.")]


def register(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(help="API keys: make, list, rotate, revoke, try in shadow.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(show)
    group.command("rotate")(rotate)
    group.command("revoke")(revoke)
    group.command("shadow")(shadow)
    app.add_typer(group, name="keys", rich_help_panel="Service")


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    role: Annotated[Role, typer.Option(help="score: trackers; review: managers; admin: everything.")],
    program_id: Annotated[
        list[str] | None, typer.Option("--program-id", metavar="ID", help="A program it belongs to; may be repeated; * is all of them.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=_MOST_DAYS, metavar="N", help="Days until it ends; without it, it does not.")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and print it once."""
    from fraud.app.keys import create_key

    with opened(workspace) as app:
        made, secret, ends = create_key(app, actor(), (name, role, tuple(program_id or [PROGRAM])), days)
    _tell(made, secret, ends, json=json)


def show(
    every: Annotated[bool, typer.Option("--all", help="Also those that were revoked or have ended.")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """List keys: whose, what they may do and where, when they end and when they were last used."""
    from fraud.app.keys import keys_of

    with opened(workspace) as app:
        found, now = keys_of(app, every=every), app.clock.now()
    if json:
        print_json([{"key": one, "state": one.state(now)} for one in found])
        return
    table = Table(show_edge=False, pad_edge=False)
    for column, width in (("actor", 20), ("name", 8), ("role", 6), ("programs", 8), ("state", 7), ("ends", 10), ("last used", 10)):
        table.add_column(column, min_width=width, overflow="fold")
    for one in found:
        who = one.actor
        times = (_day(one.expires_at), _day(one.last_used_at))
        add_plain_row(table, who.actor_id, who.name, who.role.value, ", ".join(who.programs), one.state(now).value, *times)
    out.print(table)


def rotate(
    actor_id: ActorArgument,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=_MOST_HOURS, metavar="N", help="Hours for which the old key still opens; 0 ends it now.")
    ] = 24,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new key for the same actor; the old one goes on for a while, so that nothing stops while it is replaced."""
    from fraud.app.keys import rotate_key

    with opened(workspace) as app:
        made, secret, ends = rotate_key(app, actor(), actor_id, overlap_hours)
    if not json:
        err.print(f"The old key opens until {ends:%Y-%m-%d %H:%M} UTC.", markup=False)
    _tell(made, secret, None, json=json)


def revoke(
    actor_id: ActorArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever asks later.")],
    workspace: WorkspaceOption = None,
) -> None:
    """End all keys of an actor now. Running services notice within ten seconds; sessions end at the next page."""
    from fraud.app.keys import revoke_key

    with opened(workspace) as app:
        revoke_key(app, actor(), actor_id, reason)
    err.print(f"Revoked the keys of {actor_id}.", markup=False)


def shadow(
    actor_id: ActorArgument,
    live: Annotated[bool, typer.Option("--live", help="Take it out of shadow again.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer a key's events `allow` and say beside it what would have been answered. Running services notice within ten seconds."""
    from fraud.app.keys import shadow_key

    with opened(workspace) as app:
        shadow_key(app, actor(), actor_id, shadow=not live)
    err.print(f"{actor_id} is {'live' if live else 'in shadow'}.", markup=False)


def _tell(made: Actor, secret: str, ends: datetime | None, *, json: bool) -> None:
    if json:
        print_json({"actor": made, "key": secret, "expires_at": ends})
        return
    sys.stdout.write(f"{secret}\n")
    sys.stdout.flush()
    until = f", ends {ends:%Y-%m-%d}" if ends else ""
    err.print(
        f"{made.actor_id}: {made.name}, {made.role.value}, {', '.join(made.programs)}{until}. Shown this once; keep it now.", markup=False
    )


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"
