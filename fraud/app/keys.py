"""Keys: those of the first start (of the environment, else one a role is made and written down), and what is done with them later."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from fraud.app.parts import App
from fraud.domain.actors import SYSTEM, Actor, KeyInfo, KeyState, Role
from fraud.errors import InputError

EVERY_PROGRAM = ("*",)


def ensure_keys(app: App) -> Path | None:
    """Accepts the environment's keys; makes one a role when there is none at all. Returns where the workspace's own keys stand."""
    with app.workspace.lock("first-start"):
        for role, secret in _given(app).items():
            app.stores.actors.accept_key(
                secret.get_secret_value(), f"{role.value} key of the environment", role, EVERY_PROGRAM, app.clock.now()
            )
        if not app.stores.actors.keys():
            _make(app)
    return app.workspace.keys_file if app.workspace.keys_file.exists() else None


def create_key(
    app: App, by: Actor, wanted: tuple[str, Role, tuple[str, ...]], days: int | None = None
) -> tuple[Actor, str, datetime | None]:
    """Makes a key (name, role, programs) that ends after some days, or never: its actor, its secret, and when it ends."""
    now = app.clock.now()
    ends = now + timedelta(days=days) if days else None
    actor, secret = app.stores.actors.create_key(*wanted, now, ends)
    told = {"role": actor.role.value, "programs": list(actor.programs), "expires_at": ends.isoformat() if ends else None}
    app.stores.audit.record(by, _place(actor), "key.created", actor.actor_id, now, told)
    return actor, secret, ends


def rotate_key(app: App, by: Actor, actor_id: str, overlap_hours: int) -> tuple[Actor, str, datetime]:
    """A new key for an actor whose old ones end after an overlap: its actor, its secret, and when the old ones end."""
    now = app.clock.now()
    ends = now + timedelta(hours=overlap_hours)
    actor, secret = app.stores.actors.rotate(actor_id, now, ends)
    app.stores.audit.record(by, _place(actor), "key.rotated", actor_id, now, {"old_until": ends.isoformat()})
    return actor, secret, ends


def shadow_key(app: App, by: Actor, actor_id: str, *, shadow: bool) -> None:
    """Puts the keys of an actor into shadow, or makes them live; `NotFound` when there is no such key."""
    place = next((_place(key.actor) for key in app.stores.actors.every_key() if key.actor.actor_id == actor_id), EVERY_PROGRAM[0])
    app.stores.actors.set_shadow(actor_id, shadow)
    app.stores.audit.record(by, place, "key.shadow" if shadow else "key.live", actor_id, app.clock.now(), {})


def revoke_key(app: App, by: Actor, actor_id: str, reason: str) -> None:
    """Ends all keys of an actor; `NotFound` when none of them lives, `InputError` without a reason."""
    if not reason.strip():
        raise InputError("Say why, in a few words: a key that was revoked never lives again.")
    now = app.clock.now()
    place = next((_place(key.actor) for key in app.stores.actors.every_key() if key.actor.actor_id == actor_id), EVERY_PROGRAM[0])
    app.stores.actors.revoke(actor_id, now)
    app.stores.audit.record(by, place, "key.revoked", actor_id, now, {"reason": reason.strip()})


def keys_of(app: App, *, every: bool = False) -> list[KeyInfo]:
    """The live keys, or every one there ever was."""
    now = app.clock.now()
    return [key for key in app.stores.actors.every_key() if every or key.state(now) is KeyState.LIVE]


def _place(actor: Actor) -> str:
    """The program whose audit log tells of a key: its own, when it has one alone."""
    return actor.programs[0] if len(actor.programs) == 1 else EVERY_PROGRAM[0]


def _given(app: App) -> dict[Role, SecretStr]:
    settings = app.settings
    keys = {Role.SCORE: settings.score_key, Role.REVIEW: settings.review_key, Role.ADMIN: settings.admin_key}
    return {role: secret for role, secret in keys.items() if secret is not None}


def _make(app: App) -> None:
    now = app.clock.now()
    made = [app.stores.actors.create_key(f"first {role.value} key", role, EVERY_PROGRAM, now) for role in Role]
    app.workspace.write_keys(made)
    for actor, _ in made:
        app.stores.audit.record(SYSTEM, "*", "key.created", actor.actor_id, now, {"role": actor.role.value})
