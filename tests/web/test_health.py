"""Whether everything runs: late feeds, unreadable files and models that wait are said where people look first."""

from __future__ import annotations

import pytest

from tests.web.conftest import NOW, Browser, Shop
from tests.web.test_modelling import kept_baseline

FEED = "feeds:\n  - {name: shop-everflow, tracker: everflow, base_url: 'https://api.example', credentials: {api_key: KEY}, every: 1h}\n"


@pytest.mark.parametrize(
    ("file", "said"),
    [("", "None pulled; data comes as files"), (FEED, "Late: shop-everflow"), ("feeds: [", "feeds.yaml cannot be used")],
)
def test_feeds_that_are_late_are_named(reviewer: Browser, shop: Shop, file: str, said: str) -> None:
    if file:
        (shop.app.workspace.root / "feeds.yaml").write_text(file)
    assert said in reviewer.page("/").text


def test_a_baseline_that_waits_is_said_on_the_first_page(reviewer: Browser, shop: Shop) -> None:
    shop.app.registry.promote(kept_baseline(shop, 9).id, NOW, "Rosa", "The first")
    kept_baseline(shop, 2, held=True)
    while "Being looked up" in (text := reviewer.page("/").text):
        pass
    assert "A newer baseline waits for a person" in text
