"""Policies, wired: what a pack would change, making it live, and what was live before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from fraud.app.parts import App
from fraud.domain.actors import Actor
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.domain.reviews import Disposition
from fraud.errors import InputError
from fraud.workflows.backtesting import Backtest, backtest
from fraud.workflows.comparing import PolicyDiff, compare
from fraud.workflows.rejudging import Rejudge

NIGHTS = 30
"""Days of decisions that a comparison looks at unless told otherwise."""
_MOST_REVIEWS = 100_000


def diff_policy(app: App, program_id: str, pack_name: str, days: int, progress: Callable[[int], None]) -> PolicyDiff:
    """What a pack would change of the scans of the last days and of the applications that nobody has decided."""
    return compare(_decisions(app, program_id, days), Rejudge(app.pack(pack_name), app.pack_of), progress)


def _decisions(app: App, program_id: str, days: int) -> Iterator[Decision]:
    since = app.clock.now() - timedelta(days=days)
    yield from app.stores.decisions.decided(program_id, DecisionKind.SCAN, since)
    for dossier in app.stores.applications.dossiers(program_id, 2**31):
        newest = app.stores.decisions.latest(program_id, DecisionKind.VET, dossier.application_id)
        if newest is not None and newest.decision_id == dossier.decision_id:
            yield newest


def backtest_policy(app: App, program_id: str, pack_name: str, days: int, progress: Callable[[int], None]) -> list[Backtest]:
    """A pack against what people found of affiliates (the lake's labels) and of applicants (their reviews), over the last days' decisions.

    `InputError` when nothing is labelled: a backtest on nothing would say that all is well.
    """
    since, rejudge = app.clock.now() - timedelta(days=days), Rejudge(app.pack(pack_name), app.pack_of)
    labels = {DecisionKind.SCAN: _labelled_affiliates(app, program_id), DecisionKind.VET: _reviewed_applicants(app, program_id)}
    if not any(labels.values()):
        raise InputError("Nothing is labelled yet: decide some cases, or bring labels with `fraud ingest labels FILE`.")
    return [
        backtest(job, app.stores.decisions.decided(program_id, job, since), known, rejudge, progress)
        for job, known in labels.items()
        if known
    ]


def _labelled_affiliates(app: App, program_id: str) -> dict[str, bool]:
    """Each labelled affiliate's newest label: whether it is bad."""
    with app.lake.connect(program_id) as events:
        rows = events.sql(
            "SELECT affiliate_id, arg_max(label = 'bad', coalesce(labelled_at, TIMESTAMP '1970-01-01')) FROM labels GROUP BY affiliate_id"
        ).fetchall()
    return {str(name): bool(bad) for name, bad in rows}


def _reviewed_applicants(app: App, program_id: str) -> dict[str, bool]:
    """Each applicant's newest review that found one way or the other: whether it is bad."""
    reviews = sorted(app.stores.reviews.recent(program_id, _MOST_REVIEWS), key=lambda review: review.reviewed_at)
    found = {Disposition.CONFIRMED: True, Disposition.DISMISSED: False}
    told = [one for one in reviews if one.subject_kind is SubjectKind.APPLICATION and one.disposition in found]
    return {one.subject_id: found[one.disposition] for one in told}


def publish_policy(app: App, program_id: str, pack_name: str, state: PolicyState, why: tuple[Actor, str]) -> PublishedPolicy:
    """Makes a pack live, or lets it run in shadow, for a program; loading it has proved every rule by its examples.

    Raises `InputError` without a reason, or when exactly this pack stands there already.
    """
    actor, reason = why
    if not reason.strip():
        raise InputError("Say why with --reason: the next person who wonders about an outcome will ask.")
    pack = app.pack(pack_name)
    standing = app.stores.policies.current(program_id, state)
    if standing is not None and standing.policy.hash == pack.hash:
        raise InputError(
            f"{pack.artefact.id} ({pack.hash[:12]}) is {state.value} already, since {standing.published_at:%Y-%m-%d %H:%M} UTC."
        )
    now = app.clock.now()
    published = PublishedPolicy(
        program_id=program_id, policy=pack.artefact, state=state, published_at=now, published_by=actor.name, reason=reason.strip()
    )
    app.stores.policies.publish(published)
    app.stores.audit.record(
        actor, program_id, f"policy.{state.value}", pack.artefact.id, now, {"hash": pack.hash, "reason": published.reason}
    )
    return published


def retire_policy(app: App, program_id: str, state: PolicyState, why: tuple[Actor, str]) -> None:
    """Ends the pack that is live or in shadow. Without a live one the profile's pack serves again, else the default.

    Raises `InputError` without a reason, or when there is none to end.
    """
    actor, reason = why
    if not reason.strip():
        raise InputError("Say why with --reason: the next person who wonders about an outcome will ask.")
    standing = app.stores.policies.current(program_id, state)
    if standing is None or not app.stores.policies.retire(program_id, state, app.clock.now()):
        raise InputError(f"No pack is {'in shadow' if state is PolicyState.SHADOW else 'published'} in the program {program_id!r}.")
    detail = {"was": state.value, "hash": standing.policy.hash, "reason": reason.strip()}
    app.stores.audit.record(actor, program_id, "policy.retired", standing.policy.id, app.clock.now(), detail)
