"""Answers that take longer than a page may: found once in the background, kept for a while, and asked for again by the page itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any, TypeVar

Found = TypeVar("Found")

_KEPT = 64
_WAIT_SECONDS = 0.04
"""How long a page waits before it says that the answer is on its way: what is quick is shown at once."""


class Looks:
    """The last answers, each under what was asked. One is found at a time, so that pages never crowd out the rest of the service."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="looks")
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], Future[Any]] = OrderedDict()

    def get(self, asked: tuple[str, ...], find: Callable[[], Found]) -> Found | None:
        """The answer, or `None` while it is being found; what finding raised is raised here, and tried anew the next time."""
        with self._lock:
            future: Future[Found] = self._kept.pop(asked) if asked in self._kept else self._pool.submit(find)
            self._kept[asked] = future
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)[1].cancel()
        try:
            return future.result(_WAIT_SECONDS)
        except NotYet:
            return None
        except Exception:
            with self._lock:
                self._kept.pop(asked, None)
            raise
