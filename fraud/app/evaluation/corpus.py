"""What a measurement was made on, as one hash: figures of different programs are not compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from fraud.domain.hashing import canonical_json
from fraud.simulation.program import SimulatedProgram

_TABLES = ("clicks", "conversions", "affiliates", "offers", "calendar", "labels")


def hash_of(program: SimulatedProgram) -> str:
    """The hash of a program's tables and truth, whatever the versions of the libraries that would write them to files."""
    digest = hashlib.sha256(canonical_json(program.truth.as_json()))
    for name in _TABLES:
        digest.update(f"{name}:{_sum_of(getattr(program, name)):016x}".encode())
    return digest.hexdigest()


def joined(hashes: Sequence[str]) -> str:
    """One hash for several programs, in order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _sum_of(table: pd.DataFrame) -> int:
    """The sum of the rows' hashes, columns by name."""
    plain = table.reindex(sorted(table.columns), axis=1)
    for name in plain.columns:
        if plain[name].dtype == object:
            plain[name] = plain[name].astype("str")
    rows = pd.util.hash_pandas_object(plain, index=False).to_numpy(dtype=np.uint64)
    return int(rows.sum(dtype=np.uint64)) ^ len(rows)
