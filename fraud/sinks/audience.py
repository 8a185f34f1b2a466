"""Who asked for what."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.domain.outbox import OutboundEvent


@dataclass(frozen=True, kw_only=True)
class Audience:
    """A sink's name, and the events and programs it asked for; without a list it asked for all."""

    name: str
    events: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()

    def wants(self, event: OutboundEvent) -> bool:
        """Whether it asked for such events."""
        return (not self.events or event.kind.value in self.events) and (not self.programs or event.program_id in self.programs)
