"""Prints of texts and trees: what makes two sites comparable without keeping either, and how alike two prints are.

`simhash` (64 bits; Charikar 2002) is near for near texts. `minhash` (128 values over five-word shingles; Broder 1997) estimates the Jaccard
similarity with a standard error of at most 0.045. Both are pure: the same text always gives the same print.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

WORD = re.compile(r"\w+")
SHINGLE = 5
MOST_SHINGLES = 20_000
PERMUTATIONS = 128
BANDS = 32
"""Bands of four values each: two texts with similarity .5 share a band with probability .87, with .8 practically always."""
PRIME = np.uint64((1 << 61) - 1)

Values = npt.NDArray[np.uint64]


class SitePrint(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a site to compare later ones with: no text, no personal value.

    `minhash` and `simhash` are those of the whole text, `pages` words and MinHash of each page with enough of it. `owners` are keyed
    hashes of what the applicant stated (e-mail, payout account, tax id, phone), which tell whether two sites are one owner's. `marks` are
    account numbers and icons as `kind value`, `shapes` the sketch of the home page's tree; `ties` is what puts it into the graph of who
    shares what with whom, as it was `seen`.
    """

    application_id: str
    domain: str
    owners: tuple[str, ...] = ()
    words: int = 0
    simhash: int = 0
    minhash: tuple[int, ...] = ()
    pages: tuple[tuple[int, tuple[int, ...]], ...] = ()
    marks: tuple[str, ...] = ()
    shapes: tuple[int, ...] = ()
    ties: tuple[tuple[str, str], ...] = ()
    seen: datetime | None = None


def shingles(text: str, length: int = SHINGLE) -> set[str]:
    """The runs of `length` words of a text, in lower case."""
    words = WORD.findall(text.lower())[:MOST_SHINGLES]
    return {" ".join(words[start : start + length]) for start in range(max(0, len(words) - length + 1))}


def simhash(text: str) -> int:
    """The 64-bit simhash of a text's three-word runs; 0 for a text that has none."""
    parts = shingles(text, 3)
    if not parts:
        return 0
    hashes = _hashes(parts)
    bits = (hashes[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    set_bits = bits.sum(axis=0) * 2 > len(parts)
    return int(sum(1 << int(place) for place in np.flatnonzero(set_bits)))


def distance(left: int, right: int) -> int:
    """How many bits of two simhashes differ, 0 to 64."""
    return (left ^ right).bit_count()


def minhash(text: str) -> tuple[int, ...]:
    """The 128 MinHash values of a text's five-word shingles; empty for a text that has none."""
    parts = shingles(text)
    if not parts:
        return ()
    hashes = (_hashes(parts) & np.uint64(0xFFFFFFFF))[:, None]
    factors, offsets = _permutations()
    least = ((hashes * factors + offsets) % PRIME & np.uint64(0xFFFFFFFF)).min(axis=0)
    return tuple(int(value) for value in least)


def similarity(left: Sequence[int], right: Sequence[int]) -> float:
    """The estimated Jaccard similarity of two MinHashes, 0..1; 0 when either is empty."""
    if not left or len(left) != len(right):
        return 0.0
    return sum(a == b for a, b in zip(left, right, strict=True)) / len(left)


def copied_share(ours: SitePrint, theirs: SitePrint, twin: float = 0.8) -> float:
    """How much of our text stands on their site too, 0..1: the whole text's similarity, or the words of pages that have a twin there."""
    words = sum(count for count, _ in ours.pages)
    shared = sum(count for count, own in ours.pages if any(similarity(own, other) >= twin for _, other in theirs.pages))
    return max(similarity(ours.minhash, theirs.minhash), shared / words if words else 0.0)


def overlap(left: Sequence[int], right: Sequence[int], size: int = 64) -> float:
    """The estimated Jaccard similarity of two bottom-k sketches, 0..1; 0 when either is empty."""
    ours, theirs = set(left), set(right)
    if not ours or not theirs:
        return 0.0
    smallest = sorted(ours | theirs)[:size]
    return sum(value in ours and value in theirs for value in smallest) / len(smallest)


def bands(values: Sequence[int]) -> tuple[str, ...]:
    """The keys under which a MinHash is looked up: two similar ones share at least one."""
    rows = len(values) // BANDS
    if not rows:
        return ()
    return tuple(
        f"{band:02d}:" + hashlib.blake2b(repr(tuple(values[band * rows : (band + 1) * rows])).encode(), digest_size=8).hexdigest()
        for band in range(BANDS)
    )


def _hashes(parts: set[str]) -> Values:
    digests = b"".join(hashlib.blake2b(part.encode("utf-8", "replace"), digest_size=8).digest() for part in sorted(parts))
    return np.frombuffer(digests, dtype="<u8")


@cache
def _permutations() -> tuple[Values, Values]:
    made = np.random.default_rng(20_260_301)
    factors = made.integers(1, 1 << 28, PERMUTATIONS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return factors, made.integers(0, 1 << 60, PERMUTATIONS, dtype=np.uint64)
