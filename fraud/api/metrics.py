"""Figures in Prometheus' text format: counts by label, and how long answers took."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fraud.domain.decisions import Outcome
from fraud.workflows.scoring import ClickAnswer

LATENCY_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram, in seconds: 25 ms and 150 ms are where trackers warn and where they stop waiting."""

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]

CLICK_ROUTE = "/v1/score/click"
_CLICK_ROUTE: Labels = (("route", CLICK_ROUTE), ("method", "POST"), ("status", "200"))


class Metrics:
    """Counts since the process started. May be used from any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: defaultdict[Labels, int] = defaultdict(int)
        self._clicks: defaultdict[Labels, int] = defaultdict(int)
        self._conversions: defaultdict[Labels, int] = defaultdict(int)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(LATENCY_BOUNDS) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts one answered request; `route` is the path's template, so that ids do not become labels."""
        with self._lock:
            self._requests[("route", route), ("method", method), ("status", str(status))] += 1
            self._buckets[route][bisect_left(LATENCY_BOUNDS, seconds)] += 1
            self._seconds[route] += seconds

    def clicks(self, answers: Iterable[ClickAnswer]) -> None:
        """Counts answered clicks."""
        self.tallied(Counter([(one.decision, one.degraded) for one in answers]))

    def tallied(self, counted: Mapping[tuple[Outcome, bool], int]) -> None:
        """`clicks` by what answers say and whether they are degraded."""
        with self._lock:
            for (decision, degraded), times in counted.items():
                self._clicks[("decision", decision.value), ("degraded", str(degraded).lower())] += times

    def hot_clicks(self, answers: Sequence[ClickAnswer], seconds: float) -> None:
        """Counts clicks that were answered without the framework, each within so many seconds: `request` and `clicks` in one step."""
        self.clicks(answers)
        with self._lock:
            self._requests[_CLICK_ROUTE] += len(answers)
            self._buckets[CLICK_ROUTE][bisect_left(LATENCY_BOUNDS, seconds)] += len(answers)
            self._seconds[CLICK_ROUTE] += seconds * len(answers)

    def conversion(self, decision: str, *, degraded: bool) -> None:
        """Counts one answered conversion."""
        with self._lock:
            self._conversions[("decision", decision), ("degraded", str(degraded).lower())] += 1

    def exposition(self, gauges: Mapping[str, float]) -> str:
        """Everything as Prometheus reads it, and `gauges` by name besides."""
        with self._lock:
            lines = [
                *_counter("fraud_http_requests_total", "Requests answered.", self._requests),
                *_counter("fraud_clicks_scored_total", "Clicks answered.", self._clicks),
                *_counter("fraud_conversions_scored_total", "Conversions answered.", self._conversions),
                *self._histogram(),
            ]
        for name, value in sorted(gauges.items()):
            lines += [f"# TYPE fraud_{name} gauge", f"fraud_{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "fraud_http_request_seconds"
        lines = [f"# HELP {name} Time from request to answer.", f"# TYPE {name} histogram"]
        for route, counts in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*LATENCY_BOUNDS, "+Inf"), counts, strict=True):
                total += count
                lines.append(f"{name}_bucket{_labels((('route', route), ('le', str(bound))))} {total}")
            lines.append(f"{name}_sum{_labels((('route', route),))} {self._seconds[route]:.6f}")
            lines.append(f"{name}_count{_labels((('route', route),))} {total}")
        return lines


def _counter(name: str, text: str, counts: Mapping[Labels, int]) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} counter", *(f"{name}{_labels(labels)} {n}" for labels, n in sorted(counts.items()))]


def _labels(labels: Labels) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels) + "}"
