"""Logs: one line an event, as JSON where machines read, and never with anything secret in it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from fraud.app.logs import HIDDEN, Hiding, configure_logs, secrets_of
from fraud.settings import Settings

PASSWORD, KEY = "a-password-of-the-database", "chosen-outside-for-the-admin"
MADE = "fk_admin_" + "aB3-_" * 8


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        workspace=tmp_path,
        database_url=f"postgresql://fraud:{PASSWORD}@db.internal/fraud",
        admin_key=SecretStr(KEY),
        pepper=SecretStr("pepper-pepper-pepper"),
        log_format="json",
        log_level="info",
        _env_file=None,
    )  # type: ignore[call-arg]  # pydantic-settings' own argument


@pytest.fixture
def configured(settings: Settings) -> Settings:
    configure_logs(settings)
    return settings


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        f"could not connect as fraud with {PASSWORD}",
        f"GET /v1/postback?type=click&key={KEY}&click_id=1",
        "GET /v1/postback?key=another-key-of-somebody&click_id=1",
        "GET /login?ticket=eyJhY3Rvci.abc",
        f"made {MADE} for you",
        "Authorization: Bearer some-opaque-thing",
        "redis://user:wordpass@redis:6379/0",
    ],
)
def test_nothing_secret_is_logged_wherever_it_stands(text: str, configured: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger("test")
    log.warning("event", detail=text, nested={"list": [text]})
    log.warning(text)
    log.error("broke", exc_info=RuntimeError(text))
    logging.getLogger("uvicorn.error").error(text)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 4
    assert HIDDEN in said
    for secret in (PASSWORD, KEY, MADE, "another-key", "eyJhY3Rvci", "some-opaque", "wordpass"):
        assert secret not in said


def test_what_is_not_secret_stays(configured: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        structlog.get_logger("test").info("request", route="/v1/alerts", status=200, milliseconds=1.5)
    (line,) = lines(capsys)
    assert (line["request_id"], line["route"], line["status"], line["milliseconds"]) == ("req_1", "/v1/alerts", 200, 1.5)


def test_every_secret_setting_is_hidden(settings: Settings) -> None:
    assert set(secrets_of(settings)) == {PASSWORD, KEY, "pepper-pepper-pepper"}


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_secret_in_any_text_is_taken_out(before: str, after: str) -> None:
    entry = Hiding([KEY])(None, "info", {"event": f"{before}{KEY}{after}"})
    assert KEY not in entry["event"]
