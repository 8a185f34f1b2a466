"""The HTTP client towards sinks: addresses are the operator's own choice, answers are hardly read, redirects are not followed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx

from fraud.domain.outbox import DeliveryFault

TIMEOUT_SECONDS = 10.0
"""Receivers are asked to answer at once and work later; the same as the trackers' own postbacks allow."""

_SHOWN = 200
_AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 after which another attempt may go well."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Sends a body; anything but a 2xx is a `DeliveryFault`, final when the receiver refuses for good."""
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=dict(headers)) as response,
        ):
            _require_taken(response)
    except httpx.InvalidURL as fault:
        raise DeliveryFault(f"the address cannot be used: {fault}", final=True) from fault
    except httpx.HTTPError as fault:
        raise DeliveryFault(f"no answer ({type(fault).__name__})") from fault


def _require_taken(response: httpx.Response) -> None:
    if response.is_success:
        return
    final = response.status_code < 500 and response.status_code not in _AGAIN
    raise DeliveryFault(f"answered {response.status_code} {response.reason_phrase}".rstrip(), final=final, wait=_asked_wait(response))


def _asked_wait(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("retry-after", "")
    return timedelta(seconds=min(int(seconds), 86_400)) if seconds.isdigit() else None
