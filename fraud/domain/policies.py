"""Which policy a program lives under, and which it lived under before."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from fraud.domain.decisions import Artefact


class PolicyState(StrEnum):
    """Where a published pack stands: it decides, it is watched beside the one that decides, or its time is over."""

    LIVE = "live"
    SHADOW = "shadow"
    RETIRED = "retired"


class PublishedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A pack as it was published for a program: immutable, kept under its hash."""

    program_id: str
    policy: Artefact
    state: PolicyState
    published_at: datetime
    published_by: str
    reason: str
    retired_at: datetime | None = None
