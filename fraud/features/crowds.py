"""One network, or one address, with more clicks than may be counted at a time: what it is is learned piece by piece, to the same bits.

Memory follows the number of addresses and the size of a piece, however many clicks there are. User agents, devices and affiliates, of which
there may be as many as clicks, are laid down by themselves in files that go with the process (`Spool`), and counted some at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, compiled, dense_codes, joined, scratch
from fraud.enrichment.egress_kernels import AddressTallies, Limits, Sightings, partition_of
from fraud.features.clicks import MISSING_KEY
from fraud.features.slice_kernels import first_rows
from fraud.features.slices import Room, added_up
from fraud.features.spool import Column, Spool


class _Kinds(NamedTuple):
    """Clicks by what is counted: its key, the number of its owner (an address), the stretch of time, and for how many clicks a row is."""

    key: Integers
    owner: Codes
    stretch: Codes
    clicks: Codes


_KIND_TYPES = (np.int64, np.int32, np.int32, np.int32)


class _Crowd(NamedTuple):
    """The addresses, ascending, the network of each (0: none), and its group, which is the network or the address by itself; the bounds
    of stretches of time, and of each look-back the first of its stretches and the first behind it."""

    addresses: Integers
    networks: Integers
    group: Integers
    edges: Integers
    spans: Integers


def tallies_of_crowd(spool: Spool, part: int, ends: Integers, limits: Limits, space: Room) -> AddressTallies:
    """`egress_kernels.tallies_of` of a partition of `Sightings`."""
    crowd = _crowd_of(_pieces(spool, part, space), ends, limits)
    clicks = np.zeros((len(crowd.edges) + 1, len(crowd.addresses)), np.int64)
    parts = 1 + spool.rows(part) // space.rows
    with (
        closing(Spool(_KIND_TYPES, parts, space.folder, space.waiting)) as agents,
        closing(Spool(_KIND_TYPES, parts, space.folder, space.waiting)) as devices,
        closing(Spool(_KIND_TYPES, parts, space.folder, space.waiting)) as affiliates,
    ):
        for piece in _pieces(spool, part, space):
            owner = np.searchsorted(crowd.addresses, piece.address).astype(np.int32)
            stretch = np.searchsorted(crowd.edges, piece.time, side="right").astype(np.int32)
            np.add.at(clicks, (stretch, owner), 1)
            for keys, kinds in ((piece.agent, agents), (piece.device, devices), (piece.affiliate.astype(np.int64) + 1, affiliates)):
                _lay_down(keys, owner, stretch, kinds)
        own = np.arange(len(crowd.addresses))
        counted = [_counted(kinds, crowd.spans, own)[0] for kinds in (affiliates, devices)]
        shown, entropies = _counted(agents, crowd.spans, own)
        _, of_groups = _counted(agents, crowd.spans, crowd.group)
    within = np.array([clicks[first:last].sum(axis=0) for first, last in crowd.spans])
    return _told(crowd, np.stack([within, *counted, shown], axis=2), (entropies, of_groups), limits)


def _pieces(spool: Spool, part: int, space: Room) -> Iterator[Sightings]:
    return (Sightings(*columns) for columns in spool.pieces(part, space.rows))


def _crowd_of(pieces: Iterator[Sightings], ends: Integers, limits: Limits) -> _Crowd:
    addresses, networks = np.empty(0, np.int64), np.empty(0, np.int64)
    for piece in pieces:
        addresses, first = np.unique(np.concatenate([addresses, piece.address]), return_index=True)
        networks = np.concatenate([networks, piece.network])[first]
    _, group = np.unique(np.where(networks != 0, networks, addresses), return_inverse=True)
    edges = np.unique(np.concatenate([ends, ends - limits.lookback_us]))
    spans = np.stack([np.searchsorted(edges, ends - limits.lookback_us) + 1, np.searchsorted(edges, ends) + 1], axis=1)
    return _Crowd(addresses, networks, group, edges, spans)


def _lay_down(keys: Integers, owner: Codes, stretch: Codes, spool: Spool) -> None:
    """Lays down the keys that are known, once for each owner and stretch of time."""
    joint, known = _joint(keys, owner, stretch), np.flatnonzero(keys)
    first, clicks = first_rows(joint[known], scratch(len(known)), np.empty(len(known), np.int32), np.empty(len(known), np.int64))
    rows = known[first]
    columns: list[Column] = [keys[rows], owner[rows], stretch[rows], clicks]
    spool.add(partition_of(keys[rows], keys[rows], spool.partitions), columns)


@compiled
def _joint(keys: Integers, owner: Codes, stretch: Codes) -> Integers:
    """One key for what is the same of the same owner in the same stretch of time."""
    joint = np.empty(keys.shape[0], np.int64)
    for row in range(keys.shape[0]):
        joint[row] = joined(keys[row], np.int64(owner[row]) << 32 | np.int64(stretch[row]))
    return joint


def _counted(spool: Spool, spans: Integers, owners: Integers) -> tuple[Integers, NDArray[np.float64]]:
    """How many kinds each owner shows in each look-back (look-backs, owners), and their entropy (nats; NaN of none); `owners` are the
    owners of those who own the rows."""
    many = int(owners.max(initial=-1)) + 1
    kinds, histogram = np.zeros((len(spans), many), np.int64), np.empty((0, 3), np.int64)
    for part in range(spool.partitions):
        rows = _Kinds(*spool.take(part))
        owner = owners[rows.owner].astype(np.int32)
        code, codes = _numbered(_joint(rows.key, owner, np.zeros_like(owner)))
        owner_of = np.zeros(codes, np.int64)
        owner_of[code] = owner
        for number, (first, last) in enumerate(spans):
            inside = np.flatnonzero((rows.stretch >= first) & (rows.stretch < last))
            clicks = np.bincount(code[inside], rows.clicks[inside], codes).astype(np.int64)
            seen = np.flatnonzero(clicks)
            kinds[number] += np.bincount(owner_of[seen], minlength=many)
            found = np.stack([number * many + owner_of[seen], clicks[seen], np.ones(len(seen), np.int64)], axis=1)
            histogram = added_up(np.concatenate([histogram, found]))
    entropies = np.full(kinds.size, np.nan)
    _entropies(histogram, entropies)
    return kinds, entropies.reshape(kinds.shape)


def _numbered(keys: Integers) -> tuple[Codes, int]:
    """The number of each distinct key, and how many there are."""
    codes = np.empty(len(keys), np.int32)
    return codes, dense_codes(keys, MISSING_KEY, scratch(len(keys)), codes, np.empty(len(keys), np.int64))


@compiled
def _entropies(histogram: Integers, entropies: NDArray[np.float64]) -> None:
    """`egress_kernels.entropy` of places, from how many kinds (last) have how many clicks (second) in each place (first), ascending."""
    begin = 0
    while begin < histogram.shape[0]:
        end, kinds, total, logs = begin, 0, 0.0, 0.0
        while end < histogram.shape[0] and histogram[end, 0] == histogram[begin, 0]:
            clicks = np.float64(histogram[end, 1])
            for _ in range(histogram[end, 2]):  # one by one, as they are added up elsewhere: a product rounds otherwise
                total += clicks
                logs += clicks * np.log(clicks)
                kinds += 1
            end += 1
        entropies[histogram[begin, 0]] = np.log(total) - logs / total + (kinds - 1) / (2 * total)
        begin = end


def _told(crowd: _Crowd, counts: Integers, entropies: tuple[NDArray[np.float64], NDArray[np.float64]], limits: Limits) -> AddressTallies:
    """The addresses that may be shared or server-like: see `egress_kernels.tally_addresses`. `counts` (look-backs, addresses, 4) are
    clicks, affiliates, devices and agents, `entropies` those of addresses and of groups by look-back."""
    found = []
    for window, (own, of_address, of_group) in enumerate(zip(counts, *entropies, strict=True)):
        of_network = np.bincount(crowd.group, own[:, 0]).astype(np.int64)[crowd.group]
        crowded = (crowd.networks != 0) & (of_network >= limits.hosting_clicks)
        of_network_entropy = np.where(crowded, of_group[crowd.group], np.nan)
        pool = crowded & (of_network_entropy < limits.hosting_entropy)
        hosting = (own[:, 0] >= limits.hosting_clicks) & (of_address < limits.hosting_entropy)
        people = (own[:, 2] >= limits.shared_devices) | ((own[:, 2] == 0) & (own[:, 3] >= limits.shared_devices))
        shared = people & (own[:, 1] >= limits.shared_affiliates) & (of_address >= limits.shared_entropy)
        rows = np.flatnonzero((own[:, 0] >= np.where(pool, 1, limits.least_clicks)) & (pool | hosting | shared))
        keys = np.stack([np.full(len(rows), window), crowd.addresses[rows], crowd.networks[rows]], axis=1)
        counted = np.concatenate([own[rows], of_network[rows, None]], axis=1)
        found.append(AddressTallies(keys, counted, np.stack([of_address[rows], of_network_entropy[rows]], axis=1)))
    keys, counted, shown = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return AddressTallies(keys, counted, shown)
