"""Every feature of the catalogue, on both engines, over data that is hard to count: the engines must agree on each.

The Spark side runs on a real cluster of two workers (`spark_cluster`). Whatever is added to the catalogue is compared here without a
further line, and a feature that these data leave unknown everywhere fails, because then nothing has been compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fraud.domain.scans import Period
from fraud.errors import StorageError
from fraud.features.catalogue import FEATURES, Level
from fraud.features.engines import engine, spark, spark_tasks
from fraud.features.request import FeatureRequest
from fraud.features.table import FACT_COLUMNS, FeatureTable
from fraud.storage.lake import ParquetLake
from tests.cli.commands import Ran, fraud, fraud_process, sentence_of

from .programs import DAY, START, Rows, exits_of
from .spark_cluster import spark_cluster, spark_environment

TOLERANCE: dict[str, float] = {}
"""By how much a feature may differ between the engines, absolutely. None may: both count with the same kernels, in integers where it can
be, and form sums of fractions in an order that the events decide."""

LEVELS: tuple[Level, ...] = ("affiliate", "sub_id")
TABLES = ("values", "support", "facts")
STALLS, VISITORS = 24, 60
AGENTS = ("Mozilla/5.0 Chrome/126", "Mozilla/5.0 Firefox/127", "curl/8.4", "Mozilla/5.0 (compatible; Googlebot/2.1)", "", "Ünïcode/1 ☃")
NAMES = ("plain", "Ünïcödé 🦊", 'o\'brien "q" \\', "a;b,c\td", "İstanbul", "z" * 300)
SUBS = ("s", "S", "ß", "🦊", "", " ")
ADDRESSES = (
    "192.0.2.7",
    "2001:db8::1",
    "2001:DB8:0:0::2",
    "10.0.0.300",
    "not an address",
    "198.51.100.9",
    "5.3.0.7",
    "5.6.0.8",
    "5.7.0.9",
    "2400:1::9",
)
PAGES = ("https://www.mine.example/1?gclid=x", "//Blog.MINE.example", "http://пример.рф/", "http://[2001:db8::5]:80/", "mine.example", "")
LANDINGS = ("https://shop.example/?gclid=1", "https://shop.example/?q=a&fbclid=2#f", "https://shop.example/", "")

EARLY, SPARSE, LONE, SOLD, FAIR = START, START + 10 * DAY, START + 20 * DAY, START + 30 * DAY, START + 50 * DAY
"""When the program is busy, when it fills hardly a column, when it has one click, when it only sells, when many affiliates compare."""

BUSY = tuple(Period(start=EARLY + begin * DAY, end=EARLY + end * DAY) for begin, end in ((0, 1), (0.5, 3), (1, 4), (-5, 6)))
QUIET = tuple(Period(start=start - DAY, end=start + DAY) for start in (SPARSE, LONE, SOLD, SOLD + 40 * DAY))
MANY = Period(start=FAIR, end=FAIR + DAY)
REQUEST = FeatureRequest(affiliate=(*BUSY, *QUIET, MANY), sub_id=(*BUSY[1:], *QUIET, MANY))

EXITS = exits_of(("hosting", "5.3.0.0/16\n2400:1::/32"), ("vpn", "5.6.0.0/24"), ("tor", "5.7.0.9"))

Tables = Mapping[Level, FeatureTable]
Both = tuple[Tables, Tables]


def _rarely(rng: np.random.Generator, values: tuple[Any, ...], missing: float = 0.25) -> Any:
    return None if rng.random() < missing else values[rng.integers(len(values))]


def _click(rng: np.random.Generator, number: int) -> dict[str, Any]:
    """A click on a grid of ten seconds, so that many fall together; devices and addresses are few, so that they repeat."""
    return {
        "click_id": f"c{number}",
        "clicked_at": EARLY + timedelta(seconds=10 * int(rng.integers(4 * 8640) ** rng.choice([1.0, 0.8]))),
        "affiliate_id": NAMES[rng.integers(len(NAMES))],
        "offer_id": _rarely(rng, ("o", "o2", "Ω"), 0.1),
        "sub_id": _rarely(rng, SUBS),
        "ip": _rarely(rng, (*ADDRESSES, *(f"203.0.113.{n}" for n in range(4)))),
        "user_agent": _rarely(rng, AGENTS),
        "device_id": _rarely(rng, tuple(f"d{n}" for n in range(25))),
        "country": _rarely(rng, ("DE", "FR", "JP")),
        "referrer": _rarely(rng, PAGES),
        "landing_url": _rarely(rng, LANDINGS),
        "dwell_ms": _rarely(rng, (0, 1999, 2000, 60_000)),
        "js_executed": _rarely(rng, (True, False)),
    }


def _conversion(rng: np.random.Generator, number: int, click: dict[str, Any]) -> dict[str, Any]:
    converted = click["clicked_at"] + timedelta(seconds=float(rng.choice([-1, 0, 5, 30, 200, 4000, 90_000])) * rng.uniform(0.9, 1.1))
    return {
        "conversion_id": f"v{number}",
        "converted_at": converted.replace(second=0, microsecond=0) if rng.random() < 0.3 else converted,
        "affiliate_id": click["affiliate_id"],
        "click_id": _rarely(rng, (click["click_id"], click["click_id"], click["click_id"], "never seen")),
        "offer_id": _rarely(rng, (click["offer_id"],)),
        "sub_id": _rarely(rng, (click["sub_id"],), 0.5),
        "goal": _rarely(rng, ("sale", "lead")),
        "customer_id": _rarely(rng, tuple(f"k{n}" for n in range(40)), 0.5),
        "customer_email": _rarely(rng, tuple(f"e{n}" for n in range(40)), 0.5),
        "customer_email_kind": _rarely(rng, ("free", "disposable", "own")),
        "customer_phone": _rarely(rng, tuple(f"t{n}" for n in range(40)), 0.7),
        "new_customer": _rarely(rng, (True, False)),
        "ip": _rarely(rng, ADDRESSES),
        "device_id": _rarely(rng, tuple(f"d{n}" for n in range(25))),
        "country": _rarely(rng, ("DE", "FR", "JP")),
        "form_ms": _rarely(rng, (100, 2999, 3000, 60_000)),
        "amount": _rarely(rng, (Decimal("10.0001"), Decimal("39.99"), Decimal(0), Decimal("-5.5"))),
        "commission": _rarely(rng, (Decimal("1.5"), Decimal("0.3333"))),
        "currency": _rarely(rng, ("EUR", "EUR", "JPY"), 0.1),
        "status": _rarely(rng, ("approved", "pending", "rejected", "refunded", "chargeback")),
        "status_changed_at": _rarely(rng, (converted, converted + timedelta(days=2), converted + timedelta(days=9))),
    }


def _visit(rng: np.random.Generator, number: int, click: dict[str, Any]) -> dict[str, Any]:
    """A report of a landing page: some long before or after the click, some with times that contradict each other."""
    return {
        "visit_id": f"r{number}",
        "seen_at": click["clicked_at"] + timedelta(seconds=float(rng.choice([-61, -60, -5, 1, 3, 30, 900, 3599, 3600, 90_000]))),
        "click_id": _rarely(rng, (click["click_id"],), 0.05) or "of nobody",
        "final": _rarely(rng, (True, True, False)),
        "webdriver": _rarely(rng, (True, False)),
        "viewport_width": _rarely(rng, (0, 9, 10, 390, 5_000)),
        "viewport_height": _rarely(rng, (0, 844, 9_000), 0.1),
        "screen_width": _rarely(rng, (390, 1_920), 0.1),
        "screen_height": _rarely(rng, (844, 1_080), 0.1),
        "elapsed_ms": _rarely(rng, (0, 800, 30_000, 62_000, 5_000_000)),
        "visible_ms": _rarely(rng, (0, 0, 900, 1_051, 30_000), 0.1),
        "response_ms": _rarely(rng, (5, 120, 700)),
        "interactive_ms": _rarely(rng, (300, 400, 450)),
        "first_input_ms": _rarely(rng, (1, 900, 40_000), 0.6),
        "pointer_moves": _rarely(rng, (0, 0, 12), 0.1),
        "other_inputs": _rarely(rng, (0, 0, 3), 0.1),
    }


def _crowd(rng: np.random.Generator) -> Rows:
    """An address that many people share, another that a machine stands behind, and offers stacked on one device."""
    shared = [
        _click(rng, 10_000 + n) | {"ip": "203.0.113.200", "device_id": f"m{n}", "user_agent": f"Mozilla/5.0 Phone/{n % 20}"}
        for n in range(120)
    ]
    machine = [
        _click(rng, 20_000 + n)
        | {"clicked_at": EARLY + timedelta(hours=6, seconds=15 * n), "ip": "203.0.114.1", "user_agent": "curl/8.4", "offer_id": "o"}
        for n in range(80)
    ]
    stacked = [
        _click(rng, 30_000 + n)
        | {"clicked_at": EARLY + timedelta(hours=5, seconds=n // 3), "device_id": "stack", "offer_id": f"o{n % 3}", "affiliate_id": "plain"}
        for n in range(30)
    ]
    return [*shared, *machine, *stacked]


def _quiet(rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Clicks with nothing but what is required, one click alone, and sales of which no click is known."""
    bare = [
        {"click_id": f"b{n}", "clicked_at": SPARSE + timedelta(seconds=n), "affiliate_id": NAMES[n % 2], "country": None} for n in range(12)
    ]
    lone = [_click(rng, 40_000) | {"clicked_at": LONE}]
    sold = [_conversion(rng, 50_000 + n, _click(rng, 0)) | {"converted_at": SOLD + timedelta(minutes=n // 4)} for n in range(12)]
    return [*bare, *lone], sold


def _fair(rng: np.random.Generator) -> tuple[Rows, Rows]:
    """As many affiliates as an envelope of earnings needs, each with visitors enough; one's buyers bring far more."""
    clicks: Rows = [
        _click(rng, 70_000 + n)
        | {"clicked_at": FAIR + timedelta(seconds=n), "affiliate_id": f"stall {n % STALLS}", "offer_id": "o", "device_id": f"f{n}"}
        for n in range(STALLS * VISITORS)
    ]
    sales: Rows = [
        _conversion(rng, 70_000 + n, click)
        | {"converted_at": click["clicked_at"] + timedelta(minutes=5), "device_id": click["device_id"], "offer_id": "o", "currency": "EUR"}
        | {"commission": Decimal(40) if click["affiliate_id"] == "stall 3" else Decimal(1) + Decimal(n % 7) / 10}
        for n, click in enumerate(click for click in clicks if rng.random() < 0.2)
    ]
    return clicks, sales


PEOPLE: Rows = [
    {"affiliate_id": name, "email": f"e{n}", "phone": f"t{n}", "signup_ip": ADDRESSES[n], "signup_device_id": f"d{n}"}
    | {"websites": [["mine.example"], ["http://xn--e1afmkfd.xn--p1ai"], None, []][n % 4], "affiliate_type": [None, "content"][n % 2]}
    | {"joined_at": EARLY - n * DAY}
    for n, name in enumerate(NAMES)
]
OFFERS: Rows = [
    {"offer_id": "o", "countries": ["DE", "XX"], "attribution_window_hours": 24, "allows_paid_search": False},
    {"offer_id": "Ω", "countries": [], "attribution_window_hours": None, "allows_paid_search": False},
]


def _append(lake: ParquetLake, kind: str, rows: Rows, at: datetime, program: str = "p") -> None:
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    lake.append(kind, program, pa.table(columns), at)


def _awkward_lake(folder: Path) -> ParquetLake:
    """The program `p`, which came in several batches and was corrected since, beside another one."""
    rng = np.random.default_rng(11)
    lake = ParquetLake(folder)
    made = [_click(rng, number) for number in range(700)]
    sold = [_conversion(rng, number, made[rng.integers(len(made))]) for number in range(260)]
    bare, lonely = _quiet(rng)
    named = [click for sale in sold for click in made if click["click_id"] == sale["click_id"]]
    apart = np.random.default_rng(12)
    seen = [_visit(apart, number, click) for number, click in enumerate([*made, *made[:200], *named])]
    away = timezone(timedelta(hours=5, minutes=45))
    far = [_click(rng, 60_000 + n) for n in range(40)]
    _append(lake, "affiliates", PEOPLE, START)
    _append(lake, "offers", OFFERS, START)
    _append(lake, "clicks", [*made, *_crowd(rng)], START)
    _append(lake, "clicks", [row | {"clicked_at": row["clicked_at"].astimezone(away)} for row in far], START)
    _append(lake, "clicks", bare, START)
    _append(lake, "conversions", [*sold, *lonely], START)
    fair, at_the_fair = _fair(np.random.default_rng(13))
    _append(lake, "clicks", fair, START)
    _append(lake, "conversions", at_the_fair, START)
    _append(lake, "visits", seen, START)
    _append(lake, "visits", [row | {"final": True, "pointer_moves": 40} for row in seen[:30]], START + 3 * DAY)
    _correct(lake, made, sold)
    _append(lake, "clicks", [row | {"affiliate_id": "other's", "sub_id": "other's"} for row in made[:50]], START, "q")
    return lake


def _correct(lake: ParquetLake, made: Rows, sold: Rows) -> None:
    """Later versions: late news of conversions, one that moves to another day, clicks that changed, and two that came at one moment."""
    refunded = [row | {"status": "refunded", "status_changed_at": row["converted_at"] + 3 * DAY} for row in sold[:60]]
    moved = [row | {"converted_at": row["converted_at"] + 2 * DAY, "amount": Decimal(7)} for row in sold[60:70]]
    _append(lake, "conversions", [*refunded, *moved], START + 2 * DAY)
    _append(lake, "clicks", [row | {"country": "JP", "sub_id": "changed"} for row in made[:40]], START + 3 * DAY)
    for country in ("US", "BR"):
        _append(lake, "clicks", [row | {"country": country} for row in made[40:60]], START + 4 * DAY)
        _append(lake, "conversions", [row | {"country": country, "goal": country} for row in sold[80:100]], START + 4 * DAY)


def _computed(lake: ParquetLake, request: FeatureRequest = REQUEST, **bounds: datetime) -> Both:
    with closing(lake.connect("p", **bounds)) as con:
        return engine("local", exits=EXITS)(con, request), engine("spark", exits=EXITS)(con, request)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Spark cluster on this machine."""
    with spark_cluster(tmp_path_factory.mktemp("spark")):
        yield


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> ParquetLake:
    """The awkward program, in a folder whose name means something to those who look for files by patterns."""
    return _awkward_lake(tmp_path_factory.mktemp("awkward") / "lake [a] {b} 100%?*")


@pytest.fixture(scope="session")
def both(cluster: None, awkward: ParquetLake) -> Both:
    """The tables of the local engine and those of Spark, which has the clicks in as many parts as a large program would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spark, "LEAST_ROWS", 100)
        return _computed(awkward)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_engines_agree_on_every_feature(both: Both, feature: Any, level: Level) -> None:
    if level not in feature.level:
        pytest.skip("the feature has no such level")
    local, distributed = (tables[level] for tables in both)
    tolerance = TOLERANCE.get(feature.name, 0.0)
    assert local.values[feature.name].nunique() > 1, "these data do not reach the feature: give them what it measures"
    for part in ("values", "support"):
        expected, found = getattr(local, part)[feature.name], getattr(distributed, part)[feature.name]
        pd.testing.assert_series_equal(found, expected, rtol=0.0, atol=tolerance, check_exact=tolerance == 0.0)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fact", FACT_COLUMNS)
def test_engines_agree_on_every_fact(both: Both, fact: str, level: Level) -> None:
    local, distributed = (tables[level].facts[fact] for tables in both)
    pd.testing.assert_series_equal(distributed, local, check_exact=True)


def _assert_same(both: Both) -> None:
    local, distributed = both
    assert local.keys() == distributed.keys()
    for level in local:
        assert local[level].hash == distributed[level].hash
        for part in TABLES:
            pd.testing.assert_frame_equal(getattr(distributed[level], part), getattr(local[level], part), check_exact=True)


def test_tolerances_are_of_features() -> None:
    assert TOLERANCE.keys() <= {feature.name for feature in FEATURES}


def test_the_data_are_awkward(both: Both) -> None:
    """What the comparison rests on: windows of one row, of clicks alone, of conversions alone, of nothing at all."""
    facts = both[0]["affiliate"].facts.groupby("window_start")[["clicks", "conversions"]].sum()
    assert facts.loc[[QUIET[0].start]].to_numpy().tolist() == [[12, 0]]
    assert facts.loc[[QUIET[1].start]].to_numpy().tolist() == [[1, 0]]
    assert facts.loc[[QUIET[2].start]].to_numpy().tolist() == [[0, 12]]
    assert QUIET[3].start not in facts.index
    assert "other's" not in both[1]["affiliate"].facts.index.get_level_values("affiliate_id")


def test_engines_agree_on_what_was_known_before_the_last_corrections(cluster: None, awkward: ParquetLake) -> None:
    windows = FeatureRequest(affiliate=BUSY[:2])
    _assert_same(_computed(awkward, windows, as_of=START + 3 * DAY + timedelta(hours=2), since=START + timedelta(hours=3)))


def test_engines_agree_where_small_sub_ids_have_no_rows(cluster: None, awkward: ParquetLake) -> None:
    both = _computed(awkward, FeatureRequest(affiliate=BUSY[:1], sub_id=BUSY[1:], least_clicks=9))
    assert len(both[0]["sub_id"]) > 20
    _assert_same(both)


def test_engines_agree_on_nothing(cluster: None, tmp_path: Path) -> None:
    _assert_same(_computed(ParquetLake(tmp_path), FeatureRequest(affiliate=BUSY, sub_id=BUSY)))


def test_workers_of_another_release_end_the_computation(cluster: None, awkward: ParquetLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_tasks, "release", lambda: spark_tasks.Release("of another kind", duckdb="0"))
    with closing(awkward.connect("p")) as con, pytest.raises(StorageError, match="Spark failed while reading") as failed:
        engine("spark")(con, FeatureRequest(affiliate=BUSY[:1]))
    assert failed.value.message.endswith("install the same on both.")


def test_a_cluster_that_is_not_there_is_said(tmp_path: Path) -> None:
    settings = {"FRAUD_ENGINE": "spark", "FRAUD_SPARK_MASTER": "no-such-scheme://x"}
    clicks = tmp_path / "clicks.csv"
    clicks.write_text("click_id,clicked_at,affiliate_id\n1,2026-03-01,a\n", encoding="utf-8")
    with spark_environment(tmp_path):
        ran = fraud_process("scan", clicks, "--workspace", tmp_path / "w", env=settings, cwd=tmp_path)
    assert sentence_of(ran).startswith("Spark does not start on no-such-scheme://x: ")


def _ranking(scanned: Ran) -> dict[str, list[tuple[object, ...]]]:
    assert scanned.code == 0, scanned.err
    told = ("affiliate_id", "sub_id", "rank", "score", "outcome", "alerted", "typologies", "clicks", "conversions", "commission")
    return {kind: [tuple(str(row.get(name)) for name in told) for row in scanned.json[kind]] for kind in ("affiliates", "sub_ids")}


def test_a_scan_ranks_alike_on_both_engines(program_folder: Path, tmp_path: Path) -> None:
    """As a user runs it: a Spark of its own, which is heard neither on stdout nor on stderr and leaves nothing behind."""
    files = ["scan", program_folder / "clicks.parquet", "--conversions", program_folder / "conversions.parquet", "--days", 3]
    files += ["--affiliates", program_folder / "affiliates.csv", "--offers", program_folder / "offers.csv", "--json", "--workspace"]
    local = fraud(*files, tmp_path / "local")
    with spark_environment(tmp_path):
        distributed = fraud_process(
            *files, tmp_path / "spark", env={"FRAUD_ENGINE": "spark", "FRAUD_SPARK_MASTER": "local[1]"}, cwd=tmp_path
        )
    assert _ranking(distributed) == _ranking(local)
    assert distributed.err == local.err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home", "local", "spark"]
