"""Who acts: people, keys, and the system itself. Every change names one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

DEFAULT_PROGRAM = "default"


class Role(StrEnum):
    """What an actor may do; each role includes the ones before it."""

    SCORE = "score"
    REVIEW = "review"
    ADMIN = "admin"

    def reaches(self, needed: Role) -> bool:
        """Whether this role includes `needed`."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class ActorKind(StrEnum):
    """The kinds of actor."""

    PERSON = "person"
    KEY = "key"
    SYSTEM = "system"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or something that acts, and the programs it may act in (`*` is all of them).

    Events that come with a key in `shadow` are answered `allow`, with what would have been said to a live one beside it.
    """

    kind: ActorKind
    actor_id: str
    name: str
    role: Role
    programs: tuple[str, ...] = (DEFAULT_PROGRAM,)
    shadow: bool = False

    def may_enter(self, program_id: str) -> bool:
        """Whether this actor belongs to the program."""
        return "*" in self.programs or program_id in self.programs


class KeyState(StrEnum):
    """What a key is good for now."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One key: whose it is, how long it lives, and when it was last used (to the minute); never its secret."""

    key_id: str
    actor: Actor
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, at: datetime) -> KeyState:
        """Whether it opens anything at a time."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.EXPIRED if self.expires_at is not None and self.expires_at <= at else KeyState.LIVE


SYSTEM = Actor(kind=ActorKind.SYSTEM, actor_id="system", name="system", role=Role.ADMIN, programs=("*",))
"""The product acting by itself: nightly runs, workers, start-up."""


def command_line_actor(user: str) -> Actor:
    """The person at the machine's own command line, who already has the workspace in hand."""
    return Actor(kind=ActorKind.PERSON, actor_id=f"cli:{user}", name=user, role=Role.ADMIN, programs=("*",))
