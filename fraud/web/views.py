"""What each page shows, read from the stores of one program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraud.domain.alerts import Alert
from fraud.domain.decisions import DecisionKind, SubjectKind
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application
from fraud.domain.scans import RankedSubject, ScanResult
from fraud.errors import NotFound
from fraud.reports.dossier import subject_of
from fraud.reports.scan import headline, money_at_risk, section_of
from fraud.web.stores import PageStores

_ALERTS_TODAY = 8
_APPLICANTS_TODAY = 5
_APPLICANTS_LISTED = 100
_SCANS_LISTED = 14
_NIGHTS_SHOWN = 7


@dataclass(frozen=True)
class ScanLine:
    """One scan in a line."""

    result: ScanResult
    headline: str
    money_at_risk: str


@dataclass(frozen=True)
class Applicant:
    """One applicant in a line."""

    name: str
    dossier: Dossier


@dataclass(frozen=True)
class Night:
    """Where an affiliate stood in one scan."""

    scan_id: str
    as_of: datetime
    subject: RankedSubject


def today(stores: PageStores, program_id: str) -> dict[str, Any]:
    """Open alerts by expected loss, the latest scan's headline, and the newest dossiers."""
    latest = stores.scans.latest(program_id)
    open_alerts = stores.alerts.open_alerts(program_id)
    return {
        "title": "Today",
        "latest": _line(latest) if latest else None,
        "alerts": open_alerts[:_ALERTS_TODAY],
        "more_alerts": max(len(open_alerts) - _ALERTS_TODAY, 0),
        "currency": _currency(latest),
        "applicants": applicants(stores, program_id, _APPLICANTS_TODAY),
    }


def alerts(stores: PageStores, program_id: str) -> dict[str, Any]:
    """Every open alert."""
    currency = _currency(stores.scans.latest(program_id))
    return {"title": "Alerts", "alerts": stores.alerts.open_alerts(program_id), "currency": currency}


def recent_scans(stores: PageStores, program_id: str) -> list[ScanLine]:
    """The newest scans, a line each."""
    return [_line(result) for result in stores.scans.recent(program_id, _SCANS_LISTED)]


def applicants(stores: PageStores, program_id: str, limit: int = _APPLICANTS_LISTED) -> list[Applicant]:
    """The newest dossiers with their applicants' names."""
    return [_applicant(stores, program_id, dossier) for dossier in stores.applications.dossiers(program_id, limit)]


def affiliate(stores: PageStores, program_id: str, affiliate_id: str) -> dict[str, Any]:
    """An affiliate in the newest scans; `NotFound` when neither they nor any decision know it."""
    results = stores.scans.recent(program_id, _NIGHTS_SHOWN)
    section = section_of(results[0], affiliate_id) if results else None
    decided = stores.decisions.latest(program_id, DecisionKind.SCAN, affiliate_id)
    nights = [night for result in results if (night := _night(result, affiliate_id))]
    if not nights and decided is None:
        raise NotFound(f"No scan has seen the affiliate {affiliate_id[:80]}. It shows here after its first night with traffic.")
    return {
        "title": affiliate_id,
        "affiliate_id": affiliate_id,
        "latest": results[0] if results else None,
        "section": section,
        "nights": nights,
        "decided": decided,
        "alerts": [one for one in stores.alerts.open_alerts(program_id) if _about(one, affiliate_id)],
        "currency": _currency(results[0] if results else None),
        "applied": _application_of(stores, program_id, affiliate_id),
    }


def application(stores: PageStores, program_id: str, application_id: str) -> tuple[Application | None, Dossier | None]:
    """An application and its newest dossier, either of which may be missing; `NotFound` when both are."""
    given = _application_of(stores, program_id, application_id)
    try:
        return given, stores.applications.dossier(program_id, application_id)
    except NotFound:
        if given is None:
            raise
        return given, None


def _line(result: ScanResult) -> ScanLine:
    return ScanLine(result, headline(result), money_at_risk(result))


def _applicant(stores: PageStores, program_id: str, dossier: Dossier) -> Applicant:
    return Applicant(subject_of(dossier, _application_of(stores, program_id, dossier.application_id)), dossier)


def _application_of(stores: PageStores, program_id: str, application_id: str) -> Application | None:
    try:
        return stores.applications.get(program_id, application_id)
    except NotFound:
        return None


def _night(result: ScanResult, affiliate_id: str) -> Night | None:
    subject = next((one for one in result.affiliates if one.affiliate_id == affiliate_id), None)
    return Night(result.scan_id, result.as_of, subject) if subject else None


def _about(alert: Alert, affiliate_id: str) -> bool:
    return alert.subject_kind is SubjectKind.AFFILIATE and alert.subject_id == affiliate_id


def _currency(result: ScanResult | None) -> str | None:
    """The currency that expected losses are in, when the scan knows only one."""
    found = {one.commission_at_risk.currency for one in result.affiliates} - {None} if result else set()
    return found.pop() if len(found) == 1 else None
