"""Re-screening: what has changed between two vettings of the same applicant. What stayed as it was is no news."""

from __future__ import annotations

import msgspec

from fraud.domain.decisions import Outcome
from fraud.domain.dossiers import Dossier
from fraud.domain.signals import Signal, Status


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since last time: findings that are new or graver, findings that are gone, checks that can no longer look.

    `failed` says why the applicant could not be vetted anew; the rest is then empty.
    """

    application_id: str
    outcome_before: Outcome
    outcome: Outcome | None = None
    decision_id: str = ""
    appeared: tuple[Signal, ...] = ()
    gone: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    failed: str = ""

    @property
    def is_news(self) -> bool:
        """Whether anything changed that a person should hear of; what merely went away is told with something else."""
        return bool(self.failed or self.appeared or self.unanswered) or self.outcome is not self.outcome_before

    @property
    def sentence(self) -> str:
        """The news in one line."""
        if self.failed:
            return f"{self.application_id}: could not be vetted anew: {self.failed}"
        parts = [f"{signal.check_id} ({signal.severity.value}): {signal.text}" for signal in self.appeared]
        parts += [f"{name} can no longer be answered" for name in self.unanswered]
        parts += [f"{name} is gone" for name in self.gone]
        now = self.outcome.value.replace("_", " ") if self.outcome else "unknown"
        return f"{self.application_id}: {self.outcome_before.value} before, {now} now. {' '.join(parts)}".strip()


def news(before: Dossier, after: Dossier) -> News:
    """Compares two dossiers of one application by check and subject."""
    earlier = {(signal.check_id, signal.subject): signal for signal in before.signals}
    found = [signal for signal in after.signals if signal.found and _is_new(signal, earlier.get((signal.check_id, signal.subject)))]
    now = {(signal.check_id, signal.subject): signal for signal in after.signals}
    gone = [signal.check_id for key, signal in earlier.items() if signal.found and key in now and now[key].status is Status.CLEAR]
    blind = [signal.check_id for key, signal in earlier.items() if signal.status is Status.CLEAR and key in now and _is_blind(now[key])]
    return News(
        application_id=after.application_id,
        outcome_before=before.outcome,
        outcome=after.outcome,
        decision_id=after.decision_id,
        appeared=tuple(found),
        gone=tuple(dict.fromkeys(gone)),
        unanswered=tuple(dict.fromkeys(blind)),
    )


def _is_new(signal: Signal, earlier: Signal | None) -> bool:
    return earlier is None or not earlier.found or signal.severity.rank > earlier.severity.rank


def _is_blind(signal: Signal) -> bool:
    return signal.status in {Status.INCONCLUSIVE, Status.ERROR}
