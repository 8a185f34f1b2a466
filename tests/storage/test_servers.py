"""Tests that need PostgreSQL say why they did not run, and fail where they are required to."""

from __future__ import annotations

import pytest

from tests import servers


@pytest.fixture(autouse=True)
def machine_without_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAUD_TEST_POSTGRES_URL", raising=False)
    monkeypatch.delenv("FRAUD_TEST_REQUIRE", raising=False)
    monkeypatch.setattr(servers, "_find_programs", lambda: None)


def test_without_a_server_the_tests_are_skipped_with_a_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match="neither on PATH"), servers.postgres_server():
        pass


def test_where_a_server_is_required_they_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUD_TEST_REQUIRE", "redis,postgres")
    with pytest.raises(pytest.fail.Exception, match="FRAUD_TEST_REQUIRE asks for it"), servers.postgres_server():
        pass


def test_a_server_that_is_given_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUD_TEST_POSTGRES_URL", "postgresql://127.0.0.1/given")
    with servers.postgres_server() as url:
        assert url == "postgresql://127.0.0.1/given"
