from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.actors import Actor, ActorKind, Role, command_line_actor
from fraud.web.guarding import HEADERS
from fraud.web.sessions import SESSION_LASTS
from fraud.web.visits import COOKIE, safe_next
from tests.reports.markup import assert_inert, read
from tests.web.conftest import ADMIN_KEY, NOW, REVIEW_KEY, SCORE_KEY, Browser, Shop, browser_of

PAGES = ("/", "/alerts", "/scans", "/scans/x", "/scans/x.csv", "/affiliates/x", "/applications", "/applications/x", "/decisions/x")


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_login_and_back(visitor: Browser, path: str) -> None:
    response = visitor.get(f"{path}?program=default")
    assert response.status_code == 303
    where = urlsplit(response.headers["location"])
    assert where.path == "/login"
    assert parse_qs(where.query)["next"] == [f"{path}?program=default"]


def test_a_key_opens_a_session_in_a_cookie_that_scripts_and_other_sites_cannot_use(visitor: Browser) -> None:
    response = visitor.post("/login", {"key": f"  {REVIEW_KEY}\n", "next": "/alerts"})
    assert (response.status_code, response.headers["location"]) == (303, "/alerts")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert f"max-age={int(SESSION_LASTS.total_seconds())}" in cookie
    assert "secure" not in cookie, "plain http on this machine must work"
    assert REVIEW_KEY not in response.headers["set-cookie"]
    assert visitor.get("/").status_code == 200


def test_over_https_the_cookie_is_secure(shop: Shop) -> None:
    browser = browser_of(shop)
    browser.scheme = "https"
    assert "secure" in browser.post("/login", {"key": REVIEW_KEY}).headers["set-cookie"].lower()


@pytest.mark.parametrize("key", ["", "wrong", "x" * 10_000, REVIEW_KEY[:-1]])
def test_a_wrong_key_is_said_clearly_and_looked_up_like_any_other(visitor: Browser, shop: Shop, key: str) -> None:
    response = visitor.post("/login", {"key": key, "next": "/alerts"})
    assert response.status_code == 401
    page = read(response.text)
    assert "We do not know this key." in page.text
    assert {"name": "next", "value": "/alerts", "type": "hidden"} in page.all("input")
    assert len(shop.actors.asked) == 1
    assert "set-cookie" not in response.headers
    assert key == "" or key not in response.text


def test_a_trackers_key_opens_no_pages_and_is_told_why(visitor: Browser) -> None:
    response = visitor.post("/login", {"key": SCORE_KEY})
    assert response.status_code == 403
    assert "Use a key with the review or admin role." in response.text
    assert "set-cookie" not in response.headers


def test_a_ticket_signs_in_until_it_ends(visitor: Browser, shop: Shop) -> None:
    ticket = shop.signer.issue_ticket(command_line_actor("ops"), NOW)
    for _ in range(2):
        response = visitor.get(f"/login?ticket={ticket}")
        assert response.status_code == 200
        assert_inert(read(response.text))
    assert "Other Program" in visitor.page("/?program=other").text
    shop.clock.move_to(NOW + timedelta(minutes=16))
    late = visitor.get(f"/login?ticket={ticket}")
    assert late.status_code == 401
    assert "This link has ended" in late.text


def test_a_ticket_of_a_tracker_opens_nothing(visitor: Browser, shop: Shop) -> None:
    tracker = Actor(kind=ActorKind.PERSON, actor_id="p", name="p", role=Role.SCORE)
    assert visitor.get(f"/login?ticket={shop.signer.issue_ticket(tracker, NOW)}").status_code == 403


def test_a_session_ends_after_twelve_hours(reviewer: Browser, shop: Shop) -> None:
    assert reviewer.get("/").status_code == 200
    shop.clock.move_to(NOW + timedelta(hours=12))
    assert reviewer.get("/").status_code == 303


def test_a_session_that_was_tampered_with_is_none(reviewer: Browser) -> None:
    reviewer.cookies[COOKIE] = reviewer.cookies[COOKIE][:-8] + "AAAAAAAA"
    assert reviewer.get("/").status_code == 303


def test_a_revoked_key_ends_its_sessions_at_once(reviewer: Browser, shop: Shop) -> None:
    shop.actors.revoke_secret(REVIEW_KEY)
    assert reviewer.get("/").status_code == 303


def test_a_key_that_lost_its_role_sees_nothing_more(reviewer: Browser, shop: Shop) -> None:
    shop.actors.by_secret[REVIEW_KEY] = msgspec.structs.replace(shop.actors.by_secret[REVIEW_KEY], role=Role.SCORE)
    assert reviewer.get("/").status_code == 403


def test_signing_out_forgets_the_session(reviewer: Browser) -> None:
    response = reviewer.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    assert COOKIE not in reviewer.cookies
    assert reviewer.get("/logout").status_code == 405


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_form_of_another_site_is_refused(visitor: Browser, path: str, headers: dict[str, str]) -> None:
    response = visitor.post(path, {"key": REVIEW_KEY}, headers=headers)
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


def test_our_own_form_is_accepted_from_browsers_old_and_new(visitor: Browser) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin", "Origin": "http://fraud.example"}, {"Origin": "http://fraud.example"}):
        assert visitor.post("/login", {"key": ADMIN_KEY}, headers=headers).status_code == 303


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil", "", "/login",
     "/logout",
     "/a\nLocation: https://evil.example", "/\t/evil.example", " //evil.example"],
)  # fmt: skip
def test_no_next_leads_elsewhere(visitor: Browser, target: str) -> None:
    assert safe_next(target) == "/"
    assert visitor.post("/login", {"key": REVIEW_KEY, "next": target}).headers["location"] == "/"


@given(st.text())
def test_a_next_that_is_kept_is_a_path_of_ours(target: str) -> None:
    kept = safe_next(target)
    parts = urlsplit(kept)
    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))
    assert (parts.scheme, parts.netloc) == ("", "")


@pytest.mark.parametrize("path", ["/login", "/", "/static/pages.css", "/login?ticket=nonsense"])
def test_every_answer_carries_the_security_headers(visitor: Browser, path: str) -> None:
    response = visitor.get(path)
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy


def test_pages_are_not_stored_and_the_style_is(visitor: Browser) -> None:
    page = visitor.get("/login")
    assert page.headers["cache-control"] == "no-store"
    address = next(link["href"] for link in read(page.text).all("link") if link["rel"] == "stylesheet")
    style = visitor.get(address)
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" in style.headers["cache-control"]
    assert "http" not in style.text, "the style loads nothing from anywhere"


def test_the_login_page_is_inert_and_keeps_where_to_go(visitor: Browser) -> None:
    page = visitor.page("/login?next=/alerts")
    assert {"type": "hidden", "name": "next", "value": "/alerts"} in page.all("input")
    assert "/alerts" in page.hrefs()
    hostile = visitor.page("/login?next=" + "%22%3E%3Cscript%3E")
    assert {"type": "hidden", "name": "next", "value": "/"} in hostile.all("input")


def test_after_ten_wrong_keys_an_address_has_to_wait_even_with_the_right_one(visitor: Browser, shop: Shop) -> None:
    for guess in range(10):
        assert visitor.post("/login", {"key": f"guess-{guess}"}).status_code == 401
    asked = len(shop.actors.asked)
    shut = visitor.post("/login", {"key": REVIEW_KEY})
    assert (shut.status_code, shut.headers["retry-after"]) == (429, "30")
    assert "Wait 30 seconds" in shut.text
    assert len(shop.actors.asked) == asked
    shop.clock.move_to(NOW + timedelta(seconds=31))
    assert visitor.post("/login", {"key": REVIEW_KEY}).status_code == 303


def test_right_keys_are_no_tries(visitor: Browser) -> None:
    assert {visitor.post("/login", {"key": REVIEW_KEY}).status_code for _ in range(15)} == {303}


def test_who_signed_in_is_in_the_audit_log(reviewer: Browser, shop: Shop) -> None:
    (entry,) = shop.app.stores.audit.entries("default", 1)
    assert (entry["action"], entry["actor_name"]) == ("session.opened", "Rosa")
