"""What a running service adds to the lake: a disk that refuses is said as something that passes."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from fraud.app.keeping import event_keeper, visit_keeper
from fraud.app.parts import App
from fraud.cli.service import create_service
from fraud.domain.actors import Role
from fraud.domain.events import Click, Visit
from fraud.errors import StorageError
from tests.conftest import MORNING

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

KEY = "key-of-an-administrator"
FULL = OSError(errno.ENOSPC, "No space left on device")
CLICK = {"click_id": "c", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "a"}


def refusing(fault: Exception) -> Callable[..., Any]:
    def append(*_: object) -> None:
        raise fault

    return append


@pytest.mark.parametrize("fault", [FULL, duckdb.IOException("Could not write file"), pa.ArrowInvalid("cannot convert")])
def test_events_and_visits_that_the_disk_refuses_wait(app: App, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    monkeypatch.setattr(app.lake, "append", refusing(fault))
    with pytest.raises(StorageError, match="Scored events of default cannot be added"):
        event_keeper(app)("default", [Click(click_id="c", clicked_at=MORNING, affiliate_id="a")], [])
    with pytest.raises(StorageError, match="Reports of the tag of default cannot be added"):
        visit_keeper(app)("default", [Visit(visit_id="0" * 32, click_id="c", seen_at=MORNING)])


@pytest.mark.parametrize("fault", [FULL, duckdb.IOException("Could not write file")])
def test_what_is_sent_while_the_disk_is_full_is_refused_for_now(app: App, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    app.stores.actors.accept_key(KEY, "Ada", Role.ADMIN, ("*",), MORNING)
    client = TestClient(create_service(app), headers={"X-API-Key": KEY}, raise_server_exceptions=False)
    monkeypatch.setattr(app.lake, "append", refusing(fault))
    label = {"kind": "affiliate", "id": "a", "verdict": "bad", "reason": "Charged back."}
    for path, body in (("/v1/events/clicks", [CLICK]), ("/v1/feedback", label)):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed"), path
        assert answer.headers["retry-after"]
    monkeypatch.undo()
    assert client.post("/v1/events/clicks", json=[CLICK]).json()["kept"] == 1


def test_a_full_disk_for_what_a_body_is_read_from_is_no_failure_of_ours_either(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.stores.actors.accept_key(KEY, "Ada", Role.ADMIN, ("*",), MORNING)
    client = TestClient(create_service(app), headers={"X-API-Key": KEY}, raise_server_exceptions=False)
    monkeypatch.setattr(Path, "write_bytes", refusing(FULL))
    assert client.post("/v1/events/clicks", json=[CLICK]).status_code == 503
