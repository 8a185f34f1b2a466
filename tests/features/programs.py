"""Small programs for the tests of features: rows by hand or by a seeded chance, in a lake of their own."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from fraud.domain.scans import Period
from fraud.enrichment.building import build
from fraud.enrichment.exits import ExitClasses
from fraud.enrichment.networks import load
from fraud.enrichment.sources import KeptSource, Source
from fraud.features.catalogue import Level
from fraud.features.engines import engine
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable
from fraud.storage.lake import ParquetLake

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = Period(start=START, end=START + DAY)

Rows = list[dict[str, Any]]


def clicks(affiliate: str, count: int, every: float = 60.0, **values: Any) -> Rows:
    """Clicks of one affiliate, `every` so many seconds from the window's start; a callable value is asked for each number."""
    return [
        {"click_id": f"{affiliate}-{n}", "clicked_at": START + timedelta(seconds=every * n), "affiliate_id": affiliate, "offer_id": "o"}
        | {name: value(n) if callable(value) else value for name, value in values.items()}
        for n in range(count)
    ]


def conversions(affiliate: str, count: int, every: float = 600.0, **values: Any) -> Rows:
    """Conversions of one affiliate, as `clicks`."""
    return [
        {"conversion_id": f"{affiliate}-{n}", "converted_at": START + timedelta(hours=1, seconds=every * n), "affiliate_id": affiliate}
        | {"offer_id": "o"}
        | {name: value(n) if callable(value) else value for name, value in values.items()}
        for n in range(count)
    ]


def lake_of(folder: Path, **tables: Rows) -> ParquetLake:
    """A lake that holds these rows under the program `p`."""
    lake = ParquetLake(folder)
    for kind, rows in tables.items():
        columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
        lake.append(kind, "p", pa.table(columns), START)
    return lake


def features_of(
    lake: ParquetLake, *windows: Period, level: Level = "affiliate", exits: ExitClasses | None = None, **bounds: datetime
) -> FeatureTable:
    """Features of the windows (the first day by default), over what the bounds let through."""
    request = FeatureRequest.at(level, windows or (WINDOW,))
    with closing(lake.connect("p", **bounds)) as con:
        return engine("local", exits=exits)(con, request)[level]


def exits_of(*lists: tuple[str, str]) -> ExitClasses:
    """Tables of networks made of lists: a class and its ranges, line by line."""
    given = [Source(id=gives, title=gives, gives=gives, licence="CC0 1.0") for gives, _ in lists]
    sources = [KeptSource(source=one, origin="here", fetched_at=START, sha256=("0" * 64,)) for one in given]
    made = build([(source, [text.encode()]) for source, (_, text) in zip(sources, lists, strict=True)], START)
    with TemporaryDirectory() as folder:
        for name, data in made.files.items():
            (Path(folder) / name).write_bytes(data)
        return load(Path(folder)).exits


def one(table: FeatureTable, affiliate: str) -> pd.Series[Any]:
    """One affiliate's values in the only window."""
    return cast("pd.Series[Any]", table.window(START).values.loc[affiliate])


def chance_program(seed: int, days: int) -> dict[str, Rows]:
    """A program of eight affiliates over some days in which every column is used."""
    rng = np.random.default_rng(seed)
    agents = ["Mozilla/5.0 Chrome/126", "Mozilla/5.0 Firefox/127", "curl/8.4", "Mozilla/5.0 Safari/604"]
    made = [_chance_click(rng, number, days, agents) for number in range(900)]
    sold = [_chance_conversion(rng, number, click) for number, click in enumerate(made) if rng.random() < 0.25]
    people = [{"affiliate_id": f"a{n}", "email": f"e{n}", "signup_ip": f"10.0.0.{n}", "websites": ["https://x.example"]} for n in range(8)]
    return {"clicks": made, "conversions": sold, "affiliates": people, "offers": [{"offer_id": "o0", "countries": ["DE", "AT"]}]}


def _chance_click(rng: np.random.Generator, number: int, days: int, agents: list[str]) -> dict[str, Any]:
    return {
        "click_id": f"c{number}",
        "clicked_at": START + timedelta(seconds=int(rng.integers(days * 86_400))),
        "affiliate_id": f"a{rng.integers(8)}",
        "offer_id": f"o{rng.integers(2)}",
        "sub_id": f"s{rng.integers(3)}",
        "ip": f"10.0.0.{rng.integers(30)}",
        "user_agent": agents[rng.integers(4)],
        "device_id": f"d{rng.integers(60)}",
        "country": ["DE", "FR"][rng.integers(2)],
        "referrer": ["https://x.example/1", "https://y.example/2"][rng.integers(2)],
        "dwell_ms": int(rng.integers(10_000)),
        "js_executed": bool(rng.integers(2)),
    }


def _chance_conversion(rng: np.random.Generator, number: int, click: dict[str, Any]) -> dict[str, Any]:
    converted = click["clicked_at"] + timedelta(seconds=int(rng.lognormal(7, 2)))
    return {
        "conversion_id": f"v{number}",
        "converted_at": converted,
        "affiliate_id": click["affiliate_id"],
        "click_id": [click["click_id"], None][int(rng.random() < 0.1)],
        "offer_id": click["offer_id"],
        "sub_id": click["sub_id"],
        "customer_id": f"k{rng.integers(80)}",
        "customer_email": f"e{rng.integers(80)}",
        "customer_email_kind": ["free", "disposable"][rng.integers(2)],
        "new_customer": bool(rng.integers(2)),
        "ip": click["ip"],
        "amount": round(float(rng.lognormal(3, 1)), 2),
        "commission": 1.5,
        "currency": "EUR",
        "status": ["approved", "refunded"][rng.integers(2)],
        "status_changed_at": converted + timedelta(days=float(rng.exponential(1.5))),
    }
