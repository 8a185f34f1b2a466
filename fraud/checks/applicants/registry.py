"""What registries and certificates say of a site's name."""

from __future__ import annotations

from datetime import timedelta

from crawlers.facts import Registration
from fraud.checks.applicants.context import Visit
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits, Observation
from fraud.domain.clock import isoformat
from fraud.domain.signals import Evidence, Severity, Signal

_AGE = CHECKS["website.domain_age"]
_STATUS = CHECKS["website.registration_status"]
_CERTIFICATE = CHECKS["website.certificate"]

TROUBLED = frozenset({"redemption period", "pending delete", "pending restore", "client hold", "server hold", "inactive"})
"""Statuses (RFC 8056) of a name that is about to go or is held."""


def domain_age(visit: Visit, limits: Limits) -> Signal:
    """W13: days since the registration, against the pack's thresholds and the program's own minimum; never more than a warning."""
    said = visit.site.registration
    if said is None:
        return _not_asked(visit, _AGE)
    if said.registered_at is None:
        return _AGE.inconclusive(visit.subject, said.failure or f"The registry does not say when {said.domain} was registered.")
    days = (visit.facts.as_of - said.registered_at).days
    own = visit.profile.minimum_domain_age_days if visit.profile else None
    seen = Observation(
        text=f"{said.domain} was registered {days} days ago, on {said.registered_at.date().isoformat()}.",
        value=days,
        baseline=limits["new_days"] if own is None else max(own, limits["new_days"]),
        unit="days",
        evidence=(_stated(visit, said),),
    )
    if days < limits["very_new_days"] or (own is not None and days < own):
        return _AGE.finding(visit.subject, Severity.MEDIUM, seen)
    return _AGE.finding(visit.subject, Severity.LOW, seen) if days < limits["new_days"] else _AGE.clear(visit.subject, seen)


def _not_asked(visit: Visit, spec: CheckSpec) -> Signal:
    """Without an answer of the site, a registration that was not asked for is one more thing that is unknown."""
    if not visit.site.pages:
        return spec.inconclusive(visit.subject, "The site did not answer, and its registration was not asked for.")
    return spec.not_applicable(visit.subject, "The registration was not asked for.")


def registration_status(visit: Visit, limits: Limits) -> Signal:
    """W14: a name that is being deleted, held, or about to expire."""
    said = visit.site.registration
    if said is None:
        return _not_asked(visit, _STATUS)
    if said.failure or not (said.statuses or said.expires_at):
        return _STATUS.inconclusive(visit.subject, said.failure or f"The registry gives no status for {said.domain}.")
    left = None if said.expires_at is None else (said.expires_at - visit.facts.as_of).days
    expiring = left is not None and left < limits["expires_days"]
    troubled = TROUBLED.intersection(said.statuses)
    when = "" if said.expires_at is None else f"; it runs until {said.expires_at.date().isoformat()}"
    seen = Observation(
        text=f"Status of {said.domain}: {', '.join(said.statuses) or 'none given'}{when}.",
        value={"statuses": list(said.statuses), "days_left": left},
        evidence=(_stated(visit, said),),
    )
    if troubled:
        return _STATUS.finding(visit.subject, Severity.MEDIUM, seen)
    return _STATUS.finding(visit.subject, Severity.LOW, seen) if expiring else _STATUS.clear(visit.subject, seen)


def _stated(visit: Visit, said: Registration) -> Evidence:
    moments = {"registered_at": said.registered_at, "expires_at": said.expires_at}
    detail = {name: isoformat(moment) for name, moment in moments.items() if moment}
    return Evidence(url=said.source_url, fetched_at=visit.site.finished_at, detail=detail | {"statuses": list(said.statuses)})


def certificate(visit: Visit, limits: Limits) -> Signal:
    """W15: secure connections that fail, and certificates about to expire. A site without any is told of, not blamed."""
    failures = [one for one in (visit.site.failure, *visit.site.failures) if one is not None and one.kind == "tls"]
    if failures:
        evidence = (Evidence(url=failures[0].url, fetched_at=visit.site.started_at, excerpt="", detail={"kind": "tls"}),)
        return _CERTIFICATE.finding(visit.subject, Severity.LOW, Observation(text=failures[0].message, evidence=evidence))
    if not visit.site.pages:
        return _CERTIFICATE.inconclusive(visit.subject, "The site did not answer, so its certificate is unknown.")
    said = visit.site.certificate
    if said is None or said.not_after is None:
        return _CERTIFICATE.not_applicable(visit.subject, "The site was read without a secure connection.")
    left = (said.not_after - visit.facts.as_of) / timedelta(days=1)
    seen = Observation(
        text=f"The certificate by {said.issuer or 'an authority without a name'} is valid for {left:.0f} more day(s).",
        value=round(left, 1),
        baseline=limits["expires_days"],
        unit="days",
        evidence=(Evidence(url=visit.site.final_url, fetched_at=visit.site.started_at, detail={"names": list(said.names[:10])}),),
    )
    if left < limits["expires_days"]:
        return _CERTIFICATE.finding(visit.subject, Severity.LOW, seen)
    return _CERTIFICATE.clear(visit.subject, seen)
