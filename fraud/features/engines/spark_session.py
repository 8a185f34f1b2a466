"""Starting and stopping Spark: what must be installed, quiet, on loopback when the master is this machine, and gone afterwards."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraud.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DEFAULT_MASTER = "local[*]"

LEAST_JAVA = 17
"""Spark 4 runs on Java 17 and later."""

ARROW_ROWS = 100_000
"""Rows that travel between Spark and Python at a time: some tens of megabytes of texts."""

_ONE_AT_A_TIME = threading.RLock()
"""A process has one Spark at most: whoever comes second waits, lest the first one stops it under its feet."""

_PARTITIONS_PER_CORE = 4
_VERSION = re.compile(r'version "(?:1\.)?(\d+)[^"]*"')
_RAISED = re.compile(r"[A-Za-z_.]+(Error|Exception|Fault|Found)\b")
_NEEDS_PYSPARK = "FRAUD_ENGINE=spark needs PySpark, which is not installed: run `pip install 'affiliate-fraud[spark]'`."
_NEEDS_JAVA = f"FRAUD_ENGINE=spark needs Java {LEAST_JAVA} or later"
_INSTALL_JAVA = "install one (such as openjdk-17-jre-headless) and put it on PATH or name its folder in JAVA_HOME"


@dataclass(frozen=True)
class Java:
    """A Java that was found: its program, and its major version, `None` when it does not say."""

    program: str
    major: int | None


def find_java(environment: Mapping[str, str] = os.environ) -> Java | None:
    """The Java that Spark would start: that of `JAVA_HOME`, else the first on `PATH`."""
    home = environment.get("JAVA_HOME", "")
    program = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java", path=environment.get("PATH", ""))
    if program is None:
        return None
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - the user's Java
    found = _VERSION.search(said.stderr + said.stdout)
    return Java(program, int(found.group(1)) if found else None)


def pyspark_version() -> str | None:
    """The version of PySpark, `None` when it is not installed."""
    if importlib.util.find_spec("pyspark") is None:
        return None
    from pyspark import __version__  # noqa: PLC0415 - an optional package

    return str(__version__)


def missing(environment: Mapping[str, str] = os.environ) -> str | None:
    """What Spark lacks here and what to do about it, in one sentence; `None` when nothing is."""
    if pyspark_version() is None:
        return _NEEDS_PYSPARK
    java = find_java(environment)
    if java is None:
        return f"{_NEEDS_JAVA}, and none was found: {_INSTALL_JAVA}."
    if java.major is not None and java.major < LEAST_JAVA:
        return f"{_NEEDS_JAVA}, and {java.program} is Java {java.major}: {_INSTALL_JAVA}."
    return None


@contextmanager
def spark_session(master: str, temporary: str | None = None) -> Iterator[SparkSession]:
    """A session on a master (`local[*]` when empty): the one that this process already has, else one of its own, stopped at the end.

    What Spark writes while it works goes under `temporary` and is removed. `InputError` when PySpark or Java is absent or Spark does
    not start.
    """
    lacking = missing()
    if lacking:
        raise InputError(lacking)
    from pyspark import SparkContext  # noqa: PLC0415 - an optional package
    from pyspark.sql import SparkSession  # noqa: PLC0415

    with _ONE_AT_A_TIME, _without_word_of_pandas():
        if SparkContext._active_spark_context is not None:
            yield _prepared(SparkSession.builder.getOrCreate().newSession())
            return
        with tempfile.TemporaryDirectory(prefix="fraud-spark-", dir=temporary, ignore_cleanup_errors=True) as folder:
            session = _start(master or DEFAULT_MASTER, Path(folder))
            try:
                yield _prepared(session)
            finally:
                _stop(session)


@contextmanager
def _without_word_of_pandas() -> Iterator[None]:
    """PySpark warns of every pandas it has not been tried with; nothing here goes through pandas in Spark."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield


def settings_of(master: str, folder: Path) -> dict[str, str]:
    """Spark's settings that do not come from its own `spark-defaults.conf`; `folder` is where it may write on this machine."""
    settings = {
        "spark.app.name": "affiliate-fraud",
        "spark.master": master,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    if master.startswith("local"):
        loopback = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        settings |= loopback | {"spark.local.dir": str(folder / "local")}
    return settings


def _start(master: str, folder: Path) -> SparkSession:
    """Starts Java with its talk going to a file, and a session in it."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with an optional package
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    conf = SparkConf(loadDefaults=False).setAll(list(settings_of(master, folder).items()))
    talk = folder / "spark.log"
    launch: Any = launch_gateway  # which has no types
    gateway = None
    try:
        with talk.open("wb") as log:
            gateway = launch(conf, {"stdout": log, "stderr": log})
        context = SparkContext(conf=conf, gateway=gateway)
    except (PySparkException, Py4JError, OSError) as fault:
        _end(gateway)
        raise InputError(
            f"Spark does not start on {master}: {_why(fault, talk)} Check FRAUD_SPARK_MASTER and Spark's own settings."
        ) from fault
    context.setLogLevel("ERROR")
    if master.startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = sys.executable
    return SparkSession(context)


def _why(fault: BaseException, talk: Path) -> str:
    """The line that says what went wrong: Java's own exception, else the last thing Spark said."""
    java: Any = getattr(fault, "java_exception", None)
    said = str(java) if java is not None else (talk.read_text(errors="replace").strip().splitlines() or [str(fault)])[-1]
    return reason_in(said.splitlines()[0])


def reason_in(said: str) -> str:
    """The sentence of a failure that says why: the last line of a Python worker's, else the first line of Java's."""
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    python = [number for number, line in enumerate(lines) if line.startswith("File ")]
    wanted = next((line for line in lines[python[-1] + 1 :] if _RAISED.match(line)), lines[0]) if python else lines[0]
    return f"{wanted.rstrip('.')}."


def _stop(session: SparkSession) -> None:
    """Ends the session and its Java, so that nothing stays behind in a process that goes on."""
    gateway = session.sparkContext._gateway
    session.stop()
    _end(gateway)


def _end(gateway: Any) -> None:
    """Ends a Java that was started, if one was."""
    from pyspark import SparkContext  # noqa: PLC0415 - an optional package

    SparkContext._gateway = SparkContext._jvm = None
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=60)


def _prepared(session: SparkSession) -> SparkSession:
    """The session with the settings that the engine relies on: UTC, times without a zone, batches of the right size."""
    partitions = _PARTITIONS_PER_CORE * session.sparkContext.defaultParallelism
    for name, value in {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(ARROW_ROWS),
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.sql.ansi.enabled": "true",
    }.items():
        session.conf.set(name, value)
    return session
