"""Stores on a database of the test's own that a test may also fill directly, and keys that say how often they were looked up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete

from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.dossiers import Dossier
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.scans import ScanResult
from fraud.storage.actors import SqlActors
from fraud.storage.applications import SqlApplications
from fraud.storage.database import Database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.programs import SqlPrograms
from fraud.storage.scans import SqlScans
from fraud.storage.tables import decisions, programs, scan_nights, scan_subjects, scans


def _empty(database: Database, *tables: object) -> None:
    with database.transaction() as connection:
        for table in tables:
            connection.execute(delete(table))  # type: ignore[arg-type]  # tables of ours


class Scans(SqlScans):
    def only(self, results: Sequence[ScanResult]) -> None:
        _empty(self._database, scans, scan_nights, scan_subjects)
        for result in results:
            self.add(result)


class Decisions(SqlDecisions):
    def none(self) -> None:
        _empty(self._database, decisions)


class Programs(SqlPrograms):
    def only(self, profiles: Sequence[ProgramProfile]) -> None:
        _empty(self._database, programs)
        for profile in profiles:
            self.save(profile)


class Applications(SqlApplications):
    def fill(self, given: Sequence[Application], made: Sequence[Dossier] = ()) -> None:
        for application in given:
            self.save(application)
        for dossier in made:
            self.add_dossier(dossier)


class Actors(SqlActors):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.by_secret: dict[str, Actor] = {}
        self.asked: list[str] = []

    def authenticate(self, secret: str) -> Actor | None:
        self.asked.append(secret)
        return self.by_secret.get(secret)

    def accept_key(self, secret: str, name: str, role: Role, programs: Sequence[str], at: datetime) -> Actor:
        del at
        actor = Actor(kind=ActorKind.KEY, actor_id=f"key:{name}", name=name, role=role, programs=tuple(programs))
        self.by_secret[secret] = actor
        return actor

    def revoke_secret(self, secret: str) -> None:
        del self.by_secret[secret]

    def keys(self) -> list[Actor]:
        return list(self.by_secret.values())
