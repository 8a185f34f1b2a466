"""What a site's TLS certificate says, read from the connection it was verified on."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

import httpx

from crawlers.facts import Certificate

MOST_NAMES = 100


def certificate_of(response: httpx.Response) -> Certificate | None:
    """Return the certificate behind a response that is still open; None over plain HTTP."""
    stream = response.extensions.get("network_stream")
    session = stream.get_extra_info("ssl_object") if stream is not None else None
    if session is None:
        return None
    found: dict[str, Any] = session.getpeercert() or {}
    return Certificate(
        issuer=_name(found.get("issuer", ()), "organizationName") or _name(found.get("issuer", ()), "commonName"),
        not_before=_moment(found.get("notBefore")),
        not_after=_moment(found.get("notAfter")),
        names=tuple(value for kind, value in found.get("subjectAltName", ()) if kind == "DNS")[:MOST_NAMES],
    )


def _name(parts: tuple[tuple[tuple[str, str], ...], ...], wanted: str) -> str:
    return next((value for part in parts for key, value in part if key == wanted), "")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else None
