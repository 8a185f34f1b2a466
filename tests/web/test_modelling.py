"""Models on their page: what orders the list, promoted and rolled back with a reason."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from fraud.app.models import ranker_name
from fraud.domain.actors import SYSTEM
from fraud.domain.decisions import DecisionKind
from fraud.domain.drift import DriftReport, FeatureDrift
from fraud.domain.scans import BaselineStanding, Period
from fraud.features.catalogue import feature_set_hash
from fraud.storage.decisions import SqlDecisions
from fraud.workflows.baselines import HELD, baseline_name
from models.registry import ArtefactInfo
from tests.reports import samples
from tests.web.conftest import NOW, Browser, Shop


def kept(shop: Shop, number: int, program_id: str = "default") -> ArtefactInfo:
    """A ranker of the program; what it is made of does not matter to the page."""
    return shop.app.registry.save(
        ranker_name(program_id),
        {"ranker": number},
        feature_set_hash=feature_set_hash(),
        trained_from=NOW - timedelta(days=60),
        trained_to=NOW - timedelta(days=number),
        metrics={"labels": 80.0 + number, "average_precision": 0.81, "average_precision_before": 0.74},
        created_at=NOW - timedelta(days=number),
    )


@pytest.fixture
def rankers(shop: Shop) -> tuple[ArtefactInfo, ArtefactInfo]:
    """Two rankers, the older one live."""
    older, newer = kept(shop, 9), kept(shop, 1)
    shop.app.registry.promote(older.id, NOW - timedelta(days=8), SYSTEM.name, "The first one")
    return older, newer


def live(shop: Shop) -> str:
    info = shop.app.registry.live(ranker_name("default"))
    return info.id if info else ""


def test_without_a_ranker_the_page_says_what_orders_the_list(reviewer: Browser) -> None:
    text = reviewer.page("/models").text
    assert "The evidence orders the list" in text
    assert "fraud train" in text


def test_a_ranker_is_promoted_with_a_reason_and_rolled_back_with_another(
    reviewer: Browser, shop: Shop, rankers: tuple[ArtefactInfo, ArtefactInfo]
) -> None:
    older, newer = rankers
    done = reviewer.act(f"/models/{newer.id}/promote", {"reason": "Better on last month’s labels"})
    assert live(shop) == newer.id
    text = reviewer.page(done.headers["location"]).text
    assert "It orders the list from the next scan on" in text
    assert "Better on last month’s labels" in text
    assert "Roll back to the ranker of" in text
    reviewer.act("/models/roll-back", {"reason": "Two good affiliates came in front"})
    assert live(shop) == older.id
    told = [one for one in shop.app.stores.audit.entries("default", 20) if str(one["action"]).startswith("model.")]
    assert [(one["action"], one["actor_name"]) for one in told] == [("model.rolled_back", "Rosa"), ("model.promoted", "Rosa")]
    assert "Two good affiliates came in front" in str(told[0]["detail"])


@pytest.mark.parametrize("step", ["roll-back", "{newer}/promote"])
def test_no_step_goes_without_a_reason(reviewer: Browser, shop: Shop, rankers: tuple[ArtefactInfo, ArtefactInfo], step: str) -> None:
    before = live(shop)
    answer = reviewer.act(f"/models/{step.format(newer=rankers[1].id)}", {"reason": " "})
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert live(shop) == before


def test_with_nothing_to_go_back_to_the_page_says_so(reviewer: Browser, rankers: tuple[ArtefactInfo, ArtefactInfo]) -> None:
    assert "Roll back" not in reviewer.page("/models").text
    answer = reviewer.act("/models/roll-back", {"reason": "Just so"})
    assert answer.status_code >= 400
    assert "promote the one you want instead" in answer.text


def test_rankers_of_another_program_are_neither_shown_nor_promoted(reviewer: Browser, shop: Shop) -> None:
    theirs = kept(shop, 3, "other")
    assert theirs.id not in reviewer.page("/models").text
    assert reviewer.act(f"/models/{theirs.id}/promote", {"reason": "Ours is worse"}).status_code == 422
    assert theirs.id not in reviewer.get("/csv/models").text


def kept_baseline(shop: Shop, number: int, *, held: bool = False) -> ArtefactInfo:
    """A baseline of windows of three days that ends some days ago."""
    return shop.app.registry.save(
        baseline_name("default", 72),
        {"baseline": number},
        feature_set_hash=feature_set_hash(),
        trained_from=NOW - timedelta(days=28 + number),
        trained_to=NOW - timedelta(days=number),
        metrics={"window_hours": 72.0, "rows": 4_000.0, "drift_features": 12.0, "drift_features_compared": 40.0}
        | ({HELD: 1.0} if held else {}),
        created_at=NOW - timedelta(days=number),
    )


def test_a_baseline_that_waits_is_accepted_with_a_reason_and_taken_back_with_another(reviewer: Browser, shop: Shop) -> None:
    older, waiting = kept_baseline(shop, 9), kept_baseline(shop, 1, held=True)
    name = older.name
    shop.app.registry.promote(older.id, NOW - timedelta(days=8))
    text = reviewer.page("/models").text
    assert "A newer baseline waits for a person" in text
    assert "12 of 40 features drifted" in text
    assert reviewer.act("/models/baseline/accept", {"model": waiting.id, "reason": " "}).status_code == 422
    assert shop.app.registry.live(name) == older
    reviewer.act("/models/baseline/accept", {"model": waiting.id, "reason": "The spring sale is over"})
    assert shop.app.registry.live(name) == waiting
    assert "waits for a person" not in reviewer.page("/models").text
    reviewer.act("/models/baseline/roll-back", {"reason": "Too many alerts"})
    assert shop.app.registry.live(name) == older
    told = [(one["action"], one["actor_name"]) for one in shop.app.stores.audit.entries("default", 20) if "baseline" in one["action"]]
    assert told == [("baseline.rolled_back", "Rosa"), ("baseline.accepted", "Rosa")]


def test_how_far_the_newest_night_lies_from_its_baseline_is_shown(reviewer: Browser, shop: Shop) -> None:
    drift = FeatureDrift(feature="clicks", title="Clicks in the window", psi=0.41, p_value=0.001, moved=1.8)
    night = DriftReport(
        affiliates=150,
        evidence_psi=0.4,
        evidence_p_value=0.001,
        compared=40,
        drifted=12,
        features=(drift,),
        large=True,
        why="Much has moved.",
    )
    trained = Period(start=NOW - timedelta(days=30), end=NOW - timedelta(days=3))
    standing = BaselineStanding(state="in_force", model_id="baseline-1", trained=trained, night=night)
    shop.scans.only([msgspec.structs.replace(samples.scan_result(), baseline=standing)])
    text = reviewer.page("/models").text
    for said in ("The newest night beside it", "Drifted", "Much has moved.", "Clicks in the window", "0.41", "+1.8"):
        assert said in text


def test_how_far_click_scores_have_moved_is_shown(reviewer: Browser, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = [0.1 + 0.0001 * (number % 500) for number in range(1_000)] + [0.2 + 0.0001 * (number % 700) for number in range(1_000)]
    object.__setattr__(shop.app.stores, "decisions", Scored(shop, scores))
    shown = [reviewer.page("/models").text for _ in range(200)]
    assert any("Drift of click scores" in one and "being counted" not in one for one in shown)


class Scored(SqlDecisions):
    """Decisions whose newest scores are given."""

    def __init__(self, shop: Shop, scores: list[float]) -> None:
        super().__init__(shop.app.database)
        self._scores = scores

    def newest_scores(self, program_id: str, kind: DecisionKind, limit: int) -> list[float]:
        return self._scores[:limit]


def test_a_model_altered_on_disk_is_refused_in_a_sentence(
    reviewer: Browser, shop: Shop, rankers: tuple[ArtefactInfo, ArtefactInfo]
) -> None:
    (shop.app.workspace.root / "models" / "objects" / f"{rankers[1].sha256}.joblib").write_bytes(b"other bytes")
    answer = reviewer.act(f"/models/{rankers[1].id}/promote", {"reason": "Better"})
    assert "does not match its SHA-256" in answer.text
