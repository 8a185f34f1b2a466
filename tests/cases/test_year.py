"""A year of nights from streams of scores: a quiet queue, no news twice, everything counted, every word learned from."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from fraud.cases.alerting import Candidate, alert_of, budget_of, choose
from fraud.cases.alerting import seen_again as count_again
from fraud.cases.lifecycle import expired, is_quiet, resolved, seen_again, under
from fraud.cases.precision import rule_precision
from fraud.decisions.deciding import decide_traffic
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.reviews import Disposition, Review, Source
from fraud.domain.signals import Family, Severity, Signal
from fraud.domain.suppressions import Suppression
from fraud.policy.loading import load_pack
from fraud.policy.pack import Pack

PACK = load_pack()
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Year:
    """A program's nights: its affiliates' hidden badness, its alerts, and what reviewers said."""

    affiliates: int
    seed: int
    standing: dict[str, Alert] = field(default_factory=dict)
    opened: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    per_night: list[int] = field(default_factory=list)
    sightings: int = 0
    reviews: list[Review] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)

    def play(self, nights: int, pack: Pack = PACK) -> None:
        random = np.random.default_rng(self.seed)
        bad = random.random(self.affiliates) < 0.05
        onset = random.integers(0, max(nights, 2), self.affiliates)
        hidden = Suppression(
            suppression_id="sup_1",
            program_id="p",
            reason="A partner's test account.",
            created_by="Ada",
            created_at=START,
            expires_at=START + timedelta(days=nights),
            subject_id="a0",
        )
        for night in range(nights):
            now = START + timedelta(days=night)
            candidates = [
                self._candidate(number, bool(bad[number] and night >= onset[number]), random, now) for number in range(self.affiliates)
            ]
            self._night([one for one in candidates if one is not None], now, [hidden], pack)
            self._review(bad, random, now)

    def _candidate(self, number: int, guilty: bool, random: np.random.Generator, now: datetime) -> Candidate | None:
        evidence = float(random.gamma(3, 2) + 3) if guilty or number == 0 else float(random.exponential(0.45))
        if evidence < 1:
            return None
        families = list(random.choice([Family.TIMING, Family.NETWORK, Family.QUALITY], size=2, replace=False))
        signals = [_residual(Family(family)) for family in families] if evidence > 2 else []
        decision = Decision(
            decision_id=f"dec_{number}_{now:%j}",
            program_id="p",
            kind=DecisionKind.SCAN,
            subject_kind=SubjectKind.AFFILIATE,
            subject_id=f"a{number}",
            as_of=now,
            decided_at=now,
            decided_by="system",
            verdict=decide_traffic(PACK, signals, evidence),
            signals=tuple(signals),
            policy=PACK.artefact,
        )
        return Candidate(decision=decision, subject=f"a{number}", exposure=float(random.lognormal(3, 1)), evidence=evidence)

    def _night(self, candidates: list[Candidate], now: datetime, suppressions: list[Suppression], pack: Pack) -> None:
        policy = pack.scan.alerts
        sightings = {one.decision.subject_id: alert_of(one, now) for one in candidates}
        quiet = {name for name, seen in sightings.items() if is_quiet(self.standing.get(seen.alert_id), seen, policy)}
        budget = budget_of(pack.scan, self.affiliates, None)
        fresh = 0
        quiet |= {name for name, seen in sightings.items() if any(one.covers(seen, now) for one in suppressions)}
        chosen = choose(pack.scan, candidates, budget, quiet)
        known = {name: self.standing.get(seen.alert_id) for name, seen in sightings.items()}
        waiting = {name for name, standing in known.items() if standing is not None and standing.state is AlertState.OPEN}
        for one in (*chosen, *count_again(candidates, quiet | waiting, chosen)):
            seen = sightings[one.decision.subject_id]
            before = self.standing.get(seen.alert_id)
            after = under(seen if before is None else seen_again(before, seen, policy), suppressions, now)
            self.standing[seen.alert_id] = after
            self.sightings += 1
            is_new = before is None or (before.state is not AlertState.OPEN and after.state is AlertState.OPEN)
            assert before is None or not is_new or after.news, "nothing opens again without news"
            if is_new and not after.suppressed_by:
                fresh += 1
                self.opened[after.subject_id].append(now)
        self.per_night.append(fresh)
        self.standing |= {name: _expired(alert) for name, alert in self.standing.items() if expired(alert, now, policy)}

    def _review(self, bad: np.ndarray, random: np.random.Generator, now: datetime) -> None:
        queue = [alert for alert in self.standing.values() if alert.state is AlertState.OPEN and not alert.suppressed_by]
        for alert in sorted(queue, key=lambda one: -one.expected_loss)[:8]:
            guilty = bool(bad[int(alert.subject_id[1:])])
            disposition = Disposition.CONFIRMED if guilty else Disposition.DISMISSED
            self.standing[alert.alert_id] = resolved(alert, now)
            self.reviews.append(_review(alert, disposition, now))
            self.labels.append((alert.subject_id, "bad" if guilty else "good"))


def _residual(family: Family) -> Signal:
    found = CHECKS["traffic.peer_residuals"].finding("x", Severity.MEDIUM, Observation(text="seen"))
    return msgspec.structs.replace(found, family=family, reason_code=f"peers.{family.value}")


def _expired(alert: Alert) -> Alert:
    return msgspec.structs.replace(alert, state=AlertState.EXPIRED)


def _review(alert: Alert, disposition: Disposition, now: datetime) -> Review:
    return Review(
        review_id=f"rev_{alert.alert_id}_{now:%j}",
        program_id="p",
        subject_kind=alert.subject_kind,
        subject_id=alert.subject_id,
        source=Source.ALERT,
        disposition=disposition,
        reason="Looked at.",
        reviewer_id="ada",
        reviewer_name="Ada",
        reviewed_at=now,
        alert_id=alert.alert_id,
        decision_id=alert.decision_id,
        reason_codes=tuple(reason.code for reason in alert.reasons),
    )


def _holds(year: Year, nights: int) -> None:
    budget = budget_of(PACK.scan, year.affiliates, None)
    assert max(year.per_night) <= budget
    assert sum(year.per_night) > 0
    rest = timedelta(days=PACK.scan.alerts.cooldown_days)
    assert all(later - earlier >= rest for times in year.opened.values() for earlier, later in itertools.pairwise(times))
    hidden = next(alert for alert in year.standing.values() if alert.subject_id == "a0")
    assert hidden.suppressed_by == "sup_1"
    assert hidden.times_seen > nights / 2, "what is suppressed is counted on"
    assert "a0" not in year.opened
    assert sum(alert.times_seen for alert in year.standing.values()) == year.sightings
    assert len(year.labels) == len(year.reviews) > 0
    precision = rule_precision(year.reviews)
    judged = {(review.alert_id, review.decision_id): review for review in year.reviews}
    expected = sum(len(set(review.reason_codes)) for review in judged.values())
    assert sum(one.confirmed + one.dismissed for one in precision) == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_two_months_of_nights(seed: int) -> None:
    year = Year(affiliates=120, seed=seed)
    year.play(60)
    _holds(year, 60)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 15))
def test_a_year_of_nights(seed: int) -> None:
    year = Year(affiliates=1_000, seed=seed)
    year.play(365)
    _holds(year, 365)
