"""A piece of the graph as a drawing: accounts as dots, what they share as labels between them, lines from each to each.

Things of one kind that the same accounts have are one label (`12 visitors’ devices`), so that a drawing stays readable. The layout is
Kamada-Kawai's, which is the same for the same graph; labels that would overlap are moved apart. No script, no font of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import networkx as nx
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fraud.domain.graph_view import Neighbourhood
from fraud.domain.scans import HeldThings, Ring
from fraud.links.kinds import LINK_KINDS, LinkTier, tier_of
from fraud.reports import words

_WIDTH, _MARGIN = 760.0, 24.0
_HEIGHTS = (260.0, 620.0)
_LETTER, _LINE = 6.4, 22.0
_ROUNDS = 300
_MOST_DRAWN = 24
_MOST_NEIGHBOURS = 10
_MOST_GROUPS = 8
"""Groups of things by who has them that a reader can tell apart; of more, each kind is drawn as one."""
_MOST_THINGS = 10
_KEPT = 128

Boxes = NDArray[np.float64]


@dataclass(frozen=True)
class _Label:
    """One node: its text, whether it is an account, and its class in the style sheet."""

    key: str
    text: str
    full: str
    account: bool
    style: str

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its box."""
        return max(len(self.text) * _LETTER + 18.0, 30.0), _LINE + (10.0 if self.account else 2.0)


@lru_cache(maxsize=_KEPT)
def draw_ring(ring: Ring) -> Markup:
    """A ring's members and what they share, by who has it. Kept: a report shows it with each of its members, and a layout takes long."""
    members = ring.affiliate_ids[:_MOST_DRAWN]
    return _drawn(dict.fromkeys(members, "member"), ring.things, f"{words.count(len(ring.affiliate_ids), 'affiliate')} and what they share")


def draw_neighbourhood(around: Neighbourhood) -> Markup:
    """An affiliate and the closest of its neighbours with what they share with it."""
    mine = [link for link in around.links if around.affiliate_id in {link.left, link.right}]
    close = {around.affiliate_id} | {name for link in mine[:_MOST_NEIGHBOURS] for name in (link.left, link.right)}
    roles = {node.node_id: node.role for node in around.nodes if node.node_id in close}
    held: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for edge in around.edges:
        held[edge.entity.partition(":")[0], edge.entity].add(edge.affiliate)
    of_centre = {thing: owners for thing, owners in held.items() if around.affiliate_id in owners}
    return _drawn(roles, grouped(of_centre), f"Around {around.affiliate_id}")


def grouped(held: Mapping[tuple[str, str], set[str]]) -> tuple[HeldThings, ...]:
    """Things by (kind, name) with who has them, as groups of a kind that the same accounts have; the largest first."""
    groups: defaultdict[tuple[str, tuple[str, ...]], int] = defaultdict(int)
    for (kind, _), owners in held.items():
        groups[kind, tuple(sorted(owners))] += 1
    ordered = sorted(groups.items(), key=lambda item: (-len(item[0][1]), -item[1], item[0]))
    return tuple(HeldThings(kind=kind, count=count, affiliate_ids=owners) for (kind, owners), count in ordered)


def _by_kind(things: Sequence[HeldThings]) -> tuple[HeldThings, ...]:
    """All things of a kind as one, with everybody who has any of them."""
    counts: Counter[str] = Counter()
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for held in things:
        counts[held.kind] += held.count
        owners[held.kind] |= set(held.affiliate_ids)
    return tuple(HeldThings(kind=kind, count=count, affiliate_ids=tuple(sorted(owners[kind]))) for kind, count in counts.items())


def _drawn(roles: Mapping[str, str], things: Sequence[HeldThings], title: str) -> Markup:
    told = [one for one in things if len(set(one.affiliate_ids) & set(roles)) >= 2]
    shown = told if len(told) <= _MOST_GROUPS else _by_kind(told)
    shown = sorted(shown, key=lambda one: (list(LinkTier).index(tier_of(one.kind)), -one.count, one.kind))[:_MOST_THINGS]
    joined = {name for one in shown for name in one.affiliate_ids}
    roles = {name: role for name, role in roles.items() if name in joined or role == "centre"} if shown else roles
    labels = [_account(name, role) for name, role in roles.items()] + [_thing(number, one) for number, one in enumerate(shown)]
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(label.key for label in labels)
    for number, held in enumerate(shown):
        graph.add_edges_from((f"thing:{number}", f"account:{one}") for one in held.affiliate_ids if one in roles)
    height = float(np.clip(34.0 * len(labels), *_HEIGHTS))
    places = _placed(graph, labels, height)
    index = {label.key: number for number, label in enumerate(labels)}
    lines = Markup("").join(
        Markup('<line class="spoke" x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}"/>').format(*places[index[one]], *places[index[other]])
        for one, other in graph.edges
    )
    dots = Markup("").join(_dot(label, *places[number]) for number, label in enumerate(labels))
    return Markup('<svg class="ring graph" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}{}</svg>').format(
        _WIDTH, height, words.clean(title), lines, dots
    )


def _account(name: str, role: str) -> _Label:
    clean = words.clean(name)
    return _Label(f"account:{name}", words.short(clean, 18), clean, True, role)


def _thing(number: int, held: HeldThings) -> _Label:
    known = LINK_KINDS.get(held.kind)
    one, many = (known.what, known.many) if known else (held.kind.replace("_", " "), held.kind.replace("_", " "))
    text = one if held.count == 1 else f"{held.count:,} {many}"
    return _Label(f"thing:{number}", words.short(words.clean(text), 34), words.clean(text), False, tier_of(held.kind).value)


def _placed(graph: nx.Graph[str], labels: Sequence[_Label], height: float) -> Boxes:
    """The middle of every label's box (labels, 2), none of them over another or outside."""
    layout = nx.kamada_kawai_layout(_joined(graph)) if len(labels) > 1 else {label.key: (0.0, 0.0) for label in labels}
    places = np.array([layout[label.key] for label in labels], dtype=np.float64)
    span = np.maximum(places.max(axis=0) - places.min(axis=0), 1e-9)
    sizes = np.array([label.size for label in labels], dtype=np.float64)
    room = np.array([_WIDTH, height])
    inner = room - 2 * _MARGIN - sizes.max(axis=0)
    places = _MARGIN + sizes.max(axis=0) / 2 + (places - places.min(axis=0)) / span * np.maximum(inner, 1.0)
    for _ in range(_ROUNDS):
        if not _push_apart(places, sizes):
            break
        places = np.clip(places, sizes / 2 + 4.0, room - sizes / 2 - 4.0)
    return np.asarray(places, dtype=np.float64)


def _joined(graph: nx.Graph[str]) -> nx.Graph[str]:
    """The graph with its parts strung together, because the layout needs one piece."""
    whole = graph.copy()
    parts = [min(part) for part in nx.connected_components(graph)]
    whole.add_edges_from(pairwise(parts))
    return whole


def _push_apart(places: Boxes, sizes: Boxes) -> bool:
    """Moves overlapping boxes half their overlap away from each other, along the shorter way; whether any did overlap."""
    moved = False
    for one in range(len(places)):
        for other in range(one + 1, len(places)):
            gap = places[other] - places[one]
            overlap = (sizes[one] + sizes[other]) / 2 + 4.0 - np.abs(gap)
            if (overlap > 0.0).all():
                axis = int(overlap[1] > overlap[0] * 0.6) ^ 1 if overlap[0] < overlap[1] else 1
                step = overlap[axis] / 2 * (1.0 if gap[axis] >= 0 else -1.0)
                places[one, axis] -= step
                places[other, axis] += step
                moved = True
    return moved


def _dot(label: _Label, x: float, y: float) -> Markup:
    if label.account:
        return Markup(
            '<g><title>{}</title><circle class="member {}" cx="{:.0f}" cy="{:.0f}" r="7"/>'
            '<text class="name" x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text></g>'
        ).format(label.full, label.style, x, y - 6, x, y + 15, label.text)
    width, height = label.size
    return Markup(
        '<g><title>{}</title><rect class="hub {}" x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}" rx="8"/>'
        '<text class="what" x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text></g>'
    ).format(label.full, label.style, x - width / 2, y - height / 2, width, height, x, y + 4, label.text)
