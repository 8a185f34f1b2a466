"""`fraud scan` as a script reads it: `scan.json` has the shape of the contract, whatever was scanned."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from fraud.domain.signals import Family
from tests.cli.commands import Ran, fraud

SEVERITIES = {"info", "low", "medium", "high", "critical"}
TIERS = {"conclusive", "associative", "circumstantial"}
OUTCOMES = {"pass", "watch", "review", "hold", "suspend"}
TYPOLOGIES = {
    *("click_flooding", "click_injection", "bot_traffic", "cookie_stuffing", "last_click_hijack", "lead_fraud", "self_referral"),
    *("incentive_abuse", "sub_id_laundering", "collusion_ring", "referrer_laundering", "click_replay", "brand_bidding"),
    *("conversion_injection", "ad_stacking", "duplicate_account", "geo_mismatch"),
}

TOP = {"scan_id", "program_id", "as_of", "window", "reference", "mode", "counts", "affiliates", "sub_ids", "rings", "alerts"}
COUNTS = {"clicks", "conversions", "affiliates", "duplicate_rows", "rejected_rows"}
ROW = {
    *("affiliate_id", "rank", "score", "outcome", "alerted", "decision_id", "typologies", "reasons"),
    *("clicks", "conversions", "commission", "commission_at_risk", "recommended_cap"),
}
REASON = {"code", "family", "severity", "text", "value", "baseline", "sample_size", "tier", "also_explained_by", "evidence"}
ALERT = {"alert_id", "subject", "severity", "typologies", "reasons"}


def check_document(document: dict[str, Any]) -> None:
    """Every key and every enumeration of CONTRACT 2; what is there besides is allowed."""
    assert document.keys() >= TOP
    assert document["mode"] in {"budget", "fdr"}
    check_period(document["window"])
    assert moment(document["as_of"]) == moment(document["window"]["to"])
    if document["reference"] != "same-night":
        check_period(document["reference"])
        assert moment(document["reference"]["to"]) == moment(document["window"]["from"])
    assert document["counts"].keys() >= COUNTS
    assert all(isinstance(document["counts"][name], int) for name in COUNTS)
    check_ranking(document["affiliates"])
    check_ranking(document["sub_ids"])
    assert all(isinstance(row["sub_id"], str) for row in document["sub_ids"])
    assert not any("sub_id" in row for row in document["affiliates"])
    for ring in document["rings"]:
        check_ring(ring)
    for alert in document["alerts"]:
        check_alert(alert, document)


def check_ranking(rows: list[dict[str, Any]]) -> None:
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    for row in rows:
        assert row.keys() >= ROW
        assert 0 <= row["score"] <= 1
        assert row["outcome"] in OUTCOMES
        assert isinstance(row["alerted"], bool)
        assert row["decision_id"].startswith("dec_")
        assert set(row["typologies"]) <= TYPOLOGIES
        assert row["clicks"] + row["conversions"] > 0
        assert row["recommended_cap"] is None or row["recommended_cap"] >= 1
        check_money(row)
        for reason in row["reasons"]:
            check_reason(reason)


def check_money(row: dict[str, Any]) -> None:
    assert row["commission"] is None or Decimal(row["commission"]) >= 0
    risk = row["commission_at_risk"]
    assert risk.keys() >= {"low", "mid", "high", "currency"}
    if risk["mid"] is not None:
        assert 0 <= Decimal(risk["low"]) <= Decimal(risk["mid"]) <= Decimal(risk["high"])
        assert risk["currency"] is None or len(risk["currency"]) == 3


def check_reason(reason: dict[str, Any]) -> None:
    assert reason.keys() >= REASON
    assert reason["severity"] in SEVERITIES
    assert reason["tier"] in TIERS
    assert reason["family"] in set(Family)
    assert reason["text"].endswith(".")
    assert reason["also_explained_by"]
    assert reason["sample_size"] is None or reason["sample_size"] >= 0
    assert isinstance(reason["evidence"], list)


def check_ring(ring: dict[str, Any]) -> None:
    assert ring.keys() >= {"ring_id", "affiliate_ids", "shared", "score"}
    assert len(ring["affiliate_ids"]) > 1
    assert 0 <= ring["score"] <= 1
    assert all(shared.keys() >= {"kind", "count"} for shared in ring["shared"])


def check_alert(alert: dict[str, Any], document: dict[str, Any]) -> None:
    assert alert.keys() >= ALERT
    assert alert["severity"] in SEVERITIES
    assert set(alert["typologies"]) <= TYPOLOGIES
    assert alert["reasons"]
    for reason in alert["reasons"]:
        check_reason(reason)
    about = set(alert.get("members") or [alert["subject"]])
    assert {row["alerted"] for row in document["affiliates"] if row["affiliate_id"] in about} == {True}


def check_period(period: dict[str, Any]) -> None:
    assert period.keys() >= {"from", "to"}
    assert moment(period["from"]) < moment(period["to"])


def moment(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    assert text.endswith("Z")
    return read


@pytest.fixture(scope="module")
def one_shot(program_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """A one-shot scan of everything with `--json` and `--out`."""
    base = tmp_path_factory.mktemp("scan")
    files = [option for name in ("affiliates", "offers") for option in (f"--{name}", program_folder / f"{name}.csv")]
    ran = fraud(
        *("scan", program_folder / "clicks.parquet", "--conversions", program_folder / "conversions.parquet", *files),
        *("--json", "--out", base / "out", "--workspace", base / "workspace"),
    )
    assert ran.code == 0, ran.err
    return ran, base / "out"


def test_a_same_night_scan_has_the_contracts_shape(one_shot: tuple[Ran, Path]) -> None:
    document = one_shot[0].json
    check_document(document)
    assert document["reference"] == "same-night"
    assert document["alerts"]
    assert document["sub_ids"]
    assert any(row["reasons"] for row in document["affiliates"])


def test_a_scan_against_its_past_has_the_contracts_shape(program_folder: Path, tmp_path: Path) -> None:
    ran = fraud("scan", program_folder / "clicks.parquet", "--days", 2, "--json", "--workspace", tmp_path)
    check_document(ran.json)
    assert ran.json["reference"] != "same-night"


def test_the_files_say_what_was_printed(one_shot: tuple[Ran, Path]) -> None:
    ran, folder = one_shot
    document = ran.json
    assert {path.name for path in folder.iterdir()} == {"scan.json", "affiliates.parquet", "sub_ids.parquet", "rings.json", "report.html"}
    assert msgspec.json.decode((folder / "scan.json").read_bytes()) == document
    assert msgspec.json.decode((folder / "rings.json").read_bytes()) == document["rings"]
    for name in ("affiliates", "sub_ids"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        assert table["score"].tolist() == [row["score"] for row in document[name]]
        assert table["decision_id"].tolist() == [row["decision_id"] for row in document[name]]
    assert [f"Wrote {folder / path.name}" in ran.err for path in folder.iterdir()] == [True] * 5
    page = (folder / "report.html").read_text()
    assert all(alert["subject"] in page for alert in document["alerts"])


def test_nothing_is_asked_of_the_net_by_the_report(one_shot: tuple[Ran, Path]) -> None:
    page = (one_shot[1] / "report.html").read_text()
    assert "<script src=" not in page
    assert 'href="http' not in page


def test_people_see_a_table_that_fits(program_folder: Path, tmp_path: Path) -> None:
    ran = fraud("scan", program_folder / "clicks.parquet", "--workspace", tmp_path)
    head, *table = ran.out.splitlines()
    assert "active affiliates; 0 duplicate rows, 0 rejected." in head
    assert any(line.startswith(" # ┃ affiliate") for line in table)
    assert max(len(line) for line in table[1:]) <= 80
    assert re.match(r"(1 alert|\d+ alerts) \(●\)\. The whole ranking: --json", ran.err)


def test_a_workspace_is_scanned_twice_and_the_news_is_the_same(program_folder: Path, tmp_path: Path) -> None:
    for kind in ("affiliates", "offers", "clicks", "conversions"):
        ran = fraud("ingest", kind, *sorted(program_folder.glob(f"{kind}.*")), "--json", "--workspace", tmp_path)
        assert (ran.code, ran.json["rejected"]) == (0, 0)
    first, second = (fraud("scan", "--json", "--workspace", tmp_path).json for _ in range(2))
    check_document(first)
    check_document(second)
    assert [alert["times_seen"] for alert in first["alerts"]] == [1] * len(first["alerts"])
    assert {alert["alert_id"]: alert["times_seen"] for alert in second["alerts"]} == {alert["alert_id"]: 2 for alert in first["alerts"]}
    assert [(row["affiliate_id"], row["score"]) for row in second["affiliates"]] == [
        (row["affiliate_id"], row["score"]) for row in first["affiliates"]
    ]


@pytest.mark.data
def test_a_hundred_thousand_real_clicks(test_data: Path, tmp_path: Path) -> None:
    """A tracker's export as it is: no click ids, opaque addresses, installs in the clicks' own rows."""
    ran = fraud("scan", test_data / "talkingdata" / "train_sample.csv", "--json", "--workspace", tmp_path)
    assert ran.code == 0, ran.err
    document = ran.json
    check_document(document)
    assert document["reference"] == "same-night"
    assert document["counts"] == {"clicks": 100_000, "conversions": 227, "affiliates": 161, "duplicate_rows": 0, "rejected_rows": 0}
    assert len(document["affiliates"]) == 161
    assert document["affiliates"][0]["reasons"]
    assert all(alert["reasons"] for alert in document["alerts"])
    assert ran.err == ""
