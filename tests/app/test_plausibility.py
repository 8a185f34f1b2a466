"""The model of profiles learns from the operator's own table, is kept signed, and is used in the next vetting."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crawlers.social.facts import ProfileFacts, ProfileState
from fraud.app.parts import App
from fraud.app.plausibility import labelled_profiles, live_model, train_plausibility
from fraud.domain.clock import SystemClock
from fraud.errors import InputError
from fraud.settings import Settings


def table(path: Path, of_each: int = 60, seed: int = 1) -> Path:
    """Real profiles are followed and post; fake ones follow."""
    dice = random.Random(seed)
    real = [f"{dice.randint(300, 5000)},{dice.randint(100, 900)},{dice.randint(50, 900)},real,no" for _ in range(of_each)]
    fake = [f"{dice.randint(0, 80)},{dice.randint(900, 7000)},{dice.randint(0, 4)},fake,no" for _ in range(of_each)]
    path.write_text("Followers,Following,Posts,Fake,Is private\n" + "\n".join([*real, *fake, ",,,unsure,"]))
    return path


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(Settings(workspace=tmp_path / "workspace", _env_file=None), SystemClock())  # type: ignore[call-arg]  # pydantic-settings' own


def profile(followers: int | None, following: int | None, posts: int | None) -> ProfileFacts:
    return ProfileFacts(
        stated="x", platform="x", state=ProfileState.FOUND, handle="trail", followers=followers, following=following, posts=posts
    )  # fmt: skip


def test_it_is_trained_kept_and_used(app: App, tmp_path: Path) -> None:
    assert live_model(app, "default") is None
    made = train_plausibility(app, "default", table(tmp_path / "labelled.csv"))
    model = live_model(app, "default")
    assert (made.profiles, made.fake) == (120, 60)
    assert made.auc > 0.95
    assert model is not None
    assert model.artefact.id == made.model
    risky, usual = model.risk(profile(20, 3_000, 1)), model.risk(profile(2_000, 300, 400))
    assert risky is not None
    assert usual is not None
    assert risky > 0.8
    assert usual < 0.2
    assert model.risk(profile(None, None, None)) is None
    assert live_model(app, "another") is None
    app.close()


@pytest.mark.parametrize(
    ("content", "says"),
    [("a,b\n1,2\n", "needs a column fake"), ("fake,followers\n1,5\n0,7\n", "at least 30 of each"), ("", "found: none")],
)
def test_a_table_that_cannot_teach_says_why(app: App, tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=says):
        train_plausibility(app, "default", path)
    app.close()


def test_unknown_cells_stay_unknown_and_unsure_labels_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text("fake;followers;has picture\n1;;true\n0;1,200;no\nmaybe;3;yes\n")
    rows, labels = labelled_profiles(path)
    assert labels == [1, 0]
    assert str(rows[0][:2]) == "[nan, nan]"
    assert (rows[1][0], rows[0][4], rows[1][4]) == (1200.0, 1.0, 0.0)
