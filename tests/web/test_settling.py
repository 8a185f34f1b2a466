"""Settings: keys made and revoked, feeds shown, each part by itself."""

from __future__ import annotations

import re

import pytest

from fraud.domain.actors import Role
from fraud.storage.actors import SqlActors
from tests.web.conftest import ADMIN_KEY, NOW, Browser, Shop, browser_of


@pytest.fixture
def chief(shop: Shop) -> Browser:
    """An administrator over the real store of keys."""
    object.__setattr__(shop.app.stores, "actors", SqlActors(shop.app.database))
    shop.app.stores.actors.accept_key(ADMIN_KEY, "Ada", Role.ADMIN, ("*",), NOW)
    return browser_of(shop).sign_in(ADMIN_KEY)


@pytest.mark.parametrize("tab", ["keys", "deliveries", "feeds", "jobs", "audit", "nonsense"])
def test_every_part_has_a_page(admin: Browser, tab: str) -> None:
    assert admin.page(f"/settings/{tab}").all("table") is not None


def test_a_key_is_made_and_its_secret_shown_once(chief: Browser, shop: Shop) -> None:
    made = chief.act("/settings/keys", {"name": "Nora", "role": "review"})
    secret = re.search(r"fk_review_[\w-]+", made.text)
    assert secret
    actor = shop.app.stores.actors.authenticate(secret[0])
    assert actor is not None
    assert (actor.name, actor.role, actor.programs) == ("Nora", Role.REVIEW, ("default",))
    assert secret[0] not in chief.page("/settings/keys").text
    assert "Nora" in chief.page("/settings/keys").text


def test_a_key_is_revoked_with_a_reason(chief: Browser, shop: Shop) -> None:
    actor, secret = shop.app.stores.actors.create_key("Nora", Role.REVIEW, ("default",), NOW)
    assert chief.act(f"/settings/keys/{actor.actor_id}/revoke", {"reason": ""}).status_code == 422
    assert shop.app.stores.actors.authenticate(secret) is not None
    chief.act(f"/settings/keys/{actor.actor_id}/revoke", {"reason": "Left the company"})
    assert shop.app.stores.actors.authenticate(secret) is None
    assert "Left the company" in chief.page("/settings/audit").text


def test_nobody_locks_themselves_out_or_reaches_beyond_the_program(chief: Browser, shop: Shop) -> None:
    living = shop.app.stores.actors.keys()
    own = next(one for one in living if one.name == "Ada")
    shared, _ = shop.app.stores.actors.create_key("Everywhere", Role.REVIEW, ("default", "other"), NOW)
    for actor in (own, shared):
        assert chief.act(f"/settings/keys/{actor.actor_id}/revoke", {"reason": "Why not"}).status_code == 422
    left = shop.app.stores.actors.keys()
    assert {own.actor_id, shared.actor_id} <= {one.actor_id for one in left}


@pytest.mark.parametrize("form", [{}, {"name": "x"}, {"name": "x", "role": "king"}])
def test_a_key_needs_a_name_and_a_role(chief: Browser, form: dict[str, str]) -> None:
    assert chief.act("/settings/keys", form).status_code == 422


def test_reviewers_neither_see_nor_make_keys(reviewer: Browser) -> None:
    assert "Keys are shown to administrators" in reviewer.page("/settings/keys").text
    assert reviewer.act("/settings/keys", {"name": "x", "role": "admin"}).status_code == 403


def test_a_damaged_file_of_feeds_is_said(admin: Browser, shop: Shop) -> None:
    (shop.app.workspace.root / "feeds.yaml").write_text("feeds: [", encoding="utf-8")
    assert "feeds.yaml" in admin.page("/settings/feeds").text
