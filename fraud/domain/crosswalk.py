"""Our reason codes in the words of other products, for integrations that already speak those. What has no counterpart is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

Dialect = Literal["appsflyer", "adjust", "24metrics"]
"""The products whose words are known, from their public documentation."""

_BOT = {"appsflyer": "bots", "24metrics": "Emulator & Bots"}
_TOO_FAST = {"appsflyer": "ctit_anomalies", "adjust": "engagement_injection", "24metrics": "Session Time"}
_TOO_MANY = {"appsflyer": "click_flood", "adjust": "too_many_engagements", "24metrics": "Duplicate Clicks"}
_FLAT = {"appsflyer": "click_flood", "adjust": "distribution_outlier", "24metrics": "Click Flooding"}
_LISTED = {"appsflyer": "site_blacklist", "24metrics": "Blacklist"}
_ANONYMOUS = {"adjust": "anonymous_traffic", "24metrics": "VPN/Residential Proxy"}
_BEHAVIOUR = {"appsflyer": "behavioral_anomalies", "24metrics": "Third Party Rejection"}

CROSSWALK: Mapping[str, Mapping[str, str]] = {
    "device.declared_bot": _BOT,
    "device.bot_converted": _BOT,
    "device.automated_visit": _BOT,
    "volume.duplicate_click": _TOO_MANY,
    "volume.click_burst": _TOO_MANY,
    "volume.unusual_click": _FLAT,
    "conversion.repeat_order": _TOO_MANY,
    "identity.repeat_customer": _TOO_MANY,
    "timing.fast_conversion": _TOO_FAST,
    "timing.fast_form": _TOO_FAST,
    "network.hosting": _ANONYMOUS,
    "quality.disposable_email": _BEHAVIOUR,
    "policy.affiliate_suspended": _LISTED,
    "policy.converted_while_suspended": _LISTED,
}
"""Reason code to the other products' own names for the same thing."""


def in_words_of(dialect: Dialect, codes: Iterable[str]) -> tuple[str, ...]:
    """The other product's names for these reason codes, each once, in order."""
    names = (CROSSWALK.get(code, {}).get(dialect) for code in codes)
    return tuple(dict.fromkeys(name for name in names if name))
