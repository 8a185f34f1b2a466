"""The whole: same seed, same bytes; the contract's columns; nothing that gives the truth away; clear complaints."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.errors import InputError
from fraud.simulation.program import SimulatedProgram, SimulationSpec, simulate
from fraud.simulation.scenarios import KINDS
from fraud.simulation.writing import write

CLICKS = {
    *("click_id", "clicked_at", "affiliate_id", "offer_id", "sub_id", "ip", "user_agent", "device_id", "country", "language"),
    *("referrer", "landing_url", "dwell_ms", "js_executed", "viewport"),
}
CONVERSIONS = {
    *("conversion_id", "converted_at", "affiliate_id", "click_id", "offer_id", "sub_id", "goal", "order_id", "customer_id"),
    *("customer_email", "new_customer", "ip", "user_agent", "device_id", "country", "form_ms", "amount", "commission", "currency"),
    *("coupon_code", "status", "status_changed_at"),
}
AFFILIATES = {
    *("affiliate_id", "name", "email", "phone", "country", "affiliate_type", "websites", "social_profiles", "traffic_sources"),
    *("payout_account", "tax_id", "signup_ip", "signup_device_id", "joined_at", "status", "group_id"),
}
TYPOLOGIES = {
    *("click_flooding", "bot_traffic", "cookie_stuffing", "last_click_hijack", "lead_fraud", "self_referral", "incentive_abuse"),
    *("conversion_injection", "collusion_ring", "sub_id_laundering", "click_replay", "referrer_laundering", "brand_bidding"),
    "ad_stacking",
}
SMALL = SimulationSpec(seed=7, affiliates=40, days=5, clicks_per_day=30, bad_share=0.3, hard_share=0.3)


def written(spec: SimulationSpec, out: Path) -> dict[str, str]:
    """The SHA-256 of every file of a program."""
    write(simulate(spec), out)
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in out.rglob("*") if path.is_file()}


def rows(query: str) -> list[tuple[Any, ...]]:
    """What another engine reads."""
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again = written(SMALL, tmp_path / "a"), written(SMALL, tmp_path / "b")
    assert first == again
    assert set(first) == {"clicks.parquet", "conversions.parquet", "affiliates.csv", "offers.csv", "calendar.csv", "truth/truth.json"}
    other = written(SimulationSpec(seed=8, affiliates=40, days=5, clicks_per_day=30), tmp_path / "c")
    assert other["clicks.parquet"] != first["clicks.parquet"]
    assert other["affiliates.csv"] != first["affiliates.csv"]


def test_the_tables_have_the_contracts_columns(program: SimulatedProgram) -> None:
    assert set(program.clicks.columns) == CLICKS
    assert set(program.conversions.columns) == CONVERSIONS
    assert set(program.affiliates.columns) == AFFILIATES
    assert set(program.calendar.columns) == {"starts_at", "ends_at", "kind", "affiliate_id", "offer_id"}
    assert {"offer_id", "payout_model", "attribution_window_hours", "landing_domains"} <= set(program.offers.columns)
    assert program.clicks["click_id"].is_unique
    assert program.conversions["conversion_id"].is_unique
    assert program.clicks[["click_id", "clicked_at", "affiliate_id"]].notna().all(axis=None)
    assert program.conversions[["conversion_id", "converted_at", "affiliate_id"]].notna().all(axis=None)


def test_every_event_lies_in_the_simulated_time(program: SimulatedProgram) -> None:
    end = datetime(2026, 3, 31, tzinfo=UTC)
    for times in (program.clicks["clicked_at"], program.conversions["converted_at"]):
        assert str(times.dtype) == "datetime64[us, UTC]"
        assert times.is_monotonic_increasing
        assert times.min() >= pd.Timestamp(end - timedelta(days=10))
        assert times.max() < pd.Timestamp(end)
    assert program.conversions["status_changed_at"].dropna().max() < pd.Timestamp(end)


def test_conversions_follow_their_clicks_and_agree_with_them(program: SimulatedProgram) -> None:
    known = program.conversions[program.conversions["click_id"].notna()]
    clicks = program.clicks.set_index("click_id").loc[known["click_id"]]
    assert (known["converted_at"].to_numpy() > clicks["clicked_at"].to_numpy()).all()
    for column in ("affiliate_id", "offer_id", "sub_id"):
        assert (known[column].astype("str").to_numpy() == clicks[column].astype("str").to_numpy()).all()


def test_money_is_decimal_with_two_places(program: SimulatedProgram) -> None:
    for column in ("amount", "commission"):
        values = program.conversions[column]
        assert all(isinstance(value, Decimal) and value.as_tuple().exponent == -2 and value > 0 for value in values)
    assert set(program.conversions["currency"]) == {"USD"}


def test_statuses_mature_with_time(honest: SimulatedProgram) -> None:
    conversions = honest.conversions
    old = conversions["converted_at"] < pd.Timestamp("2026-03-16", tz="UTC")
    assert set(conversions.loc[old, "status"].astype("str")) >= {"approved", "refunded", "rejected"}
    assert "pending" not in set(conversions.loc[old, "status"].astype("str"))
    assert (
        conversions.loc[~old & (conversions["converted_at"] > pd.Timestamp("2026-03-18", tz="UTC")), "status"] == "pending"
    ).mean() > 0.9
    assert (conversions["status_changed_at"].isna() == (conversions["status"] == "pending")).all()


def test_the_files_read_back_as_plain_columns(tmp_path: Path) -> None:
    program = simulate(SMALL)
    write(program, tmp_path)
    types = dict(rows(f"select column_name, column_type from (describe select * from '{tmp_path}/clicks.parquet')"))
    assert types["clicked_at"] == "TIMESTAMP WITH TIME ZONE"
    assert {types[name] for name in ("click_id", "affiliate_id", "referrer", "ip", "user_agent")} == {"VARCHAR"}
    assert (types["dwell_ms"], types["js_executed"]) == ("BIGINT", "BOOLEAN")
    money = rows(f"select typeof(commission), sum(commission) from '{tmp_path}/conversions.parquet' group by 1")
    assert money == [("DECIMAL(14,2)", sum(program.conversions["commission"]))]
    affiliates = pd.read_csv(tmp_path / "affiliates.csv", dtype=str)
    assert affiliates["joined_at"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
    assert set(pd.read_csv(tmp_path / "offers.csv", dtype=str)["allows_paid_search"]) == {"true", "false"}


def test_the_truth_has_the_contracts_shape_and_adds_up(program: SimulatedProgram, tmp_path: Path) -> None:
    write(program, tmp_path)
    truth = json.loads((tmp_path / "truth" / "truth.json").read_text())
    members = {one.affiliate_id: one.ring_id for one in program.truth.affiliates if one.ring_id}
    assert {(member, ring["ring_id"]) for ring in truth["rings"] for member in ring["affiliate_ids"]} == set(members.items())
    launderers = {one.affiliate_id for one in program.truth.affiliates if one.typology == "sub_id_laundering"}
    assert {row["affiliate_id"] for row in truth["sub_ids"]} == launderers
    rows = pd.DataFrame(truth["affiliates"])
    assert set(rows["affiliate_id"]) == set(program.affiliates["affiliate_id"])
    assert rows["bad"].sum() == round(0.3 * 200)
    assert set(rows.loc[rows["bad"], "typology"]) == TYPOLOGIES
    assert rows.loc[~rows["bad"], "typology"].isna().all()
    assert set(rows.loc[~rows["bad"], "fraud_commission"]) == {"0.00"}
    assert set(rows["kind"]) == {"ordinary", *(kind.name for kind in KINDS)}
    earned = program.conversions.groupby(program.conversions["affiliate_id"].astype("str"))["commission"].sum()
    for one in program.truth.affiliates:
        assert Decimal(0) <= one.fraud_commission <= earned.get(one.affiliate_id, Decimal(0))
    assert sum(one.fraud_commission for one in program.truth.affiliates) > 0


def test_half_of_a_kind_begins_at_the_start_and_half_around_the_window() -> None:
    program = simulate(SimulationSpec(affiliates=40, days=31, clicks_per_day=2, bad_share=0.5, hard_share=0.0))
    onsets = pd.Series([one.onset for one in program.truth.affiliates if one.bad and one.onset])
    first, window = datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=UTC)
    assert (onsets == first).sum() == 10
    assert (onsets > first).sum() == 10
    assert onsets[onsets > first].between(window - timedelta(days=2), window).all()


def test_the_order_and_the_ids_of_the_tables_do_not_give_the_truth_away() -> None:
    program = simulate(SimulationSpec(seed=21, affiliates=400, days=3, clicks_per_day=3, bad_share=0.5, hard_share=0.0))
    bad = np.array([one.bad for one in program.truth.affiliates])
    assert program.affiliates["affiliate_id"].is_monotonic_increasing
    for half in (bad[:200], bad[200:], bad[::2], bad[1::2]):
        assert abs(half.mean() - 0.5) < 0.08
    parity = program.affiliates["affiliate_id"].str[-1].astype(int).to_numpy() % 2 == 0
    assert abs(bad[parity].mean() - bad[~parity].mean()) < 0.15
    joined = pd.to_datetime(program.affiliates["joined_at"]).rank().to_numpy()
    assert abs(joined[bad].mean() - joined[~bad].mean()) < 0.1 * len(bad)


@pytest.mark.parametrize("column", ["affiliate_id", "name", "email", "websites", "status", "tax_id", "payout_account"])
def test_no_affiliate_column_names_a_kind(program: SimulatedProgram, column: str) -> None:
    words = {word for kind in KINDS for word in (kind.name, kind.code.lower(), kind.typology) if word}
    text = " ".join(program.affiliates[column].dropna().astype(str)).lower()
    assert not [word for word in words if word in text.split()]
    assert program.affiliates["status"].nunique() == 1


def test_click_ids_keep_no_order_of_time(program: SimulatedProgram) -> None:
    ids = program.clicks["click_id"].map(lambda text: int(text[:12], 16)).to_numpy(dtype=float)
    assert abs(np.corrcoef(ids, np.arange(len(ids)))[0, 1]) < 0.02


def test_labels_are_right_and_older_than_the_window(program: SimulatedProgram) -> None:
    truth = {one.affiliate_id: one for one in program.truth.affiliates}
    assert len(program.labels) == 0.4 * 200
    assert set(program.labels["label"]) == {"bad", "good"}
    assert all(
        (label == "bad") == truth[affiliate].bad for affiliate, label in program.labels[["affiliate_id", "label"]].itertuples(index=False)
    )
    assert (program.labels["labelled_at"] < pd.Timestamp("2026-03-28", tz="UTC")).all()


def test_labels_are_biased_as_reviewers_are_and_a_third_is_random() -> None:
    program = simulate(SimulationSpec(seed=2, affiliates=1000, days=31, clicks_per_day=0.2, reviewed_share=0.12))
    truth = {one.affiliate_id: one for one in program.truth.affiliates}
    reviewed = [truth[affiliate] for affiliate in program.labels["affiliate_id"]]
    assert len(reviewed) == 120
    assert sum(one.bad for one in reviewed) / 120 > 3 * 0.05
    assert sum(one.kind == "ordinary" for one in reviewed) > 30
    assert not any(one.bad and one.onset is not None and one.onset > datetime(2026, 3, 24, tzinfo=UTC) for one in reviewed)


def test_what_is_pending_and_what_comes_back_are_parts_of_the_fraud(program: SimulatedProgram) -> None:
    told = [one for one in program.truth.affiliates if one.bad]
    assert all(Decimal(0) <= one.fraud_returned <= one.fraud_pending <= one.fraud_commission for one in told)
    assert 0 < sum(one.fraud_returned for one in told) < sum(one.fraud_pending for one in told)


def test_every_fraud_begins_when_asked() -> None:
    program = simulate(SimulationSpec(affiliates=400, days=10, clicks_per_day=1, onset_days=2.5, hard_share=0))
    assert {one.onset for one in program.truth.affiliates if one.bad} == {datetime(2026, 3, 28, 12, tzinfo=UTC)}


def test_an_agency_is_declared_paid_as_one_and_no_ring() -> None:
    program = simulate(SimulationSpec(affiliates=90, days=3, clicks_per_day=5, kinds=("L12",), bad_share=0, hard_share=0.1))
    table = program.affiliates.set_index("affiliate_id")
    actors = [one for one in program.truth.affiliates if one.kind == "agency"]
    assert all(one.ring_id is None and not one.bad for one in actors)
    groups = table.loc[[one.affiliate_id for one in actors]].groupby("group_id")
    assert sum(len(members) for _, members in groups) == len(actors) == 9
    assert (groups["payout_account"].nunique() == 1).all()
    assert program.truth.rings == ()


def test_an_unwritable_folder_is_a_clear_complaint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="Choose a folder that can be written to"):
        write(simulate(SimulationSpec(affiliates=2, days=3, clicks_per_day=5)), tmp_path / "file")


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    program = simulate(SMALL, progress=lambda done, total, _text: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    told.clear()
    write(program, tmp_path, progress=lambda done, total, _text: told.append((done, total)))
    assert told[-1] == (6, 6)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"affiliates": 0}, "affiliates is 0"),
        ({"days": 0}, "days is 0"),
        ({"days": 2, "window_days": 3}, "window_days is 3"),
        ({"clicks_per_day": -1.0}, "clicks_per_day is -1.0"),
        ({"clicks_per_day": float("nan")}, "clicks_per_day is nan"),
        ({"bad_share": 1.5}, "bad_share is 1.5"),
        ({"bad_share": 0.6, "hard_share": 0.6}, "together"),
        ({"intensity": 0.0}, "intensity is 0.0"),
        ({"seed": -1}, "seed is -1"),
        ({"onset_days": 40.0}, "onset_days is 40.0"),
        ({"laws": "gaussian"}, "no laws 'gaussian'; choose from lognormal, hawkes"),
        ({"reviewed_share": 2.0}, "reviewed_share is 2.0"),
        ({"kinds": ("click_food",)}, "no kind 'click_food'; choose from .*click_flood"),
    ],
)
def test_a_spec_that_cannot_be_simulated_says_why(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        simulate(SimulationSpec(**wrong))


def test_kinds_may_be_named_by_their_code() -> None:
    program = simulate(SimulationSpec(affiliates=20, days=3, clicks_per_day=5, kinds=("F02", "l05"), bad_share=0.2, hard_share=0.2))
    assert {one.kind for one in program.truth.affiliates} == {"ordinary", "bot_dc", "tiny_new"}


@settings(max_examples=15, deadline=None)
@given(
    affiliates=st.integers(1, 12),
    days=st.integers(1, 6),
    clicks=st.floats(0.01, 20),
    bad=st.floats(0, 0.5),
    hard=st.floats(0, 0.5),
    hour=st.integers(0, 23),
    seed=st.integers(0, 2**32),
)
def test_any_small_spec_gives_whole_tables(
    affiliates: int, days: int, clicks: float, bad: float, hard: float, hour: int, seed: int
) -> None:
    end = datetime(2026, 3, 31, hour, tzinfo=UTC)
    spec = SimulationSpec(seed, affiliates, days, clicks, bad, hard, window_days=1, ends_at=end)
    program = simulate(spec)
    assert len(program.affiliates) == len(program.truth.affiliates) == affiliates
    assert program.clicks["clicked_at"].between(pd.Timestamp(end - timedelta(days=days)), pd.Timestamp(end), inclusive="left").all()
    assert set(program.conversions["click_id"].dropna()) <= set(program.clicks["click_id"])
    assert {field.name for field in fields(program)} >= {"clicks", "conversions", "truth"}
