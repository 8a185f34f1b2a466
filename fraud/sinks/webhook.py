"""Webhooks: the event as JSON, signed with the time so that it can be neither forged nor played again."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from fraud.domain.hashing import canonical_json
from fraud.domain.outbox import OutboundEvent
from fraud.sinks.audience import Audience
from fraud.sinks.http import post


@dataclass(frozen=True, kw_only=True)
class Webhook(Audience):
    """A receiver of signed events. While a secret is rotated there are two, and both sign."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)

    def deliver(self, event: OutboundEvent, at: datetime) -> None:
        """Sends it once."""
        body = document(event)
        post(self.url, body, {"Content-Type": "application/json", **signed(body, self.secrets, at, event.event_id)})


def document(event: OutboundEvent) -> bytes:
    """The body of a webhook."""
    return canonical_json(
        {
            "id": event.event_id,
            "type": event.kind.value,
            "program_id": event.program_id,
            "subject": event.subject,
            "created_at": event.created_at,
            "data": event.data,
        }
    )


def signed(body: bytes, secrets: tuple[str, ...], at: datetime, event_id: str) -> dict[str, str]:
    """The headers of a delivery (CONTRACT 4): `X-Fraud-Signature: v1=…`, one for each secret, over `timestamp + "." + body`."""
    timestamp = str(int(at.timestamp()))
    signatures = ",".join(f"v1={signature(secret, timestamp, body)}" for secret in secrets)
    return {"X-Fraud-Timestamp": timestamp, "X-Fraud-Signature": signatures, "X-Fraud-Event-Id": event_id}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`HMAC_SHA256(secret, timestamp + "." + body)` in hex."""
    return hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hex()
