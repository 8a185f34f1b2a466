"""Programs and their profiles in SQL."""

from __future__ import annotations

from sqlalchemy import select

from fraud.domain.programs import ProgramProfile
from fraud.errors import NotFound
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, upsert
from fraud.storage.tables import programs as table


class SqlPrograms:
    """The `ProgramStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, profile: ProgramProfile) -> None:
        """Keeps a program's profile, or the changed one under the same id."""
        with self._database.transaction() as connection:
            upsert(connection, table, {"program_id": profile.program_id, "document": encode(profile)})

    def get(self, program_id: str) -> ProgramProfile:
        """One profile, or `NotFound`."""
        with self._database.reading() as connection:
            text = connection.execute(select(table.c.document).where(table.c.program_id == program_id)).scalar()
        if text is None:
            raise NotFound(f"There is no program {program_id!r}; save its profile first.")
        return decode(text, ProgramProfile)

    def all(self) -> list[ProgramProfile]:
        """Every program, by id."""
        with self._database.reading() as connection:
            texts = connection.execute(select(table.c.document)).scalars().all()
        profiles = [decode(text, ProgramProfile) for text in texts]
        return sorted(profiles, key=lambda profile: profile.program_id)  # here, because databases differ in how they sort text
