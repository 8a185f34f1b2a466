"""Policies, wired: what a pack would change, making it live, and what was live before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from fraud.app.parts import App
from fraud.domain.actors import Actor
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.errors import InputError
from fraud.workflows.comparing import PolicyDiff, compare
from fraud.workflows.rejudging import Rejudge

NIGHTS = 30
"""Days of decisions that a comparison looks at unless told otherwise."""


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
