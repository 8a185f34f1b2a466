"""The Spark engine where no cluster is needed: what must be installed, what is said when it is not, what travels to workers and back."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from fraud.app.examining import examine
from fraud.app.parts import App
from fraud.domain.scans import Period
from fraud.domain.tables import CLICKS, TABLES
from fraud.errors import InputError
from fraud.features.engines import engine, spark_lake, spark_session, spark_tallies, spark_tasks
from fraud.features.request import FeatureRequest
from fraud.features.tallies import HOURS, KNOWN, OTHERS, TALLIES, ClickTallies
from fraud.settings import Settings
from fraud.storage.lake import ParquetLake

from .programs import DAY, START, clicks, lake_of

WANTED = FeatureRequest(affiliate=(Period(start=START, end=START + DAY),))


def _java(folder: Path, says: str) -> dict[str, str]:
    """An environment with a Java that says something about itself."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("says", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ("nothing that is understood", None),
    ],
)
def test_the_version_of_java_is_read(tmp_path: Path, says: str, major: int | None) -> None:
    found = spark_session.find_java(_java(tmp_path, says))
    assert found is not None
    assert found.major == major


def test_the_java_of_java_home_comes_first(tmp_path: Path) -> None:
    environment = _java(tmp_path, 'openjdk version "21" 2023-09-19')
    assert spark_session.find_java(environment | {"JAVA_HOME": str(tmp_path / "nowhere")}) is None


class TestWhatIsMissing:
    @pytest.fixture
    def _pyspark(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """PySpark is taken to be there."""
        monkeypatch.setattr(spark_session, "pyspark_version", lambda: "4.0.0")

    @pytest.mark.usefixtures("_pyspark")
    def test_no_java(self, tmp_path: Path) -> None:
        assert "needs Java 17 or later, and none was found: install one" in str(spark_session.missing({"PATH": str(tmp_path)}))

    @pytest.mark.usefixtures("_pyspark")
    def test_an_old_java(self, tmp_path: Path) -> None:
        said = spark_session.missing(_java(tmp_path, 'openjdk version "11.0.1" 2018-10-16'))
        assert said is not None
        assert "java is Java 11: install one" in said

    @pytest.mark.usefixtures("_pyspark")
    def test_nothing(self, tmp_path: Path) -> None:
        assert spark_session.missing(_java(tmp_path, 'openjdk version "17.0.15" 2025-04-15')) is None

    def test_no_pyspark(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        with closing(lake_of(tmp_path, clicks=clicks("a", 2)).connect("p")) as con, pytest.raises(InputError, match="pip install"):
            engine("spark")(con, WANTED)

    @pytest.mark.parametrize(("chosen", "state"), [("spark", "failing"), ("local", "ok")])
    def test_the_doctor_says_so_and_minds_only_when_spark_is_wanted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, state: str
    ) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        app = App(Settings(workspace=tmp_path, engine=chosen, _env_file=None))  # type: ignore[call-arg,arg-type]  # pydantic's own, one of two
        with closing(app):
            found = next(finding for finding in examine(app) if finding.name == "spark")
        assert found.state == state
        assert "pip install 'affiliate-fraud[spark]'" in found.text


def test_events_outside_a_lake_are_refused() -> None:
    with closing(duckdb.connect()) as con, pytest.raises(InputError, match="reads the files of a lake"):
        engine("spark")(con, WANTED)


def test_a_connection_says_what_its_views_are_made_of(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, clicks=clicks("o'brien", 2))
    lake_of(tmp_path, clicks=clicks("o'brien", 2, country="DE"))
    with closing(lake.connect("p", as_of=START + DAY, until=START + DAY / 2)) as con:
        found = spark_lake.sources(con)
    assert found.keys() == {"clicks", "conversions", "visits"}
    source = found["clicks"]
    assert sorted(source.files) == sorted(str(file) for file in lake.all_files(CLICKS, "p"))
    assert len(source.again) == 1
    assert source.known == "ingested_at <= TIMESTAMP '2026-03-02 00:00:00'"
    assert source.inside == "clicked_at < TIMESTAMP '2026-03-01 12:00:00'"


@pytest.mark.parametrize("kind", ["clicks", "conversions"])
def test_every_column_of_the_lake_has_a_type_in_spark(tmp_path: Path, kind: str) -> None:
    with closing(ParquetLake(tmp_path).connect("p")) as con:
        schema = spark_lake.schema_of(spark_lake.sources(con)[kind])
    assert [field.split(" ")[0] for field in schema.split(", ") if not field[0].isdigit()][:-2] == [
        column.name for column in TABLES[kind].columns if column.name != "program_id"
    ]


def test_a_worker_of_another_release_refuses() -> None:
    spark_tasks.agreed(spark_tasks.release())
    with pytest.raises(RuntimeError, match="install the same on both"):
        spark_tasks.agreed(spark_tasks.release()._replace(duckdb="0.1"))


@pytest.mark.parametrize("entities", [0, 1, 7, 8, 25])
def test_tallies_arrive_as_they_left(monkeypatch: pytest.MonkeyPatch, entities: int) -> None:
    """In pieces, with sub-IDs numbered by partition: put together they are the same, numbered among all."""
    monkeypatch.setattr(spark_tallies, "ENTITIES_A_ROW", 4)
    rng = np.random.default_rng(entities)
    texts = pa.array(["", "A", "a", "ß", "🦊"])
    keys = np.column_stack([rng.integers(0, 3, (entities, 2)), rng.integers(OTHERS, 5, entities)])
    pairs = np.sort(rng.integers(0, max(entities, 1), (3 * entities, 3)), axis=0)
    numbers = rng.random((entities, len(TALLIES) + HOURS))
    sent = ClickTallies(keys, numbers[:, : len(TALLIES)], numbers[:, len(TALLIES) :], pairs, pairs, rng.integers(0, 9, (2, len(KNOWN))))
    rows = [spark_tallies._packed(part, texts) for part in spark_tallies._parts(sent)]
    parts, known = spark_tallies.read_clicks(pa.Table.from_pylist(rows, schema=spark_tasks.arrow_schema(spark_tallies.TALLIED)))
    before = np.cumsum([0, *(len(part.keys) for part in parts)])
    arrived = np.concatenate([part.keys for part in parts])
    assert arrived[:, :2].tolist() == keys[:, :2].tolist()
    assert [known[code].as_py() if code >= 0 else code for code in arrived[:, 2].tolist()] == [
        texts[code].as_py() if code >= 0 else code for code in keys[:, 2].tolist()
    ]
    assert np.concatenate([part.tallies for part in parts]).tolist() == sent.tallies.tolist()
    offers = np.concatenate([part.offers + np.array([first, 0, 0]) for part, first in zip(parts, before[:-1], strict=True)])
    assert offers.tolist() == pairs.tolist()
    assert np.sum([part.known for part in parts], axis=0).tolist() == sent.known.tolist()


def test_why_something_failed_is_one_sentence() -> None:
    worker = 'An exception was thrown\n  File "a.py", line 3, in x\n    boom()\nRuntimeError: This worker is old.\n\nJVM stacktrace'
    assert spark_session.reason_in(worker) == "RuntimeError: This worker is old."
    assert spark_session.reason_in("org.apache.spark.SparkException: no master\n\tat x") == "org.apache.spark.SparkException: no master."
