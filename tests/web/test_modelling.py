"""Models on their page: what orders the list, promoted and rolled back with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fraud.app.models import ranker_name
from fraud.domain.actors import SYSTEM
from fraud.domain.decisions import DecisionKind
from fraud.features.catalogue import feature_set_hash
from fraud.storage.decisions import SqlDecisions
from models.registry import ArtefactInfo
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
    assert theirs.sha256[:12] not in reviewer.page("/models").text
    assert reviewer.act(f"/models/{theirs.id}/promote", {"reason": "Ours is worse"}).status_code == 422
    assert theirs.id not in reviewer.get("/csv/models").text


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
