"""What the click kernels read: one partition's clicks as columns of numbers, and the program's small tables.

Every engine fills these shapes from whatever it reads, and the same kernels do the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, KeyTable

MISSING_KEY = 0
"""The key of an address or device that is not known."""

DWELL_KNOWN, SHORT_DWELL, SCRIPT_KNOWN, NO_SCRIPT, REFERRER_KNOWN, LANDING_KNOWN, PAID = 1, 2, 4, 8, 16, 32, 64
PLACED, FROM_HOSTING, FROM_VPN, FROM_TOR = 128, 256, 512, 1024
"""The bits of `Clicks.flags`. `PLACED`: the address is a public one, and tables of networks were asked about it."""


class Clicks(NamedTuple):
    """Clicks of whole affiliates, one element a click.

    `affiliate` (0, 1, … in the order of the texts), `offer`, `country`, `agent` and `domain` are codes of the program's distinct values,
    `sub` the rank of the sub-ID's text among all; -1 is unknown. `address` and `device` are any 64-bit keys, `MISSING_KEY` when unknown.
    `time` is in microseconds since 1970, `flags` holds the bits named above.
    """

    affiliate: Codes
    time: Integers
    sub: Codes
    offer: Codes
    country: Codes
    address: Integers
    agent: Codes
    device: Integers
    domain: Codes
    flags: NDArray[np.uint16]


CLICK_TYPES = (np.int32, np.int64, np.int32, np.int32, np.int32, np.int64, np.int32, np.int64, np.int32, np.uint16)
"""The types of the columns of `Clicks`."""


class Windows(NamedTuple):
    """The windows `[starts, ends)` in microseconds, by number; `matched` says whether any conversion could be traced to a click in the
    look-back (else nobody can be called server-like), `least` the clicks from which a sub-ID has a row of its own, -1 where sub-IDs are not
    wanted."""

    starts: Integers
    ends: Integers
    matched: NDArray[np.bool_]
    least: Integers


class Verdicts(NamedTuple):
    """The addresses that are shared or server-like in any window: `table` finds an address's row in `shared` and `hosting`
    (rows, windows)."""

    table: KeyTable
    shared: NDArray[np.bool_]
    hosting: NDArray[np.bool_]


class Program(NamedTuple):
    """The program's small tables, by code: declared bots by agent; which offers name countries, and `targets` (offers, countries) of them;
    which affiliates declared websites, and the set `declared` of `affiliate << 32 | domain`; which offers forbid paid search."""

    bots: NDArray[np.bool_]
    names_countries: NDArray[np.bool_]
    targets: NDArray[np.bool_]
    declares: NDArray[np.bool_]
    declared: KeyTable
    forbids_paid: NDArray[np.bool_]
