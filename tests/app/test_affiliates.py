"""Affiliates' records as the scorers ask for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from fraud.app.affiliates import REFRESH, AffiliateRecords
from fraud.domain.clock import FixedClock
from fraud.storage.lake import ParquetLake

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_status_is_read_again_after_a_minute_and_a_damaged_file_stops_nothing(tmp_path: Path) -> None:
    lake, clock = ParquetLake(tmp_path), FixedClock(NOON)
    records = AffiliateRecords(lake, clock)
    assert records.statuses("p").get("a") is None
    lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": ["suspended"]}), NOON)
    assert records.statuses("p").get("a") is None
    records.refresh("p")
    assert records.statuses("p").get("a") is None
    clock.move_to(NOON + REFRESH + timedelta(seconds=1))
    records.refresh("p")
    assert records.statuses("p").get("a") == "suspended"
    lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": ["active"]}), NOON + REFRESH)
    whole = {file: file.read_bytes() for file in tmp_path.rglob("affiliates/**/*.parquet")}
    for file in whole:
        file.write_bytes(b"damaged")
    clock.move_to(NOON + 3 * REFRESH)
    with capture_logs() as logs:
        records.refresh("p")
    assert [entry["event"] for entry in logs] == ["affiliate_records_unreadable"]
    assert records.statuses("p").get("a") == "suspended", "what was known last serves on"
    for file, data in whole.items():
        file.write_bytes(data)
    clock.move_to(NOON + 5 * REFRESH)
    records.refresh("p")
    assert records.statuses("p").get("a") == "active"


def test_records_that_did_not_change_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, clock = ParquetLake(tmp_path), FixedClock(NOON)
    lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": ["suspended"]}), NOON)
    records = AffiliateRecords(lake, clock)
    assert records.statuses("p").get("a") == "suspended"
    clock.move_to(NOON + 2 * REFRESH)
    with monkeypatch.context() as patch:
        patch.setattr(lake, "connect", lambda program_id: pytest.fail("the lake is read"))
        records.refresh("p")
    lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": ["active"]}), NOON + REFRESH)
    clock.move_to(NOON + 4 * REFRESH)
    records.refresh("p")
    assert records.statuses("p").get("a") == "active"
