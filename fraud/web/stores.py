"""What the pages read, handed to them by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from fraud.domain.ports import ActorStore, AlertStore, ApplicationStore, DecisionStore, ProgramStore, ScanStore


@dataclass(frozen=True)
class PageStores:
    """The stores behind the pages."""

    decisions: DecisionStore
    scans: ScanStore
    alerts: AlertStore
    applications: ApplicationStore
    programs: ProgramStore
    actors: ActorStore
