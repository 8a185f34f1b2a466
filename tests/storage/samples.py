"""Small whole examples of what the stores keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fraud.domain.alerts import Alert
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.scans import CommissionAtRisk, Counts, Period, RankedSubject, Ring, ScanResult, SharedEntities
from fraud.domain.signals import Evidence, Family, Reason, Severity, Signal, Status, Tier

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = Artefact(id="standard", hash="5f" * 32)
REASON = Reason(
    code="timing.burst",
    family=Family.TIMING,
    severity=Severity.HIGH,
    text="Clicks arrive in bursts — «ünïcode» 🦉",
    value=12.5,
    baseline=1.25,
    sample_size=480,
    tier=Tier.ASSOCIATIVE,
    also_explained_by="a newsletter",
    evidence=(Evidence(detail={"table": "clicks", "rows": [1, 2]}),),
)


def later(hours: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=hours)


def decision(decision_id: str = "dec_1", **changes: Any) -> Decision:
    """A scan's decision on the affiliate `aff_1`."""
    values: dict[str, Any] = {
        "program_id": "shoes",
        "kind": DecisionKind.SCAN,
        "subject_kind": SubjectKind.AFFILIATE,
        "subject_id": "aff_1",
        "as_of": NOON,
        "decided_at": NOON,
        "decided_by": "system",
        "verdict": verdict(),
        "signals": (Signal(check_id="timing.burst", subject="aff_1", status=Status.FINDING, value={"hours": [1, 2.5, None]}),),
        "policy": POLICY,
        "inputs": {"features": {"clicks": 480, "share": 0.1, "unknown": None}},
    }
    return Decision(decision_id=decision_id, **{**values, **changes})


def verdict(score: float = 0.75) -> Verdict:
    """A verdict that asks for review."""
    return Verdict(
        outcome=Outcome.REVIEW,
        score=score,
        coverage=0.5,
        typologies=("click_flooding",),
        reasons=(REASON,),
        guards=("one family only",),
        public_reason="Traffic needs review.",
    )


def alert(alert_id: str = "alr_1", **changes: Any) -> Alert:
    """An alert on the affiliate `aff_1`, first seen at noon."""
    values: dict[str, Any] = {
        "program_id": "shoes",
        "subject_kind": SubjectKind.AFFILIATE,
        "subject_id": "aff_1",
        "severity": Severity.HIGH,
        "score": 0.5,
        "typologies": ("click_flooding",),
        "reasons": (REASON,),
        "decision_id": "dec_1",
        "opened_at": NOON,
        "last_seen_at": NOON,
    }
    return Alert(alert_id=alert_id, **{**values, **changes})


def scan(scan_id: str = "scn_1", **changes: Any) -> ScanResult:
    """A night with one affiliate, one of its sub-IDs, a ring and an alert."""
    affiliate = RankedSubject(
        affiliate_id="aff_1",
        rank=1,
        score=0.75,
        outcome=Outcome.REVIEW,
        alerted=True,
        decision_id="dec_1",
        typologies=("click_flooding",),
        reasons=(REASON,),
        clicks=480,
        conversions=3,
        commission=Decimal("12.30"),
        commission_at_risk=CommissionAtRisk(low=Decimal("1.00"), mid=None, high=Decimal("12.30"), currency="EUR"),
    )
    values: dict[str, Any] = {
        "program_id": "shoes",
        "as_of": NOON,
        "window": Period(start=later(-24), end=NOON),
        "reference": "same-night",
        "mode": "budget",
        "mode_reason": "no reviews yet",
        "counts": Counts(clicks=480, conversions=3, affiliates=1, duplicate_rows=0, rejected_rows=0),
        "affiliates": (affiliate,),
        "sub_ids": (RankedSubject(**{**_fields(affiliate), "sub_id": "s1"}),),
        "rings": (Ring(ring_id="rng_1", affiliate_ids=("aff_1", "aff_2"), shared=(SharedEntities(kind="device", count=2),), score=0.5),),
        "alerts": (alert(),),
        "policy": POLICY,
        "models": (),
    }
    return ScanResult(scan_id=scan_id, **{**values, **changes})


def application(application_id: str = "app_1", **changes: Any) -> Application:
    """An applicant with one site."""
    values: dict[str, Any] = {"program_id": "shoes", "name": "Zoë Åberg", "websites": ("https://example.com/",), "applied_at": NOON}
    return Application(application_id=application_id, **{**values, **changes})


def dossier(application_id: str = "app_1", **changes: Any) -> Dossier:
    """What was found about that applicant."""
    values: dict[str, Any] = {
        "program_id": "shoes",
        "decision_id": "dec_1",
        "as_of": NOON,
        "outcome": Outcome.REVIEW,
        "score": 0.25,
        "coverage": 0.5,
        "typologies": (),
        "signals": (Signal(check_id="website.reachable", subject="example.com", status=Status.INCONCLUSIVE),),
        "public_reason": "We need more time.",
        "needed": ("a site that answers",),
        "policy": POLICY,
        "models": (),
        "facts": {"pages": 3, "languages": ["en", "sv"]},
    }
    return Dossier(application_id=application_id, **{**values, **changes})


def profile(program_id: str = "shoes", **changes: Any) -> ProgramProfile:
    """A program that sells shoes."""
    return ProgramProfile(
        **{"program_id": program_id, "name": "Shoes", "keywords": ("running", "löpning"), "allows_email": False, **changes}
    )


def _fields(subject: RankedSubject) -> dict[str, Any]:
    return {name: getattr(subject, name) for name in subject.__struct_fields__}
