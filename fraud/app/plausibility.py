"""The plausibility model: fitted on the operator's own labelled profiles, kept signed in the registry, used where there is one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from crawlers.backlinks.exports import plain
from crawlers.backlinks.tables import UnreadableExport, cells
from crawlers.social.facts import ProfileFacts
from fraud.app.parts import App
from fraud.domain.decisions import Artefact
from fraud.domain.hashing import sha256_of
from fraud.errors import InputError, ModelError
from models.plausibility import COLUMNS, Matrix, ProfilePlausibility

LEAST_OF_A_KIND = 30
"""Profiles of each label from which a forest learns more than the published bands know."""
FOLDS = 5
_LABELS = ("fake", "isfake", "label", "bad")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "fake", "bad"}), frozenset({"0", "false", "no", "real", "good"})
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "followers": ("followers", "followercount", "followerscount"),
    "following": ("following", "followingcount", "follows"),
    "posts": ("posts", "postcount", "mediacount", "statusescount"),
    "bio_length": ("biolength",),
    "has_picture": ("haspicture", "hasprofilepic"),
    "private": ("private", "isprivate"),
    "handle_digits": ("handledigits", "usernamedigitcount"),
    "handle_length": ("handlelength", "usernamelength"),
}


class PlausibilityTraining(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a training: the model's id, on how many profiles, and its area under the ROC by five-fold cross-validation."""

    model: str
    profiles: int
    fake: int
    auc: float


@dataclass(frozen=True)
class ProfileModel:
    """The live model: how decisions name it, and the risk 0..1 it gives a profile."""

    artefact: Artefact
    model: ProfilePlausibility

    def risk(self, one: ProfileFacts) -> float | None:
        """The risk of a profile's counts; None where none of them is known."""
        if one.followers is None and one.following is None and one.posts is None:
            return None
        return round(float(self.model.score_samples([row_of(one)])[0]), 4)


def train_plausibility(app: App, program_id: str, path: Path) -> PlausibilityTraining:
    """Fits on a table of labelled profiles, measures by cross-validation, keeps the model and makes it the live one; an `InputError` when
    the table has too few of a kind or cannot be read."""
    rows, labels = labelled_profiles(path)
    least = min(sum(labels), len(labels) - sum(labels))
    if least < LEAST_OF_A_KIND:
        raise InputError(f"{path.name} has {least} profile(s) of one label; at least {LEAST_OF_A_KIND} of each are needed.")
    auc = cross_validated(np.array(rows), np.array(labels))
    now = app.clock.now()
    info = app.registry.save(
        plausibility_name(program_id), ProfilePlausibility().fit(rows, labels), feature_set_hash=sha256_of(list(COLUMNS)),
        trained_from=now, trained_to=now, metrics={"auc": auc, "profiles": len(labels)}, created_at=now,
    )  # fmt: skip
    app.registry.promote(info.id, now)
    return PlausibilityTraining(model=info.id, profiles=len(labels), fake=sum(labels), auc=round(auc, 4))


def cross_validated(rows: Matrix, labels: NDArray[np.int_]) -> float:
    """The area under the ROC of risks that every profile is given by a model that did not see it, over five folds."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 (slow to import)
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    risks = np.zeros(len(labels))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(rows, labels):
        risks[test] = ProfilePlausibility().fit(rows[train], labels[train]).score_samples(rows[test])
    return float(roc_auc_score(labels, risks))


def live_model(app: App, program_id: str) -> ProfileModel | None:
    """The program's model, None where none was trained; a `ModelError` with the registry's reason when it is refused."""
    from models.registry import ModelRefused  # noqa: PLC0415

    try:
        info = app.registry.live(plausibility_name(program_id))
        return None if info is None else ProfileModel(
            Artefact(id=info.id, hash=info.sha256), app.registry.load(info.sha256, sha256_of(list(COLUMNS)))
        )  # fmt: skip
    except ModelRefused as refused:
        raise ModelError(str(refused)) from refused


def labelled_profiles(path: Path) -> tuple[list[list[float]], list[int]]:
    """The rows (profiles, 8) as `COLUMNS` says, NaN where a cell is unknown, and their labels (1: fake). Raises InputError."""
    try:
        with cells(path) as found:
            read = list(_rows(found, path.name))
    except UnreadableExport as fault:
        raise InputError(fault.message) from fault
    except OSError as fault:
        raise InputError(f"{path.name} cannot be read: {fault.strerror}.") from fault
    return [row for row, _ in read], [label for _, label in read]


def row_of(one: ProfileFacts) -> list[float]:
    """A profile as the model reads it."""
    known = (one.followers, one.following, one.posts, len(one.bio), one.has_picture, one.private)
    digits = sum(letter.isdigit() for letter in one.handle)
    return [math.nan if value is None else float(value) for value in (*known, digits, len(one.handle))]


def _rows(found: Iterator[list[str]], name: str) -> Iterator[tuple[list[float], int]]:
    header = [plain(cell) for cell in next(found, [])]
    label = next((header.index(known) for known in _LABELS if known in header), None)
    places = {column: next((header.index(known) for known in names if known in header), None) for column, names in _ALIASES.items()}
    if label is None or all(places[column] is None for column in COLUMNS[:3]):
        listed = ", ".join(header[:12]) or "none"
        raise InputError(f"{name} needs a column fake (1 or 0) and some of followers, following, posts; found: {listed}.")
    for row in found:
        said = row[label].strip().lower() if label < len(row) else ""
        if said in _TRUE | _FALSE:
            yield [_number(row, places[column]) for column in COLUMNS], int(said in _TRUE)


def _number(row: list[str], place: int | None) -> float:
    text = row[place].strip().lower() if place is not None and place < len(row) else ""
    try:
        return float({"true": "1", "false": "0", "yes": "1", "no": "0"}.get(text, text.replace(",", ""))) if text else math.nan
    except ValueError:
        return math.nan


def plausibility_name(program_id: str) -> str:
    """What the registry calls a program's model of social profiles."""
    return f"plausibility-{sha256_of(program_id)[:16]}"
