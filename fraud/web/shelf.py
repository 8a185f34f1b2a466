"""Whole results of scans, kept in memory for a while: they never change, and reading a large one takes longer than a page may."""

from __future__ import annotations

import threading
from collections import OrderedDict

from fraud.app.parts import App
from fraud.domain.scans import ScanResult

_KEPT = 3


class Shelf:
    """The last few results that pages asked for."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], ScanResult] = OrderedDict()

    def get(self, program_id: str, scan_id: str) -> ScanResult:
        """One result, or `NotFound`."""
        key = (program_id, scan_id)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = self._app.stores.scans.get(program_id, scan_id)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def latest(self, program_id: str) -> ScanResult | None:
        """The newest result; `None` before the first scan."""
        newest = self._app.stores.nights.nights(program_id, 1)
        return self.get(program_id, newest[0].scan_id) if newest else None
