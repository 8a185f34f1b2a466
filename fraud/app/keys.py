"""The keys of the first start: those of the environment are accepted, otherwise one a role is made and written down."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from fraud.app.parts import App
from fraud.domain.actors import SYSTEM, Role

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
