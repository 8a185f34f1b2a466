"""Shadow decisions in SQL: added beside the decisions that counted, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from fraud.domain.shadows import ShadowDecision
from fraud.storage.database import Database
from fraud.storage.documents import decode, encode, upsert
from fraud.storage.tables import shadow_decisions as table


class SqlShadows:
    """What packs in shadow would have said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, decisions: Sequence[ShadowDecision]) -> None:
        """Keeps shadow decisions; one on the same decision under the same pack says the same and is kept once."""
        with self._database.transaction() as connection:
            for decision in decisions:
                upsert(connection, table, _row(decision))

    def count(self, program_id: str, policy_hash: str) -> int:
        """How many decisions a pack has said its word on."""
        query = select(func.count()).where(table.c.program_id == program_id, table.c.policy_hash == policy_hash)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def all(self, program_id: str, policy_hash: str, *, differing: bool = False) -> Iterator[ShadowDecision]:
        """What a pack said, oldest first; with `differing` only where it would have come out otherwise."""
        wanted = [table.c.program_id == program_id, table.c.policy_hash == policy_hash]
        query = select(table.c.document).where(*wanted, *([table.c.differs == 1] if differing else []))
        with self._database.reading() as connection:
            texts = connection.execute(query.order_by(table.c.decided_at, table.c.decision_id)).scalars().all()
        return (decode(text, ShadowDecision) for text in texts)


def _row(decision: ShadowDecision) -> dict[str, object]:
    return {
        "program_id": decision.program_id,
        "policy_hash": decision.policy.hash,
        "decision_id": decision.decision_id,
        "decided_at": decision.decided_at,
        "differs": int(decision.differs),
        "document": encode(decision),
    }
