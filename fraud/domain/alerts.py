"""Alerts: what a person is asked to look at, one per subject and family of evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from fraud.domain.decisions import SubjectKind
from fraud.domain.facets import FacetKind
from fraud.domain.signals import Reason, Severity


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    EXPIRED = "expired"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What people have been told: the kinds of evidence, its strength (fused -log10 p) and what was at stake."""

    families: tuple[str, ...] = ()
    evidence: float = 0.0
    expected_loss: float = 0.0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thing for a person to look at. The id follows from program and subject: one subject is one alert, however often it is seen.

    `suppressed_by` names what keeps it from the queue, though it counts on; `known` is what people have been told, `news` what opened it
    again or was added since; `reopened` counts how often that happened.

    A ring is one alert: `members` are its affiliates, and the decision is that of its riskiest member.
    """

    alert_id: str
    program_id: str
    subject_kind: SubjectKind
    subject_id: str
    severity: Severity
    score: float
    typologies: tuple[str, ...]
    reasons: tuple[Reason, ...]
    decision_id: str
    opened_at: datetime
    last_seen_at: datetime
    times_seen: int = 1
    state: AlertState = AlertState.OPEN
    expected_loss: float = 0.0
    members: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    evidence: float = 0.0
    known: Known = Known()
    news: str = ""
    reopened: int = 0
    resolved_at: datetime | None = None
    snoozed_until: datetime | None = None
    suppressed_by: str = ""


class AlertScope(StrEnum):
    """Which alerts a list shows: those that wait for a person, those kept from the queue, those dealt with, or all."""

    WAITING = "waiting"
    SNOOZED = "snoozed"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    EXPIRED = "expired"
    ALL = "all"


class AlertQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts, largest expected loss first, and which page of them; what is empty asks for nothing.

    `facets` are values that an affiliate of the alert has, `search` is a part of the subject's name, `opened_from` and `opened_before`
    bound when the alert opened, `among` names the alerts it may be and `without` those it may not.
    """

    scope: AlertScope = AlertScope.WAITING
    search: str = ""
    kind: SubjectKind | None = None
    severity: Severity | None = None
    typology: str = ""
    facets: tuple[tuple[FacetKind, str], ...] = ()
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    among: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    limit: int = 25
    offset: int = 0


class AlertCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts of a scope there are, by severity, by kind of subject and by typology (an alert may be of several)."""

    severities: dict[Severity, int] = {}
    kinds: dict[SubjectKind, int] = {}
    typologies: dict[str, int] = {}


Merge = Callable[[Alert, Alert], Alert]
"""What an alert that stands becomes with one more sighting of its subject."""


def counted(standing: Alert, sighting: Alert) -> Alert:
    """The alert after one more sighting, in the state it is in; one that arrives late does not replace newer reasons."""
    newest = sighting if sighting.last_seen_at >= standing.last_seen_at else standing
    return msgspec.structs.replace(
        newest,
        opened_at=min(standing.opened_at, sighting.opened_at),
        times_seen=standing.times_seen + 1,
        state=standing.state,
    )
