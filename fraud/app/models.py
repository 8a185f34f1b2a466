"""Models, wired: trained on the workspace's labels, kept with a signed manifest, made live, taken back, asked why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from fraud.app.parts import App, asking, load_model
from fraud.decisions.inputs import TrafficInputs
from fraud.decisions.ranking import Influence, TrafficRanker
from fraud.domain.actors import Actor
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Artefact, DecisionKind, SubjectKind
from fraud.domain.ids import stable_id
from fraud.domain.scans import Period
from fraud.errors import InputError, ModelError, NotFound
from fraud.features.catalogue import feature_set_hash
from fraud.workflows.night import Ranking
from fraud.workflows.training import Asked, Label, Trained, lesson_of, review_sample, train
from models.registry import Step

if TYPE_CHECKING:
    from models.registry import ArtefactInfo

LOOK_BACK = 180
"""Days of decisions that training looks for the labelled affiliates in."""


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A training that was kept: its id in the registry, what it came to, and whether it ranks from the next scan on."""

    model_id: str
    program_id: str
    live: bool
    trained: Trained


class KeptModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the registry, as its signed manifest describes it. `live` says that the next scan uses it."""

    model_id: str
    name: str
    live: bool
    created_at: str
    trained: Period
    sha256: str
    size: int
    feature_set_hash: str
    metrics: dict[str, float]
    libraries: dict[str, str]


def ranker_name(program_id: str) -> str:
    """What a program's ranker is called in the registry."""
    return stable_id("ranker", program_id)


def train_ranker(app: App, program_id: str, actor: Actor, progress: Callable[[str], None]) -> Training:
    """Trains a program's ranker on its labels and keeps it; it goes live where it ranks the labels better than the statistics alone.

    Raises `InputError` when there are too few labels.
    """
    progress("Reading labels and decisions")
    now = app.clock.now()
    since = now - timedelta(days=LOOK_BACK)
    lesson = lesson_of(app.stores.decisions.decided(program_id, DecisionKind.SCAN, since), labels_of(app, program_id))
    progress("Training the ranker")
    ranker, trained = train(lesson)
    info = app.registry.save(
        ranker_name(program_id),
        ranker,
        feature_set_hash=feature_set_hash(),
        trained_from=lesson.period.start,
        trained_to=lesson.period.end,
        metrics=trained.metrics,
        created_at=now,
    )
    app.stores.audit.record(actor, program_id, "model.trained", info.id, now, dict(trained.metrics))
    if trained.better:
        promote(app, program_id, info.id, actor)
    return Training(model_id=info.id, program_id=program_id, live=trained.better, trained=trained)


def labels_of(app: App, program_id: str) -> dict[str, Label]:
    """The newest label of every reviewed affiliate, whether it was ingested or came from a disposition."""
    with app.lake.connect(program_id) as events:
        rows = events.execute(
            "SELECT affiliate_id, label, labelled_at FROM labels ORDER BY coalesce(labelled_at, TIMESTAMP '1970-01-01')"
        ).fetchall()
    return {str(name): Label(bad=label == "bad", at=None if at is None else as_utc(at)) for name, label, at in rows}


def live_ranking(app: App, program_id: str) -> Ranking:
    """The ranker of the program's next scan. One that was fitted on other features does not serve, and the scan says so.

    Raises `ModelError` when its file or manifest is not as it was signed.
    """
    info = _live(app, ranker_name(program_id))
    if info is None:
        return Ranking()
    if info.feature_set_hash != feature_set_hash():
        return Ranking(note="The ranker was trained on another set of features and does not serve: run `fraud train` again.")
    artefact = Artefact(id=info.name, hash=info.sha256)
    ranker = load_model(app.registry, artefact, feature_set_hash())
    if not isinstance(ranker, TrafficRanker):
        raise ModelError(f"Model {info.id} is live as the ranker and is none: promote one that `fraud train` made.")
    return Ranking(ranker, artefact)


def list_models(app: App, program_id: str) -> list[KeptModel]:
    """Every ranker that was trained for the program, newest first."""
    name = ranker_name(program_id)
    live = _live(app, name)
    return [_kept(info, live) for info in asking(lambda: [one for one in app.registry.list() if one.name == name])]


def every_model(app: App, program_id: str, limit: int, offset: int = 0) -> tuple[list[KeptModel], int]:
    """A page of the program's models, rankers and what scans and training fitted, newest first, and how many there are."""
    from fraud.app.baselines import is_baseline_of  # noqa: PLC0415 - these bring compiled libraries, which only this list needs
    from fraud.app.plausibility import plausibility_name  # noqa: PLC0415 - see above
    from fraud.app.scoring import click_model_name  # noqa: PLC0415 - see above

    names = {stable_id("traffic", program_id), click_model_name(program_id), plausibility_name(program_id), ranker_name(program_id)}
    found = asking(lambda: [info for info in app.registry.list() if info.name in names or is_baseline_of(info, program_id)])
    shown = found[offset : offset + limit]
    live = {name: _live(app, name) for name in {info.name for info in shown}}
    return [_kept(info, live[info.name]) for info in shown], len(found)


def show_model(app: App, reference: str) -> KeptModel:
    """One model by id or SHA-256."""
    info = asking(lambda: app.registry.info(reference))
    return _kept(info, _live(app, info.name))


def promote(app: App, program_id: str, reference: str, actor: Actor, reason: str = "") -> KeptModel:
    """Makes a trained ranker the one that the program's next scan uses. Raises `ModelError` when it is refused."""
    info = asking(lambda: app.registry.info(reference))
    if info.name != ranker_name(program_id):
        raise InputError(f"{info.id} is no ranker of the program {program_id}; `fraud models list` shows those there are.")
    asking(lambda: app.registry.load(info.id, feature_set_hash()))
    live = asking(lambda: app.registry.promote(info.id, app.clock.now(), actor.name, reason))
    return _made_live(app, program_id, live, (actor, "model.promoted", reason))


def roll_back(app: App, program_id: str, actor: Actor, reason: str = "") -> KeptModel:
    """Makes the ranker live again that was live before. Raises `ModelError` when there was none."""
    info = asking(lambda: app.registry.roll_back(ranker_name(program_id), app.clock.now(), actor.name, reason))
    return _made_live(app, program_id, info, (actor, "model.rolled_back", reason))


class RankerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a program's list was ordered by: the live ranker (`None`: by the evidence alone), what a step back leads to, and every step."""

    live: KeptModel | None
    before: KeptModel | None
    steps: Sequence[Step]


def ranker_record(app: App, program_id: str) -> RankerRecord:
    """The record of a program's ranker. Raises `ModelError` when it was altered."""
    name = ranker_name(program_id)
    live, before = _live(app, name), asking(lambda: app.registry.before(name))
    steps = asking(lambda: app.registry.steps(name))
    return RankerRecord(live=_kept(live, live) if live else None, before=_kept(before, live) if before else None, steps=steps)


def sample(app: App, program_id: str, size: int) -> list[Asked]:
    """Whom to review next, by the newest scan; the same until that scan or the labels change."""
    newest = app.stores.scans.latest(program_id)
    if newest is None:
        raise NotFound("There is no scan yet to choose from: run `fraud scan` first.")
    labelled = labels_of(app, program_id)
    return review_sample(newest.affiliates, labelled, size, seed=len(labelled))


def explain(app: App, decision_id: str, top: int) -> list[Influence]:
    """What moved an affiliate's place in the order of a decision that a ranker took part in."""
    decision = app.stores.decisions.find(decision_id)
    models = [load_model(app.registry, artefact, decision.feature_set_hash) for artefact in decision.models]
    ranker = next((model for model in models if isinstance(model, TrafficRanker)), None)
    if ranker is None or decision.subject_kind is not SubjectKind.AFFILIATE:
        raise InputError(f"No ranker took part in decision {decision_id}: its order is that of its evidence and rules.")
    return ranker.explain(msgspec.convert(decision.inputs, TrafficInputs).facts, top)


def _made_live(app: App, program_id: str, info: ArtefactInfo, who: tuple[Actor, str, str]) -> KeptModel:
    actor, action, reason = who
    app.stores.audit.record(actor, program_id, action, info.id, app.clock.now(), {"sha256": info.sha256, "reason": reason})
    return _kept(info, info)


def _live(app: App, name: str) -> ArtefactInfo | None:
    return asking(lambda: app.registry.live(name))


def _kept(info: ArtefactInfo, live: ArtefactInfo | None) -> KeptModel:
    return KeptModel(
        model_id=info.id,
        name=info.name,
        live=live is not None and live.id == info.id,
        created_at=info.created_at.isoformat(),
        trained=Period(start=info.trained_from, end=info.trained_to),
        sha256=info.sha256,
        size=info.size,
        feature_set_hash=info.feature_set_hash,
        metrics=dict(info.metrics),
        libraries=dict(info.libraries),
    )
