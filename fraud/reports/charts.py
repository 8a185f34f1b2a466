"""Charts as SVG, drawn on the server: no script, no font of their own, coloured by the page's style sheet.

Horizontal places are percentages, so that a chart is as wide as its column and dots stay round. Every piece of outside text passes
through `Markup.format`, which escapes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from fraud.domain.peers import PeerComparison
from fraud.domain.scans import Ring
from fraud.reports import words
from fraud.reports.drawing import draw_ring

_MARGIN = 2.0  # per cent left free on both sides, half of a dot
_SPREADS_SHOWN = 4.0  # a value further out than this many spreads of its peers is drawn at the edge, so that the peers stay visible
_MEMBERS_DRAWN = 12
_ROW = 34


def score_bar(score: float, tone: str = "calm") -> Markup:
    """A bar for a score between 0 and 1; the figure itself stands beside it, so the bar is hidden from screen readers."""
    width = 100 * min(max(score, 0.0), 1.0) if math.isfinite(score) else 0.0
    return Markup(
        '<svg class="bar {tone}" height="8" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100%" height="8" rx="4"/><rect class="fill" width="{width:.1f}%" height="8" rx="4"/></svg>'
    ).format(tone=tone, width=width)


@dataclass(frozen=True)
class Scale:
    """A linear scale from `low` to `high`; `clipped` says that the value lies beyond it."""

    low: float
    high: float
    clipped: int

    def place(self, value: float) -> float:
        """Where a value lies, in per cent of the chart's width."""
        span = self.high - self.low
        part = (value - self.low) / span if span > 0 else 0.5
        return _MARGIN + (100 - 2 * _MARGIN) * min(max(part, 0.0), 1.0)


def scale_of(comparison: PeerComparison) -> Scale:
    """A scale on which the peers' spread stays visible, however far out the value lies."""
    low, high = comparison.quantiles[0], comparison.quantiles[-1]
    value, spread = comparison.value, high - low
    if not math.isfinite(value):
        return Scale(low, high, 0)
    if spread <= 0:
        return Scale(min(low, value), max(high, value), 0)
    top, bottom = high + _SPREADS_SHOWN * spread, low - _SPREADS_SHOWN * spread
    clipped = (value > top) - (value < bottom)
    return Scale(max(min(low, value), bottom), min(max(high, value), top), clipped)


def peer_strip(comparison: PeerComparison) -> Markup:
    """One affiliate on the spread of its peers: line from 5 to 95%, box for the middle half, tick for the median, dot for the value."""
    scale = scale_of(comparison)
    q05, q25, q50, q75, q95 = (scale.place(q) for q in comparison.quantiles)
    spread = Markup(
        '<line class="reach" x1="{q05:.2f}%" x2="{q95:.2f}%" y1="14" y2="14"/>'
        '<rect class="half" x="{q25:.2f}%" width="{half:.2f}%" y="7" height="14" rx="3"/>'
        '<line class="median" x1="{q50:.2f}%" x2="{q50:.2f}%" y1="4" y2="24"/>'
    ).format(q05=q05, q95=q95, q25=q25, half=max(q75 - q25, 0.4), q50=q50)
    return Markup('<svg class="strip" height="28" role="img" aria-label="{label}">{spread}{dot}</svg>').format(
        label=peer_words(comparison), spread=spread, dot=_dot(comparison.value, scale)
    )


def _dot(value: float, scale: Scale) -> Markup:
    if not math.isfinite(value):
        return Markup("")
    place = scale.place(value)
    if scale.clipped:
        shape = "M-6 -7 L7 0 L-6 7 z" if scale.clipped > 0 else "M6 -7 L-7 0 L6 7 z"
        return Markup('<svg class="beyond" x="{x:.2f}%" y="14"><path class="value" d="{shape}"/></svg>').format(x=place, shape=shape)
    return Markup('<circle class="value" cx="{x:.2f}%" cy="14" r="6"/>').format(x=place)


def peer_words(comparison: PeerComparison) -> str:
    """What the strip shows, as a sentence."""
    seen = words.quantity(comparison.value, comparison.unit)
    return f"{comparison.title}: {seen}; half of the peers lie between {usual_range(comparison)}."


def usual_range(comparison: PeerComparison) -> str:
    """The middle half of the peers: `3% and 7%`, to follow "between"."""
    _, low, _, high, _ = comparison.quantiles
    return f"{words.quantity(low, comparison.unit)} and {words.quantity(high, comparison.unit)}"


def ring_graph(ring: Ring) -> Markup:
    """The members of a ring around what they share.

    A ring that tells who has what is drawn so; of an older one only the numbers are known, and the lines lead to one hub.
    Members stand in two bowed columns with a row each: their names can never overlap.
    """
    if ring.things:
        return draw_ring(ring)
    drawn = ring.affiliate_ids[:_MEMBERS_DRAWN]
    rows = max(math.ceil(len(drawn) / 2), 1)
    lines = [words.shared(one.kind, one.count) for one in ring.shared] or ["what they share is not recorded"]
    height = max(rows * _ROW, len(lines) * 17 + 34) + 16
    places = [_member_place(index, rows, height) for index in range(len(drawn))]
    spokes = Markup("").join(
        Markup('<line class="spoke" x1="200" y1="{middle}" x2="{x:.0f}" y2="{y:.0f}"/>').format(middle=height / 2, x=x, y=y)
        for x, y in places
    )
    members = Markup("").join(_member(name, x, y) for name, (x, y) in zip(drawn, places, strict=True))
    return Markup('<svg class="ring" viewBox="0 0 400 {height}" role="img" aria-label="{label}">{spokes}{hub}{members}</svg>').format(
        height=height,
        label=f"{words.count(len(ring.affiliate_ids), 'affiliate')} share {words.join(lines)}",
        spokes=spokes,
        hub=_hub(lines, height / 2),
        members=members,
    )


def _member_place(index: int, rows: int, height: int) -> tuple[float, float]:
    row, right = divmod(index, 2)
    y = height / 2 + (row - (rows - 1) / 2) * _ROW
    bow = 16 * abs(2 * (row - (rows - 1) / 2) / rows)
    return (294 - bow if right else 106 + bow), y


def _member(name: str, x: float, y: float) -> Markup:
    right = x > 200
    return Markup(
        '<g><title>{full}</title><circle class="member" cx="{x:.0f}" cy="{y:.0f}" r="6"/>'
        '<text class="name" x="{tx:.0f}" y="{ty:.0f}" text-anchor="{anchor}">{name}</text></g>'
    ).format(
        full=words.clean(name),
        x=x,
        y=y,
        tx=x + (11 if right else -11),
        ty=y + 4,
        anchor="start" if right else "end",
        name=words.short(words.clean(name), 13),
    )


def _hub(lines: list[str], middle: float) -> Markup:
    height = len(lines) * 17 + 12
    texts = Markup("").join(
        Markup('<text class="what" x="200" y="{y:.0f}" text-anchor="middle">{line}</text>').format(
            y=middle - height / 2 + 19 + 17 * index, line=words.short(words.clean(line), 18)
        )
        for index, line in enumerate(lines)
    )
    return Markup('<rect class="hub" x="138" y="{y:.0f}" width="124" height="{height}" rx="8"/>{texts}').format(
        y=middle - height / 2, height=height, texts=texts
    )
