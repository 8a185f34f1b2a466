"""Counters as bytes and back: in pieces, none of which keeps an answer waiting while it is made, and a digest of all at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.errors import StorageError
from fraud.storage.counter_kernels import Integers
from fraud.storage.files import Part

_VERSION = 4
_EVENTS_AT_ONCE = 1_000
_DIGEST_BYTES, _LENGTH_BYTES = 32, 8


class Contents(NamedTuple):
    """What is kept of counters: `slots`, `nodes` and `meta` as in `Tables`, and the answers (questions,) to each event by its key."""

    slots: Integers
    nodes: Integers
    meta: Integers
    events: Sequence[bytes]
    rows: Sequence[NDArray[np.float64]]


class _Head(msgspec.Struct, frozen=True):
    version: int
    slots: tuple[int, ...]
    nodes: tuple[int, ...]
    meta: tuple[int, ...]
    events: int


def checkpoint_parts(
    tables: tuple[Integers, Integers, Integers], events: Sequence[bytes], row_of: Callable[[int], NDArray[np.float64]]
) -> Iterator[Part]:
    """The parts of a checkpoint in order; `tables` are slots, nodes and meta, `row_of` gives the answers at a place of `events`."""
    digest = hashlib.sha256()
    for block in _blocks(tables, events, row_of):
        length = len(block).to_bytes(_LENGTH_BYTES, "little")
        digest.update(length)
        digest.update(block)
        yield length
        yield block
    yield digest.digest()


def _blocks(
    tables: tuple[Integers, Integers, Integers], events: Sequence[bytes], row_of: Callable[[int], NDArray[np.float64]]
) -> Iterator[Part]:
    slots, nodes, meta = tables
    yield msgspec.msgpack.encode(_Head(_VERSION, slots.shape, nodes.shape, meta.shape, len(events)))
    for table in tables:
        yield table.reshape(-1).view(np.uint8).data
    for start in range(0, len(events), _EVENTS_AT_ONCE):
        keys = list(events[start : start + _EVENTS_AT_ONCE])
        rows = [row_of(place) for place in range(start, start + len(keys))]
        yield msgspec.msgpack.encode(keys)
        yield np.array([len(row) for row in rows], np.int64).tobytes()
        yield np.concatenate(rows).tobytes()


def read_checkpoint(data: bytes) -> Contents:
    """A checkpoint read back. Raises `StorageError` when the bytes are not a whole one of this version."""
    body, digest = memoryview(data)[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise StorageError("The checkpoint of the counters is incomplete or altered; delete it to start with empty counters.")
    blocks = _read_blocks(body)
    try:
        head = msgspec.msgpack.decode(next(blocks), type=_Head)
    except (msgspec.MsgspecError, StopIteration) as error:
        raise StorageError("The checkpoint of the counters was made by another version; delete it to start with empty counters.") from error
    if head.version != _VERSION:
        raise StorageError(f"The checkpoint of the counters has version {head.version}; delete it to start with empty counters.")
    slots, nodes, meta = (np.frombuffer(next(blocks), np.int64).reshape(shape).copy() for shape in (head.slots, head.nodes, head.meta))
    events: list[bytes] = []
    rows: list[NDArray[np.float64]] = []
    while len(events) < head.events:
        events += msgspec.msgpack.decode(next(blocks), type=list[bytes])
        ends = np.cumsum(np.frombuffer(next(blocks), np.int64))
        rows += np.split(np.frombuffer(next(blocks), np.float64), ends[:-1])
    return Contents(slots, nodes, meta, events, rows)


def _read_blocks(body: memoryview) -> Iterator[memoryview]:
    at = 0
    while at < len(body):
        length = int.from_bytes(body[at : at + _LENGTH_BYTES], "little")
        at += _LENGTH_BYTES
        yield body[at : at + length]
        at += length
