"""What Spark is doing, told once a second while it does it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fraud.features.engines.stages import Progress

if TYPE_CHECKING:
    from pyspark import StatusTracker
    from pyspark.sql import SparkSession

EVERY_SECONDS = 1.0


@contextmanager
def watched(spark: SparkSession, what: str, tell: Progress) -> Iterator[None]:
    """Tells `what` is being done and, every second, how many of the tasks that are under way are done."""
    tell(what)
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(spark.sparkContext.statusTracker(), what, tell, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(tracker: StatusTracker, what: str, tell: Progress, done: threading.Event) -> None:
    said = ""
    while not done.wait(EVERY_SECONDS):
        stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
        known = [stage for stage in stages if stage is not None]
        news = f"{what}: {sum(s.numCompletedTasks for s in known)} of {sum(s.numTasks for s in known)} tasks" if known else said
        if news != said:
            tell(news)
            said = news
