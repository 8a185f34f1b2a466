"""The audit log."""

from __future__ import annotations

from fraud.domain.actors import SYSTEM, command_line_actor
from fraud.storage.audit import SqlAudit
from fraud.storage.database import Database
from tests.storage.samples import NOON, later


def test_entries_come_newest_first_with_who_what_and_when(database: Database) -> None:
    audit = SqlAudit(database)
    audit.record(command_line_actor("zoë"), "shoes", "policy.publish", "standard", later(1), {"hash": "5f", "lines": [1, 2.5, None]})
    audit.record(SYSTEM, "shoes", "scan.start", "scn_1", NOON, {})
    audit.record(SYSTEM, "shoes", "scan.end", "scn_1", NOON, {"nul": "\x00"})
    entries = audit.entries("shoes", 10)
    assert [entry["action"] for entry in entries] == ["policy.publish", "scan.end", "scan.start"]
    assert entries[0] == {
        "at": later(1),
        "actor_kind": "person",
        "actor_id": "cli:zoë",
        "actor_name": "zoë",
        "action": "policy.publish",
        "subject": "standard",
        "detail": {"hash": "5f", "lines": [1, 2.5, None]},
    }
    assert entries[1]["detail"] == {"nul": "\x00"}


def test_the_list_ends_at_its_limit(database: Database) -> None:
    audit = SqlAudit(database)
    for number in range(3):
        audit.record(SYSTEM, "shoes", "scan.start", str(number), NOON, {})
    assert [entry["subject"] for entry in audit.entries("shoes", 2)] == ["2", "1"]
