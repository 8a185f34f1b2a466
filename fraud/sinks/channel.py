"""Slack-style channels: one message an event, by an incoming webhook's address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fraud.domain.hashing import canonical_json
from fraud.domain.outbox import OutboundEvent
from fraud.sinks.audience import Audience
from fraud.sinks.http import post
from fraud.sinks.words import text_of


@dataclass(frozen=True, kw_only=True)
class Channel(Audience):
    """A channel; its address is the secret."""

    url: str = field(repr=False)

    def deliver(self, event: OutboundEvent, at: datetime) -> None:
        """Posts it once. Signs that a channel would read as links or mentions are taken from the text."""
        text = text_of(event).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        post(self.url, canonical_json({"text": text}), {"Content-Type": "application/json"})
