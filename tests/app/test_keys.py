"""The keys of the first start."""

from __future__ import annotations

import stat
from pathlib import Path

from fraud.app.keys import ensure_keys
from fraud.app.parts import App
from fraud.domain.actors import Role
from fraud.settings import Settings


def test_one_key_a_role_is_made_once_and_works(app: App) -> None:
    file = ensure_keys(app)
    assert file == app.workspace.keys_file
    lines = [line.split("\t") for line in file.read_text().splitlines() if not line.startswith("#")]
    assert [line[0] for line in lines] == [role.value for role in Role]
    for role, line in zip(Role, lines, strict=True):
        actor = app.stores.actors.authenticate(line[3])
        assert actor is not None
        assert actor.role is role
    ensure_keys(app)
    assert len(app.stores.actors.keys()) == len(Role)


def test_the_file_is_its_owners_alone(app: App) -> None:
    file = ensure_keys(app)
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_of_the_environment_is_accepted_and_none_is_made(tmp_path: Path) -> None:
    given = Settings(workspace=tmp_path, review_key="chosen-outside", _env_file=None)  # type: ignore[call-arg, arg-type]  # pydantic's own
    app = App(given)
    assert ensure_keys(app) is None
    actor = app.stores.actors.authenticate("chosen-outside")
    assert actor is not None
    assert (actor.role, len(app.stores.actors.keys())) == (Role.REVIEW, 1)
    app.close()
