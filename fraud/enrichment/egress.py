"""Addresses that many people share and addresses that behave like servers, learned from the log alone (detection section 2).

Both look back from a window's end, so that a later event never changes an earlier verdict. Without a table of networks this is what can
be known; an opaque address (one that is no IPv4 text) has no network, and is judged by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, compiled
from fraud.enrichment.egress_kernels import AddressTallies, Limits

LOOKBACK_DAYS = 28
"""Section 2: the log of four weeks."""

SHARED_DEVICES = 20
"""Section 2: distinct devices of a shared address in the full look-back. A log of fewer days asks for proportionally fewer."""

SHARED_DEVICES_FLOOR = 8
"""The least number of devices (or, where devices are unknown, user agents: entropy 2 nats already needs 7.4) whatever the days."""

SHARED_AFFILIATES = 5
"""Section 2: affiliates seen at a shared address. In a program of fewer than fifty active affiliates a tenth of them is enough."""

SHARED_AFFILIATES_FLOOR = 3
"""Two affiliates at one address may be one person; three strangers are a crowd only with many devices besides."""

SHARED_ENTROPY_NATS = 2.0
"""Section 2: entropy of the address's user agents, with the Miller-Madow correction because sparse samples read too low."""

SHARED_CONVERSION_RATIO = 0.3
"""Section 2: an address that converts below this part of the program's rate is no crowd of people."""

SIGNIFICANT_EXPECTATION = 3.0
"""Expected conversions below which none at all proves nothing: exp(-3) is 5%."""

HOSTING_ENTROPY_NATS = 0.7
"""Section 2: a server shows hardly more than two user agents."""

HOSTING_CLICKS = 50
"""Section 2: clicks before an address (or its /24) can look like a server."""

HOSTING_CONVERSION_RATIO = 0.2
"""Section 2: a server's conversions against the program's rate."""

LEAST_CLICKS = SHARED_DEVICES_FLOOR
"""Below this many clicks in the whole log an address can be neither, alone."""

LOOKBACK_US = LOOKBACK_DAYS * 86_400_000_000

LIMITS = Limits(
    LOOKBACK_US,
    LEAST_CLICKS,
    HOSTING_CLICKS,
    HOSTING_ENTROPY_NATS,
    SHARED_ENTROPY_NATS,
    SHARED_AFFILIATES_FLOOR,
    SHARED_DEVICES_FLOOR,
)

VERSION = 2
"""Raised when the same clicks would be told differently; it is part of the hash of the feature set."""


class Totals(NamedTuple):
    """The program's clicks over each look-back, by window: clicks, active affiliates, and the first click (microseconds)."""

    clicks: Integers
    affiliates: Integers
    first: Integers


@compiled
def _count(time: Integers, affiliate: Codes, bounds: Integers, clicks: Integers, first: Integers) -> None:
    for row in range(time.shape[0]):
        slot = np.searchsorted(bounds, time[row], side="right")
        clicks[slot, affiliate[row]] += 1
        first[slot, affiliate[row]] = min(first[slot, affiliate[row]], time[row])


class RunningTotals:
    """Counts clicks batch by batch into `Totals` over the look-backs that end at `ends` (microseconds, ascending)."""

    def __init__(self, ends: Sequence[int], affiliates: int) -> None:
        self._ends = np.array(ends, np.int64)
        self._bounds = np.unique(np.concatenate([self._ends, self._ends - LOOKBACK_US]))
        self._clicks = np.zeros((len(self._bounds) + 1, affiliates), np.int64)
        self._first = np.full(self._clicks.shape, np.iinfo(np.int64).max)

    def add(self, time: Integers, affiliate: Codes) -> None:
        """Counts clicks: their times (microseconds) and their affiliates' codes."""
        _count(time, affiliate, self._bounds, self._clicks, self._first)

    def done(self) -> Totals:
        """The totals of everything added."""
        slots = [self._slots(int(end)) for end in self._ends]
        clicks = np.array([self._clicks[slot].sum() for slot in slots])
        affiliates = np.array([(self._clicks[slot].sum(axis=0) > 0).sum() for slot in slots])
        first = np.array([self._first[slot].min(initial=np.iinfo(np.int64).max) for slot in slots])
        return Totals(clicks, affiliates, first)

    def _slots(self, end: int) -> slice:
        """The stretches between two bounds that lie in the look-back to an end."""
        begin, stop = np.searchsorted(self._bounds, [end - LOOKBACK_US, end])
        return slice(int(begin) + 1, int(stop) + 1)


class Converted(NamedTuple):
    """The clicks that converted, one element a conversion: when it and its click happened (microseconds), and where the click came from
    (keys; 0 is unknown)."""

    at: Integers
    clicked: Integers
    address: Integers
    network: Integers


class Judged(NamedTuple):
    """The verdicts: `keys` (addresses,), ascending, `shared` and `hosting` (addresses, windows), and by window whether any conversion
    could be traced to a click in the look-back (`matched`; where not, nothing can be called server-like)."""

    keys: Integers
    shared: NDArray[np.bool_]
    hosting: NDArray[np.bool_]
    matched: NDArray[np.bool_]


def judged(tallies: Sequence[AddressTallies], totals: Totals, converted: Converted, ends: Integers) -> Judged:
    """Which addresses are shared and which are server-like, in each window. An address that is not listed is neither.

    `tallies` are those of all partitions, over look-backs ending at `ends`, and every other argument is by the same windows.
    """
    keys, counts = (np.concatenate([np.asarray(getattr(part, name)) for part in tallies]) for name in ("keys", "counts"))
    entropies = np.concatenate([part.entropies for part in tallies])
    addresses, place = np.unique(keys[:, 1], return_inverse=True)
    shape = (len(addresses), len(ends))
    result = Judged(addresses, np.zeros(shape, bool), np.zeros(shape, bool), np.zeros(len(ends), bool))
    for window, end in enumerate(ends):
        inside = (converted.at < end) & (converted.clicked < end) & (converted.clicked >= end - LOOKBACK_US)
        result.matched[window] = inside.any()
        rows = np.flatnonzero(keys[:, 0] == window)
        if len(rows):
            rate = inside.sum() / totals.clicks[window] if result.matched[window] else np.nan
            sold = [_counted(column[inside], keys[rows, at]) for column, at in ((converted.address, 1), (converted.network, 2))]
            shared = _shared(counts[rows], entropies[rows, 0], sold[0], rate, _needed(totals, window, int(end)))
            lone = _server_like(counts[rows, 0], entropies[rows, 0], sold[0], rate)
            pool = (keys[rows, 2] != 0) & _server_like(counts[rows, 4], entropies[rows, 1], sold[1], rate)
            result.shared[place[rows], window] = shared
            result.hosting[place[rows], window] = lone | pool
    return result


def _counted(values: Integers, wanted: Integers) -> Integers:
    """How often each wanted key stands among the values."""
    ordered = np.sort(values)
    found: Integers = np.searchsorted(ordered, wanted, "right") - np.searchsorted(ordered, wanted, "left")
    return found


def _needed(totals: Totals, window: int, end: int) -> tuple[float, float]:
    """Affiliates and devices that a shared address needs in this window."""
    affiliates = max(SHARED_AFFILIATES_FLOOR, min(SHARED_AFFILIATES, np.ceil(totals.affiliates[window] / 10)))
    age = (end - int(totals.first[window])) / LOOKBACK_US if totals.clicks[window] else 0.0
    return affiliates, max(SHARED_DEVICES_FLOOR, SHARED_DEVICES * min(1.0, age))


def _shared(counts: Integers, entropy: NDArray[np.float64], sold: Integers, rate: float, needed: tuple[float, float]) -> NDArray[np.bool_]:
    clicks, affiliates, devices, agents = counts[:, 0], counts[:, 1], counts[:, 2], counts[:, 3]
    people = (devices >= needed[1]) | ((devices == 0) & (agents >= SHARED_DEVICES_FLOOR))
    expected = clicks * rate
    idle = (expected >= SIGNIFICANT_EXPECTATION) & (sold < SHARED_CONVERSION_RATIO * expected)
    verdict: NDArray[np.bool_] = (affiliates >= needed[0]) & (entropy >= SHARED_ENTROPY_NATS) & people & ~idle
    return verdict


def _server_like(clicks: Integers, entropy: NDArray[np.float64], sold: Integers, rate: float) -> NDArray[np.bool_]:
    verdict: NDArray[np.bool_] = (
        (clicks >= HOSTING_CLICKS) & (entropy < HOSTING_ENTROPY_NATS) & (sold < HOSTING_CONVERSION_RATIO * clicks * rate)
    )
    return verdict
