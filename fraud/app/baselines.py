"""The frozen baselines of a program, wired: which one judges its nights, how far its traffic drifted, which one waits for a person.

For pages and commands: `baselines` shows them, `accept_baseline` lets one that was held (or any other) serve, `roll_back_baseline` goes
back to the one before.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from fraud.app.parts import App, asking
from fraud.detection.frozen import FrozenBaseline
from fraud.domain.actors import Actor
from fraud.domain.scans import BaselineStanding, Period
from fraud.errors import InputError, ModelError, NotFound
from fraud.features.catalogue import feature_set_hash
from fraud.workflows.baselines import HELD, InForce, baseline_name

if TYPE_CHECKING:
    from models.registry import ArtefactInfo

State = Literal["in_force", "held", "kept"]


class KeptBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """A baseline of the registry. `in_force` judges the next night, `held` waits for a person's word (it is newer than the one in force and
    drifted far from it), `kept` served once or was passed over. `rows` are affiliate-windows; `drift_*` tell how far its reference lay from
    the baseline that it was to follow, `None` where there was none before it."""

    model_id: str
    name: str
    state: State
    trained: Period
    created_at: datetime
    window_hours: float
    rows: int
    sha256: str
    feature_set_hash: str
    drift_evidence_psi: float | None = None
    drift_features: int | None = None
    drift_features_compared: int | None = None


class Baselines(msgspec.Struct, frozen=True, kw_only=True):
    """A program's baselines, newest first, and where the newest scan stood: the baseline that judged it, and its drift feature by feature
    (`None` before the first scan, or where that had no reference)."""

    program_id: str
    baselines: tuple[KeptBaseline, ...]
    newest_scan: BaselineStanding | None = None
    scanned_at: datetime | None = None

    @property
    def held(self) -> KeptBaseline | None:
        """The newest baseline that waits for a person's word."""
        return next((one for one in self.baselines if one.state == "held"), None)

    @property
    def in_force(self) -> KeptBaseline | None:
        """The baseline that judges the next night."""
        return next((one for one in self.baselines if one.state == "in_force"), None)


class WorkspaceBaselines:
    """The `BaselineKeeper` of a workspace."""

    def __init__(self, app: App) -> None:
        self._app = app

    def in_force(self, name: str) -> InForce | None:
        """The baseline that serves; raises `ModelError` when its file or manifest is not as it was signed."""
        registry = self._app.registry
        info = asking(lambda: registry.live(name))
        if info is None or info.feature_set_hash != feature_set_hash() or not registry.made_by_these_libraries(info):
            return None
        frozen = asking(lambda: registry.load(info.id, feature_set_hash()))
        if not isinstance(frozen, FrozenBaseline):
            raise ModelError(f"Model {info.id} is in force as the baseline and is none: accept one that a scan made.")
        return InForce(info.id, _trained(info), frozen)

    def keep_baseline(self, name: str, frozen: FrozenBaseline, trained: Period, metrics: dict[str, float]) -> str:
        """Keeps a baseline under its signed manifest; returns its id."""
        info = self._app.registry.save(
            name,
            frozen,
            feature_set_hash=frozen.feature_set_hash,
            trained_from=trained.start,
            trained_to=trained.end,
            metrics=metrics,
            created_at=self._app.clock.now(),
        )
        return info.id

    def put_in_force(self, model_id: str) -> None:
        """Lets a kept baseline serve from now on."""
        asking(lambda: self._app.registry.promote(model_id, self._app.clock.now()))


def kept_baselines(app: App, program_id: str) -> tuple[KeptBaseline, ...]:
    """Every baseline that was kept for the program, newest first."""
    infos = asking(lambda: [one for one in app.registry.list() if is_baseline_of(one, program_id)])
    live = asking(lambda: {name: app.registry.live(name) for name in {info.name for info in infos}})
    return tuple(_kept(info, live[info.name]) for info in infos)


def baseline_before(app: App, serving: KeptBaseline | None) -> KeptBaseline | None:
    """The baseline that a step back from the one in force would put there; `None` where there is none."""
    info = asking(lambda: app.registry.before(serving.name)) if serving else None
    return _kept(info, None) if info else None


def baselines(app: App, program_id: str) -> Baselines:
    """Every baseline that was kept for the program, and how the newest scan stood to its own."""
    newest = app.stores.scans.latest(program_id)
    return Baselines(
        program_id=program_id,
        baselines=kept_baselines(app, program_id),
        newest_scan=None if newest is None else newest.baseline,
        scanned_at=None if newest is None else newest.as_of,
    )


def accept_baseline(app: App, program_id: str, why: str, actor: Actor, model_id: str = "") -> KeptBaseline:
    """Lets a baseline judge the next night on a person's word: the newest that was held, or the one named.

    Raises `InputError` without a reason or when there is none to accept, `ModelError` when the registry refuses it.
    """
    reason = _reason(why, "accepted")
    waiting = baselines(app, program_id)
    named = next((one for one in waiting.baselines if model_id in {one.model_id, one.sha256}), None) if model_id else waiting.held
    if named is None:
        what = f"{model_id} is no baseline of the program {program_id}" if model_id else "No baseline waits to be accepted"
        raise InputError(f"{what}; `fraud models baselines` shows those there are.")
    asking(lambda: app.registry.load(named.model_id, feature_set_hash()))
    info = asking(lambda: app.registry.promote(named.model_id, app.clock.now(), actor.name, reason))
    return _recorded(app, program_id, info, (actor, "baseline.accepted", reason))


def roll_back_baseline(app: App, program_id: str, why: str, actor: Actor) -> KeptBaseline:
    """Lets the baseline judge again that served before the one in force. Raises `NotFound` when none serves, `ModelError` when there was
    no other."""
    reason = _reason(why, "taken back")
    serving = baselines(app, program_id).in_force
    if serving is None:
        raise NotFound("No baseline is in force yet: the next `fraud scan` fits one.")
    info = asking(lambda: app.registry.roll_back(serving.name, app.clock.now(), actor.name, reason))
    return _recorded(app, program_id, info, (actor, "baseline.rolled_back", reason))


def _reason(why: str, done: str) -> str:
    if not why.strip():
        raise InputError(f"A baseline is {done} for a reason: say why.")
    return why.strip()


def _recorded(app: App, program_id: str, info: ArtefactInfo, what: tuple[Actor, str, str]) -> KeptBaseline:
    actor, action, why = what
    app.stores.audit.record(actor, program_id, action, info.id, app.clock.now(), {"sha256": info.sha256, "why": why})
    return _kept(info, info)


def is_baseline_of(info: ArtefactInfo, program_id: str) -> bool:
    """Whether a model of the registry is a baseline of the program."""
    return "window_hours" in info.metrics and info.name == baseline_name(program_id, info.metrics["window_hours"])


def _trained(info: ArtefactInfo) -> Period:
    return Period(start=info.trained_from, end=info.trained_to)


def _kept(info: ArtefactInfo, live: ArtefactInfo | None) -> KeptBaseline:
    figures = info.metrics
    return KeptBaseline(
        model_id=info.id,
        name=info.name,
        state=_state(info, live),
        trained=_trained(info),
        created_at=info.created_at,
        window_hours=figures["window_hours"],
        rows=int(figures["rows"]),
        sha256=info.sha256,
        feature_set_hash=info.feature_set_hash,
        drift_evidence_psi=figures.get("drift_evidence_psi"),
        drift_features=_whole(figures.get("drift_features")),
        drift_features_compared=_whole(figures.get("drift_features_compared")),
    )


def _state(info: ArtefactInfo, live: ArtefactInfo | None) -> State:
    if live is not None and live.id == info.id:
        return "in_force"
    waits = bool(info.metrics.get(HELD)) and (live is None or info.trained_to > live.trained_to)
    return "held" if waits else "kept"


def _whole(figure: float | None) -> int | None:
    return None if figure is None else int(figure)
