"""An event in a line or two, for people: what happened, to whom, and why."""

from __future__ import annotations

from typing import Any

from fraud.domain.outbox import EventKind, OutboundEvent

_TITLES = {
    EventKind.ALERT_OPENED: "Needs review",
    EventKind.DECISION_MADE: "Decided",
    EventKind.COMMISSION_HOLD: "Commission on hold",
    EventKind.COMMISSION_RELEASE: "Commission released",
    EventKind.CAP_RECOMMENDED: "Cap recommended",
    EventKind.APPLICATION_DECIDED: "Application decided",
    EventKind.WATCH_DIGEST: "On watch",
}


_TOLD = ("outcome", "severity", "score", "amount", "cap", "watched", "new", "gone", "calm_nights")
"""The figures of an event that people are told."""


def title_of(event: OutboundEvent) -> str:
    """One line."""
    return f"{_TITLES[event.kind]}: {event.subject} ({event.program_id})"


def text_of(event: OutboundEvent) -> str:
    """A few lines: the title, then what the event's data say in words."""
    lines = [title_of(event)]
    lines += [f"{name.replace('_', ' ')}: {_said(event.data[name])}" for name in _TOLD if name in event.data]
    lines += [f"- {reason}" for reason in _reasons(event.data)]
    lines += [f"- {one['affiliate_id']} ({one['score']:.2f}): {' '.join(one['reasons'])}" for one in event.data.get("affiliates", [])]
    return "\n".join(lines)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "nobody"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _reasons(data: dict[str, Any]) -> list[str]:
    given = data.get("reasons", [])
    return [str(reason["text"] if isinstance(reason, dict) else reason) for reason in given][:5]
