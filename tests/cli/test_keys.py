"""`fraud keys` as an operator uses it: made and shown once, rotated with an overlap, revoked with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fraud.app.parts import App
from tests.cli.commands import fraud
from tests.conftest import settings_of


def listed(workspace: Path, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fraud("keys", "list", "--json", "--workspace", workspace, *options).out)
    return found


def test_a_keys_life(tmp_path: Path) -> None:
    made = fraud("keys", "create", "tracker", "--role", "score", "--program-id", "shoes", "--days", "30", "--workspace", tmp_path)
    secret = made.out.strip()
    assert (made.code, secret[:9]) == (0, "fk_score_")
    (one,) = listed(tmp_path)
    actor_id = one["key"]["actor"]["actor_id"]
    assert (one["state"], one["key"]["actor"]["programs"], one["key"]["last_used_at"]) == ("live", ["shoes"], None)
    new = json.loads(fraud("keys", "rotate", actor_id, "--json", "--workspace", tmp_path).out)["key"]
    assert new != secret
    assert len(listed(tmp_path)) == 2
    assert fraud("keys", "revoke", actor_id, "--reason", "It stood in a log.", "--workspace", tmp_path).code == 0
    assert listed(tmp_path) == []
    assert [one["state"] for one in listed(tmp_path, "--all")] == ["revoked", "revoked"]
    app = App(settings_of(tmp_path))
    told = app.stores.audit.entries("shoes", 10)
    assert [entry["action"] for entry in told] == ["key.revoked", "key.rotated", "key.created"]
    assert told[0]["detail"] == {"reason": "It stood in a log."}
    app.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret.encode() not in kept
    assert new.encode() not in kept


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    for command in (("rotate", "key_nobody"), ("revoke", "key_nobody", "--reason", "Gone.")):
        said = fraud("keys", *command, "--workspace", tmp_path)
        assert (said.code, "no live key" in said.err) == (1, True)
    assert fraud("keys", "revoke", "key_nobody", "--reason", " ", "--workspace", tmp_path).code == 1
