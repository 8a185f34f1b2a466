"""What the product needs of its stores. `fraud.storage` fulfils these; workflows know only them.

Every call names its program: nothing crosses from one program to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from fraud.domain.actors import Actor, Role
from fraud.domain.alerts import Alert, Merge, counted
from fraud.domain.cases import Case, CaseEvent, CaseState
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.dossiers import Dossier
from fraud.domain.jobs import Job
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.reviews import Review
from fraud.domain.scans import ScanResult
from fraud.domain.suppressions import Suppression
from fraud.domain.tracker_actions import ActionRecord, PlannedCall, TrackerAction


class DecisionStore(Protocol):
    """Decisions, written once and never changed."""

    def add(self, decisions: Sequence[Decision]) -> None:
        """Keeps new decisions; an id that is already kept is a `Conflict`."""
        ...

    def known(self, decision_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids are kept already."""
        ...

    def get(self, program_id: str, decision_id: str) -> Decision:
        """The decision as it was made, or `NotFound`."""
        ...

    def find(self, decision_id: str) -> Decision:
        """The decision in whichever program, for the machine's own operator; or `NotFound`."""
        ...

    def latest(self, program_id: str, kind: DecisionKind, subject_id: str) -> Decision | None:
        """The newest decision of that kind on that subject, by the time it was decided."""
        ...

    def decided(self, program_id: str, kind: DecisionKind, since: datetime) -> Iterator[Decision]:
        """The decisions of that kind made at or after `since`, in the order they were made, read as they are asked for."""
        ...

    def subjects(self, program_id: str, kind: DecisionKind, since: datetime) -> list[str]:
        """The subjects of that kind decided at or after `since`, in the order they were decided."""
        ...


class ScanStore(Protocol):
    """Results of scans."""

    def add(self, result: ScanResult) -> None:
        """Keeps a result; an id that is already kept is a `Conflict`."""
        ...

    def get(self, program_id: str, scan_id: str) -> ScanResult:
        """One result, or `NotFound`."""
        ...

    def latest(self, program_id: str) -> ScanResult | None:
        """The result with the newest `as_of`."""
        ...

    def latest_id(self, program_id: str) -> str | None:
        """The id of `latest`, without reading it."""
        ...

    def recent(self, program_id: str, limit: int) -> list[ScanResult]:
        """The newest results, newest first."""
        ...


class AlertStore(Protocol):
    """Alerts, one row per alert id."""

    def record(self, alerts: Sequence[Alert], merge: Merge = counted) -> list[Alert]:
        """Opens new alerts; one seen before becomes what `merge` makes of it and the sighting.

        Returns the alerts as they now stand, in the order given. Recording the very same sighting (same decision) twice counts once.
        """
        ...

    def get(self, program_id: str, alert_id: str) -> Alert:
        """One alert, or `NotFound`."""
        ...

    def open_alerts(self, program_id: str, at: datetime | None = None) -> list[Alert]:
        """Open alerts, largest expected loss first, then highest score; without those that are suppressed or, at that time, snoozed."""
        ...

    def open_page(self, program_id: str, at: datetime, limit: int, offset: int = 0) -> list[Alert]:
        """A page of what `open_alerts` gives at that time, read without the others."""
        ...

    def standing(self, program_id: str) -> list[Alert]:
        """Every alert of a program, open or not: what people have been told already."""
        ...

    def change(self, program_id: str, alert_id: str, how: Callable[[Alert], Alert]) -> Alert:
        """Replaces an alert by what `how` makes of it, in one step; returns it as it now stands, or raises `NotFound`."""
        ...


class SuppressionStore(Protocol):
    """What people have asked not to be told of."""

    def save(self, suppression: Suppression) -> None:
        """Keeps a suppression, or the changed one under the same id."""
        ...

    def active(self, program_id: str, at: datetime) -> list[Suppression]:
        """Those that have not expired, the one that ends first before the others."""
        ...


class CaseStore(Protocol):
    """Cases and their timelines."""

    def open(self, case: Case) -> Case:
        """Keeps a new case; the one that is kept under its id already otherwise."""
        ...

    def get(self, program_id: str, case_id: str) -> Case:
        """One case, or `NotFound`."""
        ...

    def all(self, program_id: str) -> list[Case]:
        """Every case of a program, oldest first."""
        ...

    def standing(self, program_id: str, states: Sequence[CaseState]) -> list[Case]:
        """The cases that stand in one of these states, oldest first."""
        ...

    def change(self, case: Case, event: CaseEvent) -> None:
        """Replaces a case by its next version and adds the line of its timeline, both or neither; `Conflict` when it is not the next."""
        ...

    def timeline(self, program_id: str, case_id: str) -> list[CaseEvent]:
        """What was done with a case, oldest first."""
        ...


class PolicyStore(Protocol):
    """Which packs were published for which program."""

    def publish(self, policy: PublishedPolicy) -> None:
        """Makes a pack live, or lets it run in shadow, and retires the one that stood there."""
        ...

    def retire(self, program_id: str, state: PolicyState, at: datetime) -> bool:
        """Ends what is live, or in shadow; whether there was one."""
        ...

    def current(self, program_id: str, state: PolicyState) -> PublishedPolicy | None:
        """What is live, or in shadow, in a program; `None` when nothing is."""
        ...

    def history(self, program_id: str) -> list[PublishedPolicy]:
        """Every publication, newest first."""
        ...


class ReviewStore(Protocol):
    """What people found when they looked. Rows are only ever added."""

    def add(self, review: Review) -> Review:
        """Keeps a review; the one that is kept under its id already, if it says the same, else a `Conflict`."""
        ...

    def of_subject(self, program_id: str, kind: SubjectKind, subject_id: str) -> list[Review]:
        """Every review of a subject, newest first."""
        ...

    def recent(self, program_id: str, limit: int) -> list[Review]:
        """The newest reviews of a program, newest first."""
        ...


class ApplicationStore(Protocol):
    """Applications and their dossiers."""

    def save(self, application: Application) -> None:
        """Keeps an application, or the changed one under the same id."""
        ...

    def add(self, application: Application) -> Application:
        """Keeps a new application; the one that is kept under the id, which is another when there was one already."""
        ...

    def get(self, program_id: str, application_id: str) -> Application:
        """One application, or `NotFound`."""
        ...

    def add_dossier(self, dossier: Dossier) -> None:
        """Keeps a dossier; earlier ones of the same application stay."""
        ...

    def dossier(self, program_id: str, application_id: str) -> Dossier:
        """The newest dossier of an application, or `NotFound`."""
        ...

    def dossiers(self, program_id: str, limit: int) -> list[Dossier]:
        """The newest dossier of each application, newest first."""
        ...

    def vetted(self, program_id: str, limit: int) -> list[tuple[Application, str]]:
        """The applications that have a dossier, with the newest one's outcome, newest first."""
        ...


class ProgramStore(Protocol):
    """Programs and their profiles."""

    def save(self, profile: ProgramProfile) -> None:
        """Keeps a program's profile, or the changed one under the same id."""
        ...

    def get(self, program_id: str) -> ProgramProfile:
        """One profile, or `NotFound`."""
        ...

    def all(self) -> list[ProgramProfile]:
        """Every program, by id."""
        ...


class ActorStore(Protocol):
    """People and keys. A key's secret is kept only as a hash."""

    def authenticate(self, secret: str) -> Actor | None:
        """The actor behind a key's secret, or `None` when no live key has it."""
        ...

    def create_key(self, name: str, role: Role, programs: Sequence[str], at: datetime) -> tuple[Actor, str]:
        """Makes a key; returns its actor and the secret, which is never shown again."""
        ...

    def accept_key(self, secret: str, name: str, role: Role, programs: Sequence[str], at: datetime) -> Actor:
        """Accepts a secret chosen outside (environment, tests); accepting it again changes nothing."""
        ...

    def keys(self) -> list[Actor]:
        """Everybody who has a live key."""
        ...

    def used(self, secret: str) -> None:
        """Notes that a key was used now."""
        ...


class AuditLog(Protocol):
    """Who changed what, when. Rows are only ever added."""

    def record(self, actor: Actor, program_id: str, action: str, subject: str, at: datetime, detail: dict[str, Any]) -> None:
        """Adds one row."""
        ...

    def entries(self, program_id: str, limit: int) -> list[dict[str, Any]]:
        """The newest rows, newest first: `at`, `actor_id`, `actor_name`, `action`, `subject`, `detail`."""
        ...


class EvidenceStore(Protocol):
    """Bytes that were seen, named by their SHA-256."""

    def put(self, data: bytes) -> str:
        """Keeps bytes and returns their SHA-256 in hex; keeping the same bytes twice is free."""
        ...

    def get(self, sha256: str) -> bytes:
        """The bytes, or `NotFound`; bytes that no longer match their name are a `StorageError`."""
        ...

    def has(self, sha256: str) -> bool:
        """Whether the bytes are kept."""
        ...


class JobQueue(Protocol):
    """Jobs with leases: a worker that dies loses its job to another."""

    def enqueue(self, program_id: str, kind: str, payload: dict[str, Any], actor: Actor, at: datetime, once: str = "") -> Job:
        """Queues a job. `once` names what it is queued for: the job that is known under that name already is given back instead."""
        ...

    def lease(self, kinds: Sequence[str], worker: str, at: datetime, duration: timedelta) -> Job | None:
        """Takes the oldest job that is queued, or running with its lease past, for `worker`; `None` when there is none.

        Two workers never hold the same job, on any database. A job whose workers were lost `MOST_ATTEMPTS` times is failed instead.
        """
        ...

    def extend(self, job_id: str, worker: str, until: datetime) -> None:
        """Keeps a lease alive; `Conflict` when the job is no longer this worker's."""
        ...

    def finish(self, job_id: str, worker: str, result: dict[str, Any], at: datetime) -> None:
        """Ends a job well; `Conflict` when it is no longer this worker's."""
        ...

    def fail(self, job_id: str, worker: str, error: str, at: datetime, *, retry: bool) -> None:
        """Ends a job badly, or queues it again; `Conflict` when it is no longer this worker's."""
        ...

    def get(self, program_id: str, job_id: str) -> Job:
        """One job, or `NotFound`."""
        ...

    def newest(self, program_id: str, kind: str, field: str, value: str) -> Job | None:
        """The newest job of a kind whose payload has this text in this field; `None` when there is none."""
        ...


class TrackerActions(Protocol):
    """What can be told to a tracker. `fraud.trackers.actions` fulfils it, one adapter a tracker."""

    def plan(self, action: TrackerAction) -> list[PlannedCall]:
        """The calls that would carry the action out, without credentials. It may read from the tracker and changes nothing there.

        `Unsupported` when the tracker's API has no such call, `InputError` when the action lacks what the call needs.
        """
        ...

    def send(self, call: PlannedCall) -> Any:
        """Sends one planned call and returns what the tracker answered; `TrackerError` when it refuses or cannot be reached.

        Calls that are harmless when they arrive twice are tried again; the others only when they surely did not arrive.
        """
        ...


class TrackerActionLog(Protocol):
    """What was told to trackers: one record per action id, which moves from `started` to `done` or `failed`."""

    def get(self, program_id: str, action_id: str) -> ActionRecord | None:
        """The record of an action, if there is one."""
        ...

    def put(self, record: ActionRecord) -> None:
        """Keeps a record, or the changed one under the same id; durable when it returns."""
        ...

    def records(self, program_id: str, limit: int) -> list[ActionRecord]:
        """The newest records, newest first."""
        ...

    def alone(self, program_id: str, action_id: str) -> AbstractContextManager[None]:
        """Holds an action against other processes and threads; `Conflict` when one has it in hand."""
        ...
