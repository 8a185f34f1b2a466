"""A real Spark for tests: two workers of one core each, in processes of their own, on loopback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from fraud.features.engines.spark_session import missing, spark_session

MASTER = "local-cluster[2,1,1024]"

_DEFAULTS = """
spark.driver.extraJavaOptions   -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.task.maxFailures          1
"""
"""Java that starts quickly rather than runs quickly, and failures that are not tried again."""


@contextmanager
def spark_environment(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Spark's variables for a home in a folder, where its workers may write; a skip where Spark cannot run, or a failure when
    `FRAUD_TEST_REQUIRE` names `spark`."""
    lacking = missing()
    if lacking:
        _give_up(lacking)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(_home(folder)))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_LOCAL_HOSTNAME", "localhost")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        yield patch


@contextmanager
def spark_cluster(folder: Path) -> Iterator[None]:
    """A cluster that engines of this process work on while it stands."""
    with spark_environment(folder), spark_session(MASTER, str(folder)):
        yield


def _home(folder: Path) -> Path:
    """A home with everything of the installed one, and settings and a place to work of its own."""
    import pyspark  # noqa: PLC0415 - an optional package

    home = folder / "home"
    (home / "conf").mkdir(parents=True)
    for entry in Path(pyspark.__file__).parent.iterdir():
        if entry.name != "work":
            (home / entry.name).symlink_to(entry)
    (home / "conf" / "spark-defaults.conf").write_text(_DEFAULTS, encoding="utf-8")
    return home


def _give_up(reason: str) -> NoReturn:
    if "spark" in os.environ.get("FRAUD_TEST_REQUIRE", ""):
        pytest.fail(f"{reason} FRAUD_TEST_REQUIRE asks for it")
    pytest.skip(reason)
