"""Figures over nights as SVG: bars for counts and amounts, a line for the risk of one affiliate. No script, coloured by the style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from fraud.reports import words

_WIDTH, _HEIGHT, _FOOT = 600.0, 96.0, 16.0
_SCALE = (0.0, 0.5, 1.0)
"""Where lines of a risk chart stand, with the figure beside them."""


def trend_chart(points: Sequence[tuple[datetime, float | None]], label: str, unit: str = "") -> Markup:
    """One bar a night, oldest first; a night whose figure is unknown has a short dotted mark instead of a bar of no height."""
    known = [value for _, value in points if value is not None and math.isfinite(value)]
    top = max(known, default=0.0) or 1.0
    step = _WIDTH / max(len(points), 12)
    left = _WIDTH - step * len(points)  # a young program's nights stand at the right, where the newest always is
    bars = Markup("").join(_bar(left + index * step, point, (step, top), unit) for index, point in enumerate(points))
    return _chart(label, points, bars + _ceiling(_value(max(known), unit) if known else ""), left)


def count_chart(points: Sequence[tuple[datetime, float]], label: str) -> Markup:
    """A line of counts over time, oldest first, from zero to the highest, which is written beside it."""
    top = max((value for _, value in points), default=0.0) or 1.0
    step = _WIDTH / max(len(points) - 1, 1)
    line = " ".join(f"{index * step:.1f},{_HEIGHT - (_HEIGHT - 16) * value / top:.1f}" for index, (_, value) in enumerate(points))
    drawn = Markup('<polyline class="trend-line" points="{}"/>').format(line)
    return _chart(label, points, drawn + _ceiling(words.number(top)))


def risk_chart(points: Sequence[tuple[datetime, float | None]], label: str) -> Markup:
    """A line from 0 to 1 over nights, oldest first, with a dot for the newest and the scale at the left."""
    left = 28.0
    step = (_WIDTH - left - 6) / max(len(points) - 1, 1)
    places = [(left + index * step, _height_of(value)) for index, (_, value) in enumerate(points) if value is not None]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = Markup("").join(_gridline(left, _height_of(value), f"{value:g}") for value in _SCALE)
    drawn += Markup('<polyline class="trend-line" points="{}"/>').format(line)
    dot = Markup('<circle class="trend-dot" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(*places[-1]) if places else Markup("")
    return _chart(label, points, drawn + dot, left, axis=left)


def _height_of(risk: float) -> float:
    """Where a risk stands in the drawing."""
    return 6 + (_HEIGHT - 6) * (1 - min(max(risk, 0.0), 1.0))


def _gridline(left: float, y: float, text: str) -> Markup:
    return Markup(
        '<line class="trend-base" x1="{left:.0f}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="trend-text" x="{label:.0f}" y="{base:.1f}" text-anchor="end">{text}</text>'
    ).format(left=left, right=_WIDTH, y=y, label=left - 5, base=y + 4, text=text)


def _bar(left: float, point: tuple[datetime, float | None], scale: tuple[float, float], unit: str) -> Markup:
    (at, value), (step, top) = point, scale
    x, width = left + step * 0.12, step * 0.76
    if value is None or not math.isfinite(value):
        return Markup(
            '<g><title>{}: unknown</title><rect class="trend-unknown" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="2"/></g>'
        ).format(words.day(at), x, _HEIGHT - 2, width)
    height = max(value / top * (_HEIGHT - 16), 1.0)
    return Markup(
        '<g><title>{}: {}</title><rect class="trend-bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5"/></g>'
    ).format(words.day(at), _value(value, unit), x, _HEIGHT - height, width, height)


def _value(value: float, unit: str) -> str:
    return words.money(value, unit) if unit and unit.isupper() else f"{words.number(value)} {unit}".strip()


def _ceiling(text: str) -> Markup:
    """The highest figure, with a line where it stands."""
    if not text:
        return Markup("")
    line = Markup('<line class="trend-base" x1="0" x2="{w:.0f}" y1="16" y2="16"/>').format(w=_WIDTH)
    return line + Markup('<text class="trend-text" x="{w:.0f}" y="11" text-anchor="end">{text}</text>').format(w=_WIDTH, text=text)


def _chart(label: str, points: Sequence[tuple[datetime, float | None]], drawn: Markup, left: float = 0.0, axis: float = 0.0) -> Markup:
    base = Markup('<line class="trend-base" x1="{x:.0f}" x2="{w:.0f}" y1="{h:.0f}" y2="{h:.0f}"/>').format(x=axis, w=_WIDTH, h=_HEIGHT)
    ends = Markup("")
    if len(points) > 1 and left < _WIDTH / 2:
        ends = Markup('<text class="trend-text" x="{x:.0f}" y="{y:.0f}">{first}</text>').format(
            x=left, y=_HEIGHT + _FOOT - 2, first=words.day(points[0][0])
        )
    if points:
        ends += Markup('<text class="trend-text" x="{w:.0f}" y="{y:.0f}" text-anchor="end">{last}</text>').format(
            w=_WIDTH, y=_HEIGHT + _FOOT - 2, last=words.day(points[-1][0])
        )
    return Markup('<svg class="trend" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}{}{}</svg>').format(
        _WIDTH, _HEIGHT + _FOOT, words.clean(label), base, drawn, ends
    )
