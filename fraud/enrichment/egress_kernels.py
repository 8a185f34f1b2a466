"""Clicks to tallies of addresses, in compiled code: how many people, devices and kinds of browser an address shows over each look-back.

The clicks of a network lie together in time; two hands move over them, one letting clicks into the look-back and one letting them out, so
that windows which overlap cost one pass and not one each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import (
    Codes,
    Integers,
    Key,
    Scratch,
    compiled,
    dense_codes,
    joined,
    mixed,
    order_by,
    reorder,
    room,
    scratch,
)
from models.compiling import sort_values


class Sightings(NamedTuple):
    """Clicks with a known address, one element a click: 64-bit keys (0 is unknown) of the address, its network, user agent and device,
    the affiliate's code, and microseconds since 1970. Clicks of one network (without one, of one address) are all in one partition."""

    address: Integers
    network: Integers
    agent: Integers
    device: Integers
    affiliate: Codes
    time: Integers


SIGHTING_TYPES = (np.int64, np.int64, np.int64, np.int64, np.int32, np.int64)
"""The types of the columns of `Sightings`."""


class Limits(NamedTuple):
    """Below which an address need not be looked at: see the constants of `fraud.enrichment.egress` with the same names."""

    lookback_us: int
    least_clicks: int
    hosting_clicks: int
    hosting_entropy: float
    shared_entropy: float
    shared_affiliates: int
    shared_devices: int


class AddressTallies(NamedTuple):
    """Addresses that may be shared or server-like, one row an address and window. `keys` (rows, 3): window, address, network;
    `counts` (rows, 5): clicks, affiliates, devices, agents, clicks of the network; `entropies` (rows, 2): of the address's and of the
    network's user agents in nats, NaN when none is known (or there is no network)."""

    keys: Integers
    counts: Integers
    entropies: NDArray[np.float64]


class _Group(NamedTuple):
    """One network's clicks in time, with local numbers: of the address, of the pairs of an address with an agent, a device and an
    affiliate, and of the agent. The address-agent pairs of an address are numbered from `begins[address]` on. `sizes`: how many there are
    of address-agent, address-device and address-affiliate pairs, and of agents."""

    address: Codes
    agent_pair: Codes
    device_pair: Codes
    affiliate_pair: Codes
    agent: Codes
    begins: Integers
    sizes: tuple[int, int, int, int]


class _Hand(NamedTuple):
    """The counts inside the look-back: by address (clicks, affiliates, devices, agents), by pair, and by the network's agent."""

    of_address: Integers
    agents: Integers
    devices: Integers
    affiliates: Integers
    network: Integers


@compiled
def _entropy(counts: Integers) -> float:
    """Shannon entropy in nats of the counts above zero, with the Miller-Madow correction; NaN when there are none."""
    values, kinds = np.empty(counts.shape[0], np.float64), 0
    for place in range(counts.shape[0]):
        if counts[place] > 0:
            values[kinds] = counts[place]
            kinds += 1
    sort_values(values[:kinds])
    total, logs = 0.0, 0.0
    for place in range(kinds):
        total += values[place]
        logs += values[place] * np.log(values[place])
    return np.log(total) - logs / total + (kinds - 1) / (2 * total) if kinds else np.nan


@compiled
def _pairs(left: Codes, right: Integers, missing: int, table: Scratch, firsts: Integers) -> tuple[Codes, int]:
    """The number of each pair, -1 without a right; and how many pairs there are."""
    keys = np.empty(left.shape[0], np.int64)
    for row in range(left.shape[0]):
        keys[row] = 0 if right[row] == missing else joined(np.int64(left[row]), right[row])
    codes = np.empty(left.shape[0], np.int32)
    return codes, dense_codes(keys, 0, table, codes, firsts)


@compiled
def _grouped(rows: Sightings, table: Scratch, firsts: Integers) -> _Group:
    address, agent = np.empty(rows.time.shape[0], np.int32), np.empty(rows.time.shape[0], np.int32)
    addresses = dense_codes(rows.address, 0, table, address, firsts)
    agents = dense_codes(rows.agent, 0, table, agent, firsts)
    agent_pair, agent_pairs = _pairs(address, rows.agent, 0, table, firsts)
    device_pair, device_pairs = _pairs(address, rows.device, 0, table, firsts)
    affiliate_pair, affiliate_pairs = _pairs(address, rows.affiliate.astype(np.int64), -1, table, firsts)
    begins = _by_address(address, addresses, agent_pair, agent_pairs)
    return _Group(address, agent_pair, device_pair, affiliate_pair, agent, begins, (agent_pairs, device_pairs, affiliate_pairs, agents))


@compiled
def _by_address(address: Codes, addresses: int, pair: Codes, pairs: int) -> Integers:
    """Numbers pairs anew, so that those of an address lie together; where each address's begin."""
    owners, begins, place = np.zeros(pairs, np.int64), np.zeros(addresses + 1, np.int64), np.zeros(addresses, np.int64)
    for row in range(pair.shape[0]):
        if pair[row] >= 0:
            owners[pair[row]] = address[row]
    for number in range(pairs):
        begins[owners[number] + 1] += 1
    for number in range(addresses):
        begins[number + 1] += begins[number]
        place[number] = begins[number]
    for number in range(pairs):
        owner = owners[number]
        owners[number] = place[owner]
        place[owner] += 1
    for row in range(pair.shape[0]):
        if pair[row] >= 0:
            pair[row] = owners[pair[row]]
    return begins


@compiled
def _move(group: _Group, row: int, step: int, hand: _Hand) -> None:
    """Lets a click into the look-back (`step` 1) or out of it (-1)."""
    address = group.address[row]
    hand.of_address[address, 0] += step
    hand.of_address[address, 1] += _moved(hand.affiliates, group.affiliate_pair[row], step)
    hand.of_address[address, 2] += _moved(hand.devices, group.device_pair[row], step)
    hand.of_address[address, 3] += _moved(hand.agents, group.agent_pair[row], step)
    if group.agent[row] >= 0:
        hand.network[group.agent[row]] += step


@compiled
def _moved(counts: Integers, code: int, step: int) -> int:
    """Changes a count; by how much the number of distinct values changes with it."""
    if code < 0:
        return 0
    counts[code] += step
    if step > 0:
        return 1 if counts[code] == 1 else 0
    return -1 if counts[code] == 0 else 0


@compiled
def _notable(counts: Integers, entropy: float, limits: Limits) -> bool:
    hosting = counts[0] >= limits.hosting_clicks and entropy < limits.hosting_entropy
    people = counts[2] >= limits.shared_devices or (counts[2] == 0 and counts[3] >= limits.shared_devices)
    return hosting or (people and counts[1] >= limits.shared_affiliates and entropy >= limits.shared_entropy)


@compiled
def _busy(rows: Sightings, table: Scratch, firsts: Integers, limits: Limits) -> tuple[Codes, int]:
    """The number of each click's group, -1 for clicks of addresses too quiet to be anything; and how many groups there are."""
    group, address = np.empty(rows.time.shape[0], np.int32), np.empty(rows.time.shape[0], np.int32)
    keys = np.empty(rows.time.shape[0], np.int64)
    for row in range(rows.time.shape[0]):
        keys[row] = rows.network[row] if rows.network[row] != 0 else rows.address[row]
    groups = dense_codes(keys, 0, table, group, firsts)
    addresses = dense_codes(rows.address, 0, table, address, firsts)
    of_group, of_address = np.zeros(groups, np.int64), np.zeros(addresses, np.int64)
    for row in range(group.shape[0]):
        of_group[group[row]] += 1
        of_address[address[row]] += 1
    numbers = np.full(groups, -1, np.int32)
    count = 0
    for row in range(group.shape[0]):
        crowded = rows.network[row] != 0 and of_group[group[row]] >= limits.hosting_clicks
        if crowded or of_address[address[row]] >= limits.least_clicks:
            if numbers[group[row]] < 0:
                numbers[group[row]] = count
                count += 1
            group[row] = numbers[group[row]]
        else:
            group[row] = -1
    return group, count


def _order(rows: Sightings, limits: Limits, table: Scratch) -> tuple[Integers, Integers]:
    """The clicks that may matter in the order of group and time, and where each group begins."""
    group, groups = _busy(rows, table, np.empty(rows.time.shape[0], np.int64), limits)
    kept = np.flatnonzero(group >= 0)
    group = group[kept]
    order, begins = order_by(group, groups, rows.time[kept], group)
    return kept[order], begins


@compiled
def _of_group(rows: Sightings, lo: int, hi: int) -> Sightings:
    return Sightings(
        rows.address[lo:hi], rows.network[lo:hi], rows.agent[lo:hi], rows.device[lo:hi], rows.affiliate[lo:hi], rows.time[lo:hi]
    )


@compiled
def tally_addresses(rows: Sightings, begins: Integers, ends: Integers, limits: Limits, table: Scratch) -> AddressTallies:
    """Tallies of the addresses of one partition over the look-backs that end at `ends` (ascending), where they may matter.

    `rows` are in the order of group (`begins`) and time; `table` is a `scratch` for at least as many.
    """
    keys, counts, entropies = np.empty((64, 3), np.int64), np.empty((64, 5), np.int64), np.empty((64, 2), np.float64)
    used = 0
    firsts = np.empty(rows.time.shape[0], np.int64)
    for number in range(begins.shape[0] - 1):
        own = _of_group(rows, begins[number], begins[number + 1])
        coded = _grouped(own, table, firsts)
        addresses = coded.begins.shape[0] - 1
        hand = _Hand(
            np.zeros((addresses, 4), np.int64),
            np.zeros(coded.sizes[0], np.int64),
            np.zeros(coded.sizes[1], np.int64),
            np.zeros(coded.sizes[2], np.int64),
            np.zeros(coded.sizes[3], np.int64),
        )
        is_network = own.network[0] != 0
        sample = np.empty(addresses, np.int64)
        for row in range(own.time.shape[0]):
            sample[coded.address[row]] = row
        entering, leaving = 0, 0
        for window in range(ends.shape[0]):
            while entering < own.time.shape[0] and own.time[entering] < ends[window]:
                _move(coded, entering, 1, hand)
                entering += 1
            while leaving < entering and own.time[leaving] < ends[window] - limits.lookback_us:
                _move(coded, leaving, -1, hand)
                leaving += 1
            of_network = entering - leaving
            crowd = is_network and of_network >= limits.hosting_clicks
            network_entropy = _entropy(hand.network) if crowd else np.nan
            pool = crowd and network_entropy < limits.hosting_entropy
            for address in range(addresses):
                if hand.of_address[address, 0] < (1 if pool else limits.least_clicks):
                    continue
                entropy = _entropy(hand.agents[coded.begins[address] : coded.begins[address + 1]])
                if not pool and not _notable(hand.of_address[address], entropy, limits):
                    continue
                keys, counts, entropies = room(keys, used + 1), room(counts, used + 1), room(entropies, used + 1)
                keys[used, 0], keys[used, 1], keys[used, 2] = window, own.address[sample[address]], own.network[sample[address]]
                for column in range(4):
                    counts[used, column] = hand.of_address[address, column]
                counts[used, 4] = of_network
                entropies[used, 0], entropies[used, 1] = entropy, network_entropy
                used += 1
    return AddressTallies(keys[:used], counts[:used], entropies[:used])


def tallies_of(rows: Sightings, ends: Integers, limits: Limits) -> AddressTallies:
    """`tally_addresses` of clicks in any order, with memory of its own.

    Columns that nobody else holds are let go one by one as they are ordered, so that they do not stand in memory twice.
    """
    table = scratch(len(rows.address))
    order, begins = _order(rows, limits, table)
    columns: list[Any] = list(rows)
    del rows
    reorder(columns, order)
    return tally_addresses(Sightings._make(columns), begins, ends, limits, table)


@compiled
def address_keys(data: NDArray[np.uint8], offsets: NDArray[np.int32], known: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """The keys of addresses and of their networks, from texts as Arrow keeps them; 0 where unknown, and for the network of what is no
    IPv4 text (four groups of one to three digits)."""
    keys, networks = np.zeros(known.shape[0], np.int64), np.zeros(known.shape[0], np.int64)
    for row in range(known.shape[0]):
        if not known[row]:
            continue
        text = data[offsets[row] : offsets[row + 1]]
        dots, digits, valid = 0, 0, True
        prefix = hashed = np.int64(-3750763034362895579)
        for place in range(text.shape[0]):
            letter = text[place]
            hashed = (hashed ^ np.int64(letter)) * np.int64(1099511628211)
            if letter == 46:
                valid = valid and 1 <= digits <= 3
                dots += 1
                digits = 0
                prefix = hashed
            else:
                valid = valid and 48 <= letter <= 57
                digits += 1
        keys[row] = _key(hashed)
        if valid and dots == 3 and 1 <= digits <= 3:
            networks[row] = _key(prefix)
    return keys, networks


@compiled
def _key(key: Key) -> Key:
    spread = key ^ ((key >> 29) & 0x7FFFFFFFF)
    return spread if spread != 0 else 1


@compiled
def partition_of(network: Integers, address: Integers, partitions: int) -> Codes:
    """The partition of each click, the same for a whole network (without one, for an address); -1 where the address is unknown."""
    parts = np.empty(address.shape[0], np.int32)
    for row in range(address.shape[0]):
        key = network[row] if network[row] != 0 else address[row]
        parts[row] = ((mixed(key) >> 40) & 0x7FFFFF) % partitions if address[row] != 0 else -1
    return parts
