"""What becomes of an alert when its subject is seen again: counted, brought up to date, and opened again only on news (section 4.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from fraud.domain.alerts import Alert, AlertState, Known
from fraud.domain.suppressions import Suppression
from fraud.policy.pack import AlertPolicy


def seen_again(standing: Alert, sighting: Alert, policy: AlertPolicy) -> Alert:
    """The alert after one more sighting.

    One that arrives late is counted and changes nothing else. An open alert takes the newest reasons; one that was resolved, or expired,
    opens again when there is news and its rest is over. A snooze ends with news.
    """
    counted = msgspec.structs.replace(standing, times_seen=standing.times_seen + 1)
    if sighting.last_seen_at < standing.last_seen_at:
        return msgspec.structs.replace(counted, opened_at=min(standing.opened_at, sighting.opened_at))
    newest = msgspec.structs.replace(
        sighting,
        opened_at=standing.opened_at,
        times_seen=counted.times_seen,
        state=standing.state,
        known=standing.known,
        reopened=standing.reopened,
        resolved_at=standing.resolved_at,
        snoozed_until=standing.snoozed_until,
        news=standing.news,
    )
    news = news_in(standing, sighting, policy)
    if not news or _rests(standing, sighting, policy):
        return newest
    if standing.state is AlertState.OPEN:
        return msgspec.structs.replace(newest, news=news, snoozed_until=None, known=known_of(sighting))
    return msgspec.structs.replace(
        newest,
        state=AlertState.OPEN,
        opened_at=sighting.last_seen_at,
        reopened=standing.reopened + 1,
        resolved_at=None,
        snoozed_until=None,
        news=news,
        known=known_of(sighting),
    )


def news_in(standing: Alert, sighting: Alert, policy: AlertPolicy) -> str:
    """What a sighting says that a person has not been told; empty when nothing."""
    fresh = sorted(set(sighting.families) - set(standing.known.families))
    if fresh:
        return f"Another kind of evidence: {', '.join(fresh)}."
    if sighting.evidence >= standing.known.evidence + policy.reopen_evidence:
        return f"Evidence rose from {standing.known.evidence:.1f} to {sighting.evidence:.1f}."
    if sighting.expected_loss > 0 and sighting.expected_loss >= policy.reopen_exposure_factor * max(standing.known.expected_loss, 1.0):
        return f"What is at stake rose from {standing.known.expected_loss:,.2f} to {sighting.expected_loss:,.2f}."
    return ""


def is_quiet(standing: Alert | None, sighting: Alert, policy: AlertPolicy) -> bool:
    """Whether a sighting would only be counted: people have dealt with the subject, and it asks for nothing new. What is still open is
    not quiet: it keeps its place."""
    if standing is None or standing.state is AlertState.OPEN:
        return False
    return not news_in(standing, sighting, policy) or _rests(standing, sighting, policy)


def under(alert: Alert, suppressions: Iterable[Suppression], at: datetime) -> Alert:
    """The alert as suppressions leave it: kept from the queue by the first that covers it, or free again when none does."""
    covering = next((one.suppression_id for one in suppressions if one.covers(alert, at)), "")
    return alert if alert.suppressed_by == covering else msgspec.structs.replace(alert, suppressed_by=covering)


def snoozed(alert: Alert, until: datetime) -> Alert:
    """The alert, not to be shown before a time unless there is news."""
    return msgspec.structs.replace(alert, snoozed_until=until)


def resolved(alert: Alert, at: datetime) -> Alert:
    """The alert once a person has dealt with it: what it said then is known."""
    return msgspec.structs.replace(alert, state=AlertState.RESOLVED, resolved_at=at, snoozed_until=None, news="", known=known_of(alert))


def expired(alert: Alert, at: datetime, policy: AlertPolicy) -> bool:
    """Whether an open alert has not been seen for so long that its evidence is gone."""
    return alert.state is AlertState.OPEN and at - alert.last_seen_at >= timedelta(days=policy.expire_days)


def known_of(alert: Alert) -> Known:
    """What a person has been told by an alert as it stands."""
    return Known(families=alert.families, evidence=alert.evidence, expected_loss=alert.expected_loss)


def _rests(standing: Alert, sighting: Alert, policy: AlertPolicy) -> bool:
    """Whether the subject was dealt with so lately that even news waits; what is critical now and was not does not wait."""
    if standing.resolved_at is None or (sighting.severity.rank == 4 > standing.severity.rank):
        return False
    return sighting.last_seen_at - standing.resolved_at < timedelta(days=policy.cooldown_days)
