"""Threads for work that may wait: a bounded number of them, a bounded queue before them, and a refusal when both are full."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from fraud.errors import StorageError

_T = TypeVar("_T")


class Busy(StorageError):
    """More work is under way than can be done in time; nothing was done of this piece."""


class Lane:
    """Runs work beside the event loop, in at most `threads` threads with at most `waiting` pieces queued for them."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._most = threads + waiting
        self._taken = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[], _T]) -> _T:
        """What `work` gives. Raises `Busy` at once when the lane is full, and whatever `work` itself raises."""
        with self._lock:
            if self._taken >= self._most:
                raise Busy(f"{self._taken} requests are under way already.")
            self._taken += 1
        try:
            future = self._pool.submit(work)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[Any] | None = None) -> None:
        with self._lock:
            self._taken -= 1
