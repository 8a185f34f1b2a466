"""Stores that keep everything in memory, for pages under test. Each fulfils its port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.alerts import Alert
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.scans import ScanResult
from fraud.errors import Conflict, NotFound


@dataclass
class Decisions:
    kept: list[Decision] = field(default_factory=list)

    def add(self, decisions: Sequence[Decision]) -> None:
        if {one.decision_id for one in decisions} & {one.decision_id for one in self.kept}:
            raise Conflict("The decision is already kept.")
        self.kept.extend(decisions)

    def get(self, program_id: str, decision_id: str) -> Decision:
        found = self.find(decision_id)
        if found.program_id != program_id:
            raise NotFound(f"There is no decision {decision_id} in this program.")
        return found

    def find(self, decision_id: str) -> Decision:
        for one in self.kept:
            if one.decision_id == decision_id:
                return one
        raise NotFound(f"There is no decision {decision_id} in this program.")

    def latest(self, program_id: str, kind: DecisionKind, subject_id: str) -> Decision | None:
        mine = [one for one in self.kept if (one.program_id, one.kind, one.subject_id) == (program_id, kind, subject_id)]
        return max(mine, key=lambda one: one.decided_at, default=None)

    def subjects(self, program_id: str, kind: DecisionKind, since: datetime) -> list[str]:
        return [one.subject_id for one in self.kept if (one.program_id, one.kind) == (program_id, kind) and one.decided_at >= since]


@dataclass
class Scans:
    kept: list[ScanResult] = field(default_factory=list)

    def add(self, result: ScanResult) -> None:
        self.kept.append(result)

    def get(self, program_id: str, scan_id: str) -> ScanResult:
        for one in self.kept:
            if (one.program_id, one.scan_id) == (program_id, scan_id):
                return one
        raise NotFound(f"There is no scan {scan_id} in this program.")

    def latest(self, program_id: str) -> ScanResult | None:
        return next(iter(self.recent(program_id, 1)), None)

    def recent(self, program_id: str, limit: int) -> list[ScanResult]:
        mine = [one for one in self.kept if one.program_id == program_id]
        return sorted(mine, key=lambda one: one.as_of, reverse=True)[:limit]


@dataclass
class Alerts:
    kept: list[Alert] = field(default_factory=list)

    def record(self, alerts: Sequence[Alert]) -> list[Alert]:
        self.kept.extend(alerts)
        return list(alerts)

    def get(self, program_id: str, alert_id: str) -> Alert:
        for one in self.open_alerts(program_id):
            if one.alert_id == alert_id:
                return one
        raise NotFound(f"There is no alert {alert_id} in this program.")

    def open_alerts(self, program_id: str) -> list[Alert]:
        mine = [one for one in self.kept if one.program_id == program_id]
        return sorted(mine, key=lambda one: (-one.expected_loss, -one.score))


@dataclass
class Applications:
    given: list[Application] = field(default_factory=list)
    made: list[Dossier] = field(default_factory=list)

    def save(self, application: Application) -> None:
        self.given.append(application)

    def add(self, application: Application) -> Application:
        self.given.append(application)
        return application

    def get(self, program_id: str, application_id: str) -> Application:
        for one in self.given:
            if (one.program_id, one.application_id) == (program_id, application_id):
                return one
        raise NotFound(f"There is no application {application_id} in this program.")

    def add_dossier(self, dossier: Dossier) -> None:
        self.made.append(dossier)

    def dossier(self, program_id: str, application_id: str) -> Dossier:
        for one in reversed(self.made):
            if (one.program_id, one.application_id) == (program_id, application_id):
                return one
        raise NotFound(f"There is no application {application_id} in this program.")

    def dossiers(self, program_id: str, limit: int) -> list[Dossier]:
        return [one for one in reversed(self.made) if one.program_id == program_id][:limit]


@dataclass
class Programs:
    kept: list[ProgramProfile] = field(default_factory=list)

    def save(self, profile: ProgramProfile) -> None:
        self.kept.append(profile)

    def get(self, program_id: str) -> ProgramProfile:
        for one in self.kept:
            if one.program_id == program_id:
                return one
        raise NotFound(f"There is no program {program_id}.")

    def all(self) -> list[ProgramProfile]:
        return sorted(self.kept, key=lambda one: one.program_id)


@dataclass
class Actors:
    by_secret: dict[str, Actor] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def authenticate(self, secret: str) -> Actor | None:
        self.asked.append(secret)
        return self.by_secret.get(secret)

    def create_key(self, name: str, role: Role, programs: Sequence[str], at: datetime) -> tuple[Actor, str]:
        secret = f"key-{len(self.by_secret)}"
        return self.accept_key(secret, name, role, programs, at), secret

    def accept_key(self, secret: str, name: str, role: Role, programs: Sequence[str], at: datetime) -> Actor:
        del at
        actor = Actor(kind=ActorKind.KEY, actor_id=f"key:{name}", name=name, role=role, programs=tuple(programs))
        self.by_secret[secret] = actor
        return actor

    def revoke(self, secret: str) -> None:
        del self.by_secret[secret]

    def keys(self) -> list[Actor]:
        return list(self.by_secret.values())
