"""Seeded randomness, split by name, and the mixing that turns numbers into identifiers without a telling order."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def stream(seed: int, *name: object) -> np.random.Generator:
    """A generator for one purpose; what one purpose draws never changes what another sees."""
    digest = hashlib.sha256("\x1f".join(map(str, name)).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4)]
    return np.random.default_rng([seed, *words])


def fresh(rng: np.random.Generator, count: int) -> U64:
    """`count` random 64-bit identities, none of them 0 (0 stands for missing)."""
    return rng.integers(1, 2**64, count, dtype=np.uint64)


def mix(values: U64, salt: int) -> U64:
    """A one-to-one scrambling of 64-bit numbers (the finaliser of splitmix64): order and neighbourhood are lost, equality is kept."""
    z = values + np.uint64(salt)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def pick(rng: np.random.Generator, weights: npt.ArrayLike, count: int) -> Ints:
    """`count` indices, each drawn with probability in proportion to its weight."""
    cumulative = np.cumsum(np.asarray(weights, dtype=float))
    drawn: Ints = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right").astype(np.int64)
    return np.minimum(drawn, len(cumulative) - 1)


def pick_rows(rng: np.random.Generator, weights: Floats, rows: npt.NDArray[Any]) -> Ints:
    """For each entry of `rows` an index drawn with the weights of that row of the `(n, k)` matrix."""
    cumulative = np.cumsum(weights, axis=1)
    cumulative /= cumulative[:, -1:]
    u = rng.random(len(rows))
    drawn = np.zeros(len(rows), dtype=np.int64)
    for column in range(weights.shape[1] - 1):
        drawn += u > cumulative[rows, column]
    return drawn
