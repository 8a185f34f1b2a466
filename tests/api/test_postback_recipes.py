"""The recipes of the postback page, as the trackers would call them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fraud.domain.actors import Role
from tests.api.conftest import KEYS, House
from tests.docs.pages import ROOT, text_of

RECIPES = re.findall(r"^\| ([\w.]+) \| `(type=[^`]+)` \|$", text_of(ROOT / "docs" / "postbacks.md"), re.MULTILINE)
MACRO = re.compile(r"\{[^{}]+\}|#[^#]+#")
VALUES = {"amount": "59.90", "commission": "4.79", "currency": "EUR", "ip": "73.1.2.3", "user_agent": "Mozilla/5.0"}


def called(house: House, recipe: str) -> Any:
    """The recipe with every macro filled, by a tracker that can send no header."""
    filled = {name: VALUES.get(name, f"{name}-1") if MACRO.fullmatch(value) else value for name, value in parse_qsl(recipe)}
    return house.client().get("/v1/postback", params=filled | {"key": KEYS[Role.SCORE]})


def test_every_tracker_has_a_recipe_for_clicks_and_for_conversions() -> None:
    trackers = ["Everflow", "TUNE", "Affise", "Voluum", "CAKE", "impact.com"]
    assert [(name, recipe.split("&")[0]) for name, recipe in RECIPES] == [
        (name, f"type={kind}") for kind in ("click", "conversion") for name in trackers
    ]


@pytest.mark.parametrize(("tracker", "recipe"), RECIPES)
def test_a_recipe_is_understood_whole(tracker: str, recipe: str, house: House) -> None:
    response = called(house, recipe)
    assert response.status_code == 200, (tracker, response.text)
    house.writer.flush()
    inputs = house.services.decisions.get("default", response.json()["decision_id"]).inputs
    kept = inputs["conversion" if "type=conversion" in recipe else "click"]
    named = {name for name, value in parse_qsl(recipe) if MACRO.fullmatch(value)}
    assert {name for name in named if kept[name] is None} == set()
