"""The engines that compute the catalogue over a program's events, behind one protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import duckdb

from fraud.enrichment.exits import ExitClasses
from fraud.errors import InputError
from fraud.features.definition import Level
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable

Progress = Callable[[str], None]


class FeatureEngine(Protocol):
    """Computes every feature of the catalogue. Engines differ in where they work, never in what they find."""

    def __call__(
        self, con: duckdb.DuckDBPyConnection, request: FeatureRequest, progress: Progress | None = None
    ) -> Mapping[Level, FeatureTable]:
        """The table of each level that the request asks for, over the views of a lake's connection.

        The connection should reach back before the first window: the clicks of late conversions and four weeks for telling shared
        addresses are looked for there. Nothing at or after a window's end changes its values.
        """
        ...


def engine(
    name: str, spark_master: str = "", memory: int = 2 << 30, disk: int = 10 << 30, exits: ExitClasses | None = None
) -> FeatureEngine:
    """The engine of a name (`FRAUD_ENGINE`); `spark_master` names Spark's cluster, `memory` and `disk` (bytes) are what the local engine
    may take for clicks; `exits` tells hosting, VPN and Tor by address. `InputError` when there is none of that name.

    Whether Spark is installed shows when the engine is used.
    """
    if name == "local":
        from fraud.features.engines.budget import Budget  # noqa: PLC0415 - an engine is imported by those who use it
        from fraud.features.engines.local import compute_levels  # noqa: PLC0415

        return partial(compute_levels, budget=Budget(memory, disk), exits=exits)
    if name == "spark":
        from fraud.features.engines.spark import SparkEngine  # noqa: PLC0415

        return SparkEngine(spark_master, exits)
    raise InputError(f"There is no feature engine {name!r}: set FRAUD_ENGINE to local or spark.")
