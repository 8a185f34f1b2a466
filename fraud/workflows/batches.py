"""Batches of applications from CSV: rows that cannot be read are set aside with line and reason, and a run that broke off goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fraud.domain.hashing import sha256_of
from fraud.domain.programs import Application
from fraud.errors import ProfileError
from fraud.workflows.applications import application_of, numbered, raw_rows, row_of


@dataclass(frozen=True)
class SetAside:
    """A row that was not vetted: its line in the file (None when it was read but its vetting broke off), and why."""

    line: int | None
    application_id: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """The applications of a file in order, and what was set aside. `name` is the same for the same content of the file."""

    applications: tuple[Application, ...]
    set_aside: tuple[SetAside, ...]
    name: str


def read_batch(path: Path) -> Batch:
    """One application a row; a faulty row is set aside. A file without a readable header or any row is a `ProfileError`."""
    applications: list[Application] = []
    aside: list[SetAside] = []
    seen: Counter[str] = Counter()
    for line, header, cells in raw_rows(path):
        try:
            row = row_of(header, cells, f"{path}, line {line}")
            application = application_of(row, f"{path}, line {line}")
        except ProfileError as fault:
            aside.append(SetAside(line, "", str(fault)))
            continue
        seen[application.application_id] += 1
        count = seen[application.application_id]
        if count > 1 and row.get("application_id"):
            reason = f"{path}, line {line}: the field application_id repeats {application.application_id!r}; give every row its own."
            aside.append(SetAside(line, application.application_id, reason))
        else:
            applications.append(application if count == 1 else numbered(application, count))
    if not applications and not aside:
        raise ProfileError(f"{path} has no row under its header; write one application a row.")
    return Batch(tuple(applications), tuple(aside), sha256_of(path.read_bytes())[:16])


class Journal:
    """Which applications of a batch are done: one line each, written as they end, so that a run that was stopped goes on after them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def done(self) -> dict[str, str]:
        """The decision of each application that was vetted before, by application id; a line cut off by a crash counts for nothing."""
        if not self._path.exists():
            return {}
        kept = {}
        for line in self._path.read_bytes().splitlines():
            try:
                application_id, decision_id = msgspec.json.decode(line, type=tuple[str, str])
            except msgspec.MsgspecError:
                continue  # cut off by a crash: its application is vetted again
            kept[application_id] = decision_id
        return kept

    def add(self, application_id: str, decision_id: str) -> None:
        """Writes down that an application is done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode((application_id, decision_id)) + b"\n")

    def close(self) -> None:
        """Forgets the batch: all of it is done, and a later run vets everybody anew."""
        self._path.unlink(missing_ok=True)
