"""What a person decides, taken down: an alert resolved, an application decided, feedback given. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from fraud.cases.lifecycle import resolved
from fraud.decisions.deciding import public_reason
from fraud.decisions.weighing import findings
from fraud.domain.actors import Actor, Role
from fraud.domain.alerts import Alert
from fraud.domain.clock import Clock
from fraud.domain.decisions import Decision, DecisionKind, Outcome, SubjectKind
from fraud.domain.ids import new_id, stable_id
from fraud.domain.outbox import OutboundEvent
from fraud.domain.ports import AlertStore, ApplicationStore, AuditLog, DecisionStore, ReviewStore
from fraud.domain.reviews import Disposition, Review, Source
from fraud.errors import InputError
from fraud.workflows.telling import decision_events

LabelKeeper = Callable[[str, dict[str, str]], None]
"""Program and a row of the table of labels: keeps it where ingested labels are."""

LABELS = {Disposition.CONFIRMED: "bad", Disposition.DISMISSED: "good"}
"""What a review of an affiliate says to those who learn from it; `unclear` says nothing."""

A_PERSON_DECIDED = "a_person_decided"
"""The guard of a decision that a person made: it stands against what the evidence alone would have given."""

DECIDABLE = (Outcome.APPROVE, Outcome.REQUEST_INFO, Outcome.REJECT)
"""What a person may decide of an application."""


@dataclass(frozen=True)
class ReviewTools:
    """What taking down a person's word works with."""

    reviews: ReviewStore
    alerts: AlertStore
    applications: ApplicationStore
    decisions: DecisionStore
    audit: AuditLog
    label: LabelKeeper
    tell: Callable[[Sequence[OutboundEvent]], None]
    clock: Clock


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """Who says what, and why; `key` is the request's `Idempotency-Key`, empty when it has none."""

    actor: Actor
    disposition: Disposition
    reason: str
    key: str = ""


def resolve_alert(tools: ReviewTools, program_id: str, alert_id: str, word: Word) -> tuple[Alert, Review]:
    """Resolves an alert with a disposition; an alert that was resolved before is resolved anew, and both reviews stand.

    A confirmed or dismissed affiliate becomes a label. Raises `NotFound` when there is no such alert, `InputError` without a reason.
    """
    alert = tools.alerts.get(program_id, alert_id)
    subject = (alert.subject_kind, alert.subject_id)
    about = {"alert_id": alert_id, "decision_id": alert.decision_id, "reason_codes": tuple(reason.code for reason in alert.reasons)}
    review = tools.reviews.add(_review(tools, program_id, subject, Source.ALERT, word, about))
    _learn(tools, review)
    for member in alert.members:  # what is said of a ring is said of each of its members
        _learn(tools, msgspec.structs.replace(review, subject_kind=SubjectKind.AFFILIATE, subject_id=member))
    settled = tools.alerts.change(program_id, alert_id, lambda standing: resolved(standing, review.reviewed_at))
    tools.audit.record(word.actor, program_id, "alert.resolved", alert_id, review.reviewed_at, {"disposition": review.disposition.value})
    return settled, review


def give_feedback(tools: ReviewTools, program_id: str, subject: tuple[SubjectKind, str], word: Word) -> Review:
    """Keeps a verdict on a click, a conversion or an affiliate. A reviewer's on an affiliate becomes a label; a tracker's does not."""
    review = tools.reviews.add(_review(tools, program_id, subject, Source.FEEDBACK, word, {}))
    if word.actor.role.reaches(Role.REVIEW):
        _learn(tools, review)
    return review


def decide_application(tools: ReviewTools, program_id: str, application_id: str, outcome: Outcome, word: Word) -> Decision:
    """A person's decision of an application, beside the one that the evidence gave, with the same signals.

    Raises `NotFound` when the application has not been vetted, `InputError` without a reason or for an outcome nobody can choose.
    """
    if outcome not in DECIDABLE:
        raise InputError(f"outcome: A person decides {', '.join(choice.value for choice in DECIDABLE)}.")
    dossier = tools.applications.dossier(program_id, application_id)
    earlier = tools.decisions.get(program_id, dossier.decision_id)
    subject = (SubjectKind.APPLICATION, application_id)
    about = {"decision_id": earlier.decision_id, "reason_codes": tuple(reason.code for reason in earlier.verdict.reasons)}
    review = tools.reviews.add(_review(tools, program_id, subject, Source.APPLICATION, word, about))
    decision = _decided(earlier, outcome, review)
    if _is_new(tools, decision):
        tools.decisions.add([decision])
        detail = {"outcome": outcome.value, "reason": review.reason, "instead_of": earlier.decision_id}
        tools.audit.record(word.actor, program_id, "application.decided", application_id, review.reviewed_at, detail)
        tools.tell(decision_events(decision))
    return decision


def _decided(earlier: Decision, outcome: Outcome, review: Review) -> Decision:
    verdict = msgspec.structs.replace(
        earlier.verdict,
        outcome=outcome,
        guards=(*(guard for guard in earlier.verdict.guards if guard != A_PERSON_DECIDED), A_PERSON_DECIDED),
        public_reason=public_reason(outcome, findings(earlier.signals)),
    )
    return msgspec.structs.replace(
        earlier,
        decision_id=stable_id("dec", review.program_id, review.review_id),
        decided_at=review.reviewed_at,
        decided_by=review.reviewer_id,
        verdict=verdict,
        run_id=review.review_id,
    )


def _is_new(tools: ReviewTools, decision: Decision) -> bool:
    newest = tools.decisions.latest(decision.program_id, DecisionKind.VET, decision.subject_id)
    return newest is None or newest.decision_id != decision.decision_id


def _review(
    tools: ReviewTools, program_id: str, subject: tuple[SubjectKind, str], source: Source, word: Word, about: Mapping[str, object]
) -> Review:
    reason = word.reason.strip()
    if not reason:
        raise InputError("reason: Say why, in a few words; it stands in the record for whoever asks later.")
    at = tools.clock.now()
    review_id = stable_id("rev", program_id, word.actor.actor_id, word.key) if word.key else new_id("rev", at)
    kind, subject_id = subject
    return Review(
        review_id=review_id,
        program_id=program_id,
        subject_kind=kind,
        subject_id=subject_id,
        source=source,
        disposition=word.disposition,
        reason=reason,
        reviewer_id=word.actor.actor_id,
        reviewer_name=word.actor.name,
        reviewed_at=at,
        **about,  # type: ignore[arg-type]  # the three optional fields
    )


def _learn(tools: ReviewTools, review: Review) -> None:
    label = LABELS.get(review.disposition)
    if review.subject_kind is not SubjectKind.AFFILIATE or label is None:
        return
    row = {
        "affiliate_id": review.subject_id,
        "label": label,
        "labelled_at": review.reviewed_at.isoformat(),
        "reason": review.reason,
        "reviewer": review.reviewer_name,
    }
    tools.label(review.program_id, row)
