"""What the graph says of one affiliate: with whom it acts together, by what, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class GraphPattern(StrEnum):
    """The ways in which accounts turn out to belong together."""

    RING = "ring"
    BLOCK = "block"
    LOCKSTEP = "lockstep"
    REPLAY = "replay"
    NEIGHBOUR = "neighbour"


PATTERNS = len(GraphPattern) - 1
"""Patterns that are looked for in traffic; neighbours are another matter."""
MOST_FROM_NEIGHBOURS = 0.5
"""What confirmed neighbours add at most, in -log10 p (`detection.md` 5): never enough for anything by itself."""


class GraphFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One pattern that an affiliate is part of.

    `evidence` is -log10 p, at most 12. `others` are the other members (none when it only repeats itself); `shared` counts what they have
    in common by kind of entity; `typologies` are the contract's names for what it may be. `text` says it in words.
    """

    pattern: GraphPattern
    evidence: float
    others: tuple[str, ...]
    shared: dict[str, int]
    typologies: tuple[str, ...]
    text: str


def graph_evidence(findings: Iterable[GraphFinding]) -> float | None:
    """One affiliate's -log10 p from the graph: the strongest pattern, divided by how many are tried; `None` without any.

    Somebody of whom nothing was found is unknown to the graph, not cleared by it: most honest affiliates share something or nothing alike.
    """
    found = list(findings)
    patterns = [finding.evidence for finding in found if finding.pattern is not GraphPattern.NEIGHBOUR]
    strongest = max(max(patterns, default=0.0) - math.log10(PATTERNS), 0.0)
    neighbours = max((finding.evidence for finding in found if finding.pattern is GraphPattern.NEIGHBOUR), default=0.0)
    total = strongest + min(neighbours, MOST_FROM_NEIGHBOURS)
    return total if total > 0.0 else None
