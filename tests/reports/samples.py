"""A made-up program for the tests of reports and pages: one night with a ring and an honest crowd, and two applicants."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from fraud.domain.alerts import Alert
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.domain.dossiers import Dossier
from fraud.domain.ids import stable_id
from fraud.domain.peers import PeerComparison
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.scans import CommissionAtRisk, Counts, Period, RankedSubject, Ring, ScanResult, SharedEntities
from fraud.domain.signals import Evidence, Family, Reason, Severity, Signal, Status, Tier

NIGHT = datetime(2026, 3, 4, tzinfo=UTC)
POLICY = Artefact(id="default", hash="5f" * 32)
FOREST = Artefact(id="forest", hash="a1" * 32)
HOSTILE = '<script>alert("x")</script>'
RIGHT_TO_LEFT = "\u202eevil\u202c שותף טוב"
LONG = "partner-" + "x" * 300


def profile(program_id: str = "default", name: str = "Green Garden Tools") -> ProgramProfile:
    return ProgramProfile(name=name, program_id=program_id, vertical="home and garden")


def risk(mid: str | None, currency: str | None = "EUR") -> CommissionAtRisk:
    if mid is None:
        return CommissionAtRisk(low=None, mid=None, high=None, currency=None)
    middle = Decimal(mid)
    return CommissionAtRisk(low=middle * Decimal("0.6"), mid=middle, high=middle * Decimal("1.3"), currency=currency)


def flooding() -> Reason:
    return Reason(
        code="timing.late_conversions",
        family=Family.TIMING,
        severity=Severity.HIGH,
        text="61% of the conversions come too long after their click to be caused by it; 4% is usual on the same offers.",
        value=0.61,
        baseline=0.04,
        unit="share",
        sample_size=212,
        tier=Tier.ASSOCIATIVE,
        also_explained_by="Considered purchases and long trials; offers learn their own delay.",
        evidence=(
            Evidence(detail={"table": "conversions", "example": "cv-20418", "click_to_conversion": "6 d 4 h"}),
            Evidence(detail={"table": "conversions", "example": "cv-20533", "click_to_conversion": "6 d 22 h"}),
        ),
    )


def few_conversions() -> Reason:
    return Reason(
        code="conversion.too_few",
        family=Family.CONVERSION,
        severity=Severity.MEDIUM,
        text="212 conversions from 48,210 clicks, where the same offers would give about 1,060.",
        value=0.2,
        baseline=1.0,
        unit="ratio",
        sample_size=48_210,
        tier=Tier.ASSOCIATIVE,
        also_explained_by="Giveaways, viral posts and curious audiences convert little; the expectation allows for part of that.",
    )


def shared_identity() -> Reason:
    return Reason(
        code="graph.shared_identity",
        family=Family.GRAPH,
        severity=Severity.HIGH,
        text="Shares one payout account and two devices with four other affiliates that declare no common owner.",
        value=["1 payout account", "2 devices"],
        sample_size=5,
        tier=Tier.ASSOCIATIVE,
        also_explained_by="Agencies and families: a declared group is known and not accused.",
    )


def peers(factor: float) -> tuple[PeerComparison, ...]:
    """Comparisons of an affiliate whose values lie `factor` times its peers' median."""
    return (
        PeerComparison(
            feature="late_share",
            title="Conversions long after the click",
            unit="share",
            value=min(0.04 * factor, 1.0),
            z=factor / 2,
            sample_size=212,
            quantiles=(0.01, 0.025, 0.04, 0.07, 0.12),
        ),
        PeerComparison(
            feature="conversion_rate",
            title="Conversions per click",
            unit="share",
            value=0.022 / factor,
            z=factor / 3,
            sample_size=48_210,
            quantiles=(0.009, 0.016, 0.022, 0.029, 0.041),
        ),
        PeerComparison(
            feature="median_delay",
            title="Time from click to conversion",
            unit="s",
            value=1_900.0 * factor * factor,
            z=factor / 4,
            sample_size=212,
            quantiles=(240.0, 900.0, 1_900.0, 5_400.0, 22_000.0),
        ),
        PeerComparison(
            feature="clicks_per_address",
            title="Clicks per address",
            unit="clicks",
            value=1.4,
            z=0.0,
            sample_size=48_210,
            quantiles=(1.1, 1.2, 1.4, 1.7, 2.6),
        ),
    )


def subject(rank: int, affiliate_id: str, score: float, outcome: Outcome = Outcome.PASS, reasons: tuple[Reason, ...] = ()) -> RankedSubject:
    alerted = outcome in {Outcome.HOLD, Outcome.REVIEW}
    return RankedSubject(
        affiliate_id=affiliate_id,
        rank=rank,
        score=score,
        outcome=outcome,
        alerted=alerted,
        decision_id=f"dec_{rank:05d}",
        typologies=("click_flooding",) if reasons else (),
        reasons=reasons,
        clicks=max(48_210 // rank, 40),
        conversions=max(212 // rank, 1),
        commission=Decimal("3180.00") / rank,
        commission_at_risk=risk("1940.00" if alerted else None),
        peers=peers(15.0 if alerted else 1.2),
    )


def crowd(first_rank: int, count: int) -> list[RankedSubject]:
    rng = random.Random(7)
    return [subject(first_rank + place, f"AFF-{rng.randrange(10_000, 99_999)}-{place}", 0.3 / (1 + place / 9)) for place in range(count)]


def alert(subject_id: str, *reasons: Reason, kind: SubjectKind = SubjectKind.AFFILIATE, loss: float = 1940.0) -> Alert:
    return Alert(
        alert_id=stable_id("alr", kind, subject_id),
        program_id="default",
        subject_kind=kind,
        subject_id=subject_id,
        severity=Severity.HIGH,
        score=0.91,
        typologies=("collusion_ring",) if kind is SubjectKind.RING else ("click_flooding",),
        reasons=reasons or (flooding(), few_conversions()),
        decision_id="dec_00001",
        opened_at=NIGHT - timedelta(days=2),
        last_seen_at=NIGHT,
        times_seen=3,
        expected_loss=loss,
    )


def ring(*affiliate_ids: str) -> Ring:
    return Ring(
        ring_id="ring_0a7kq2m3p9x4w8c1",
        affiliate_ids=affiliate_ids,
        shared=(
            SharedEntities(kind="payout_account", count=1),
            SharedEntities(kind="device", count=2),
            SharedEntities(kind="network", count=3),
        ),
        score=0.84,
    )


RING_MEMBERS = ("nordic-deals", "coupon-harbour", "sparfuchs24", "deal-lantern", "daily-bargain-box")


def scan_result(affiliates: int = 60, *, scan_id: str = "scn_00000000night1", program_id: str = "default") -> ScanResult:
    """A night in which two affiliates and a ring need a person; everybody else passes."""
    worst = subject(1, "nordic-deals", 0.91, Outcome.HOLD, (flooding(), few_conversions(), shared_identity()))
    second = subject(2, "coupon-harbour", 0.78, Outcome.REVIEW, (shared_identity(),))
    third = subject(3, "morning-news-letter", 0.44, Outcome.WATCH, (few_conversions(),))
    sub_ids = tuple(
        msgspec.structs.replace(worst, sub_id=name, score=score, outcome=outcome, clicks=clicks, conversions=conversions, peers=())
        for name, score, outcome, clicks, conversions in (
            ("banner-17", 0.93, Outcome.HOLD, 44_020, 196),
            ("newsletter", 0.12, Outcome.PASS, 3_900, 15),
            ("", 0.05, Outcome.PASS, 290, 1),
        )
    )
    return ScanResult(
        scan_id=scan_id,
        program_id=program_id,
        as_of=NIGHT,
        window=Period(start=NIGHT - timedelta(days=3), end=NIGHT),
        reference=Period(start=NIGHT - timedelta(days=31), end=NIGHT - timedelta(days=3)),
        mode="budget",
        mode_reason="only 12 affiliates have been reviewed so far, too few to estimate false alerts",
        counts=Counts(clicks=412_877, conversions=8_214, affiliates=affiliates, duplicate_rows=31, rejected_rows=4),
        affiliates=(worst, second, third, *crowd(4, affiliates - 3)),
        sub_ids=sub_ids,
        rings=(ring(*RING_MEMBERS),),
        alerts=(alert("nordic-deals"), alert("ring_0a7kq2m3p9x4w8c1", shared_identity(), kind=SubjectKind.RING)),
        policy=POLICY,
        models=(FOREST,),
        notes=("the affiliates table was missing, so everybody has the same peers",),
    )


def quiet_scan(mode: Literal["budget", "fdr"] = "fdr") -> ScanResult:
    """A night without alerts, judged by its own peers."""
    return msgspec.structs.replace(
        scan_result(),
        affiliates=tuple(crowd(1, 8)),
        sub_ids=(),
        rings=(),
        alerts=(),
        reference="same-night",
        mode=mode,
        mode_reason="",
        notes=(),
        counts=Counts(clicks=900, conversions=1, affiliates=8, duplicate_rows=0, rejected_rows=0),
    )


def hostile_scan() -> ScanResult:
    """A night whose names try to break the page."""
    nasty = Reason(
        code="volume.odd", family=Family.VOLUME, severity=Severity.HIGH, text=HOSTILE, value={HOSTILE: "'\"&"}, also_explained_by=HOSTILE
    )
    names = (HOSTILE, RIGHT_TO_LEFT, LONG, "=HYPERLINK(1)", '"><img src=x onerror=alert(1)>', "a\x00b\x1bc")
    subjects = tuple(subject(rank, name, 0.9 - rank / 100, Outcome.REVIEW, (nasty,)) for rank, name in enumerate(names, 1))
    return msgspec.structs.replace(
        scan_result(),
        affiliates=subjects,
        rings=(ring(*names),),
        alerts=tuple(alert(name, nasty) for name in names),
        notes=(HOSTILE,),
    )


def application(application_id: str = "app_0001") -> Application:
    return Application(
        application_id=application_id,
        name="Mira Lindqvist",
        company="Balkongliv",
        email="mira@balkongliv.example",
        country="SE",
        websites=("https://balkongliv.example",),
        social_profiles=("https://social.example/@balkongliv",),
        affiliate_type="content",
        traffic_sources=("search", "newsletter"),
        claimed_monthly_visits=40_000,
        description="Growing vegetables on a northern balcony, with honest reviews of small tools.",
        payout_account="SE3550000000054910000003",
        tax_id="850101-1234",
        signup_ip="203.0.113.9",
        applied_at=NIGHT - timedelta(hours=5),
    )


def page_evidence(excerpt: str) -> Evidence:
    return Evidence(url="https://balkongliv.example/tips", fetched_at=NIGHT, sha256="9c" * 32, excerpt=excerpt)


def vetting_signals() -> tuple[Signal, ...]:
    """One signal of every status, under each of the four questions."""

    def signal(check_id: str, status: Status, family: Family, text: str, **more: object) -> Signal:
        return msgspec.structs.replace(
            Signal(check_id=check_id, subject="balkongliv.example", status=status, family=family, text=text), **more
        )

    return (
        signal(
            "website.hidden_tracking",
            Status.FINDING,
            Family.POLICY,
            "The page opens one of the program’s own tracking links in a frame of one pixel, without a click.",
            severity=Severity.CRITICAL,
            tier=Tier.CONCLUSIVE,
            reason_code="policy.hidden_tracking",
            value=1,
            also_explained_by="Consent-mode pixels of a network’s own tag, or a link checker.",
            evidence=(page_evidence('<iframe src="https://go.greengarden.example/t?a=77" width="1" height="1">'),),
        ),
        signal(
            "website.disclosure",
            Status.FINDING,
            Family.POLICY,
            "Nine affiliate links, and no disclosure near them.",
            severity=Severity.LOW,
            reason_code="policy.no_disclosure",
            value=9,
        ),
        signal("website.topic", Status.CLEAR, Family.CONTENT, "41% of the program’s keywords occur on the site."),
        signal("website.reachable", Status.CLEAR, Family.CONTENT, "The site answered at once."),
        signal("website.parked", Status.CLEAR, Family.CONTENT, "1,840 words of its own on the front page."),
        signal("website.thin", Status.ERROR, Family.CONTENT, "The page limit was reached before three pages were read."),
        signal("website.social_profiles", Status.INCONCLUSIVE, Family.IDENTITY, "The profile’s host did not answer within 10 s."),
        signal("application.email_domain", Status.CLEAR, Family.IDENTITY, "The address is of the site’s own domain."),
        signal("website.identity_pages", Status.CLEAR, Family.IDENTITY, "An imprint, a contact page and a privacy page."),
        signal("website.language", Status.NOT_APPLICABLE, Family.CONTENT, "The program names no languages."),
    )


def dossier(outcome: Outcome = Outcome.REVIEW, *, application_id: str = "app_0001", program_id: str = "default") -> Dossier:
    return Dossier(
        application_id=application_id,
        program_id=program_id,
        decision_id="dec_vet01",
        as_of=NIGHT,
        outcome=outcome,
        score=0.83,
        coverage=0.78,
        typologies=("cookie_stuffing", "forced_click"),
        signals=vetting_signals(),
        public_reason="The website opens tracking links without the visitor’s click, which our terms do not allow.",
        needed=("The element removed, and a second visit.", "A link from the site to the profile, and from the profile to the site."),
        policy=POLICY,
        models=(FOREST,),
        facts={"website": {"pages_read": 6, "words": 1840}},
    )


def clean_dossier() -> Dossier:
    """An applicant against whom nothing was found, and everything could be checked."""
    clear = tuple(one for one in vetting_signals() if one.status is Status.CLEAR)
    return msgspec.structs.replace(
        dossier(Outcome.APPROVE, application_id="app_0002"),
        signals=clear,
        needed=(),
        typologies=(),
        score=0.04,
        coverage=1.0,
        public_reason="",
    )


def decision(decision_id: str = "dec_00001", *, program_id: str = "default") -> Decision:
    reasons = (flooding(), few_conversions())
    return Decision(
        decision_id=decision_id,
        program_id=program_id,
        kind=DecisionKind.SCAN,
        subject_kind=SubjectKind.AFFILIATE,
        subject_id="nordic-deals",
        as_of=NIGHT,
        decided_at=NIGHT + timedelta(minutes=4),
        decided_by="system",
        verdict=Verdict(
            outcome=Outcome.HOLD,
            score=0.91,
            coverage=0.95,
            typologies=("click_flooding",),
            reasons=reasons,
            guards=("suspension_waits_for_a_person",),
            public_reason="Conversions are unusually late after the click.",
        ),
        signals=(
            Signal(
                check_id="traffic.late_conversions",
                subject="nordic-deals",
                status=Status.FINDING,
                severity=Severity.HIGH,
                tier=Tier.ASSOCIATIVE,
                family=Family.TIMING,
                reason_code="timing.late_conversions",
                text=flooding().text,
                value=0.61,
            ),
            Signal(
                check_id="traffic.declared_bots",
                subject="nordic-deals",
                status=Status.CLEAR,
                family=Family.DEVICE,
                text="0.4% of the clicks.",
            ),
        ),
        policy=POLICY,
        models=(FOREST,),
        feature_set_hash="c3" * 32,
        inputs={"features": {"late_share": 0.61, "clicks": 48_210}, "evidence": 6.4},
        evidence_manifest=("9c" * 32,),
        run_id="scn_00000000night1",
    )
