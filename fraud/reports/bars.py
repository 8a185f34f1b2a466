"""Bars of one affiliate beside everybody else, as SVG: a bar for the share seen, a tick for the share that is usual."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from fraud.domain.shapes import Bin
from fraud.reports import words

_ROW, _LEFT, _RIGHT, _WIDTH = 22.0, 132.0, 62.0, 420.0
_HEIGHT, _FOOT, _HEAD = 120.0, 16.0, 16.0


def share_rows(bins: Sequence[Bin], label: str) -> Markup:
    """One row a bin: label, bar, tick for the others, and the share in figures."""
    top = max((value for one in bins for value in (one.own, one.others or 0.0)), default=0.0) or 1.0
    rows = Markup("").join(_row(number, one, top) for number, one in enumerate(bins))
    return Markup('<svg class="bars" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, len(bins) * _ROW + 4, words.clean(_said(bins, label)), rows
    )


def _row(number: int, one: Bin, top: float) -> Markup:
    y = number * _ROW
    room = _WIDTH - _LEFT - _RIGHT
    tick = Markup("")
    if one.others is not None:
        x = _LEFT + room * one.others / top
        tick = Markup('<line class="bars-usual" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>').format(
            x=x, top=y + 3, bottom=y + 21
        )
    return Markup(
        '<g><title>{}: {} of this affiliate{}</title><text class="bars-text" x="{:.0f}" y="{:.1f}" text-anchor="end">{}</text>'
        '<rect class="bars-own" x="{:.0f}" y="{:.1f}" width="{:.1f}" height="12" rx="2"/>{}'
        '<text class="bars-text" x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(
        words.clean(one.label),
        words.share(one.own),
        "" if one.others is None else f", {words.share(one.others)} of the others",
        _LEFT - 8,
        y + 16,
        words.short(words.clean(one.label), 20),
        _LEFT,
        y + 6,
        max(room * one.own / top, 0.5 if one.own else 0.0),
        tick,
        _WIDTH - _RIGHT + 8,
        y + 16,
        words.share(one.own),
    )


def share_columns(bins: Sequence[Bin], label: str) -> Markup:
    """One column a bin, with a tick where the others stand: for the hours of a day."""
    top = max((value for one in bins for value in (one.own, one.others or 0.0)), default=0.0) or 1.0
    step = _WIDTH / max(len(bins), 1)
    columns = Markup("").join(_column(number, one, (step, top)) for number, one in enumerate(bins))
    columns += Markup(
        '<line class="trend-base" x1="0" x2="{w:.0f}" y1="{y:.0f}" y2="{y:.0f}"/>'
        '<text class="bars-text" x="{w:.0f}" y="{text:.0f}" text-anchor="end">{top}</text>'
    ).format(w=_WIDTH, y=_HEAD, text=_HEAD - 4, top=words.share(top))
    return Markup('<svg class="bars" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT + _FOOT, words.clean(_said(bins, label)), columns
    )


def _column(number: int, one: Bin, scale: tuple[float, float]) -> Markup:
    step, top = scale
    x, height = number * step, (_HEIGHT - _HEAD) * one.own / top
    tick = Markup("")
    if one.others is not None:
        y = _HEIGHT - (_HEIGHT - _HEAD) * one.others / top
        tick = Markup('<line class="bars-usual" x1="{:.1f}" x2="{:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>').format(x + 1, x + step - 1, y=y)
    named = Markup("")
    if number % 3 == 0:
        named = Markup('<text class="bars-text" x="{:.1f}" y="{:.0f}" text-anchor="middle">{}</text>').format(
            x + step / 2, _HEIGHT + _FOOT - 3, one.label
        )
    return Markup('<g><title>{}: {}{}</title><rect class="bars-own" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>{}{}</g>').format(
        one.label,
        words.share(one.own),
        "" if one.others is None else f", others {words.share(one.others)}",
        x + step * 0.15,
        _HEIGHT - height,
        step * 0.7,
        height,
        tick,
        named,
    )


def _said(bins: Sequence[Bin], label: str) -> str:
    """The chart as a sentence: its title and its three largest bars."""
    largest = sorted((one for one in bins if one.own), key=lambda one: -one.own)[:3]
    return f"{label}: {', '.join(f'{one.label} {words.share(one.own)}' for one in largest) or 'nothing seen'}"
