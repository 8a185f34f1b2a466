"""Recorded answers are read without loss; changed, broken and hostile ones are said to be so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crawlers.social.catalogue import Way, fault_of, read, rotten, ways
from crawlers.social.facts import ProfileState
from crawlers.social.readers import (
    ChangedAnswer,
    bluesky_posts,
    bluesky_profile,
    document,
    mastodon_account,
    mastodon_posts,
    shortened,
    youtube_channel,
    youtube_posts,
)


def recorded(folder: str, *patterns: str) -> list[Path]:
    root = Path(os.environ.get("FRAUD_TEST_DATA", "")) / "api_responses" / folder
    if not os.environ.get("FRAUD_TEST_DATA") or not root.is_dir():
        pytest.skip("FRAUD_TEST_DATA does not name a folder with api_responses")
    return sorted(path for pattern in patterns for path in root.rglob(pattern))


def answers(path: Path) -> Iterator[tuple[str, Any]]:
    """The address and the JSON body of every exchange of a cassette."""
    said = yaml.load(path.read_text(), Loader=yaml.CSafeLoader) or {}
    for one in said.get("interactions") or said.get("http_interactions") or []:
        body = (one["response"].get("body") or {}).get("string") or ""
        try:
            yield one["request"]["uri"], json.loads(body)
        except ValueError:
            continue


def things(value: Any) -> Iterator[dict[str, Any]]:
    """Every object at any depth."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from things(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from things(inner)


@pytest.mark.data
def test_every_recorded_mastodon_account_is_read_whole() -> None:
    seen = 0
    for path in recorded("mastodon_py", "test_account*.yaml", "test_directory*.yaml"):
        for one in (thing for _, body in answers(path) for thing in things(body) if {"acct", "followers_count", "note"} <= thing.keys()):
            facts = mastodon_account(one, "x")
            assert (facts.followers, facts.following, facts.posts) == (
                one["followers_count"],
                one["following_count"],
                one["statuses_count"],
            )
            assert (facts.handle, facts.identity, facts.name, facts.url) == (one["acct"], one["id"], one["display_name"], one["url"])
            assert [(each.name, each.value) for each in facts.fields] == [(each["name"], each["value"]) for each in one["fields"]]
            assert (facts.created_at is None) == (not one["created_at"])
            assert (facts.last_post_at is None) == (not one["last_status_at"])
            assert (facts.bot, facts.private) == (one["bot"], one["locked"])
            seen += 1
    assert seen > 30


@pytest.mark.data
def test_every_recorded_mastodon_status_is_read() -> None:
    seen = 0
    for path in recorded("mastodon_py", "test_account_pinned.yaml", "test_fetch_next_previous.yaml"):
        statuses = [
            one for _, body in answers(path) for one in things(body) if {"favourites_count", "replies_count", "visibility"} <= one.keys()
        ]
        posts = mastodon_posts(statuses[:100])
        assert [post.likes for post in posts] == [one["favourites_count"] for one in statuses[:100]]
        assert all(post.at for post in posts)
        seen += len(posts)
    assert seen > 5


@pytest.mark.data
def test_every_recorded_bluesky_profile_and_feed_is_read() -> None:
    profiles = posts = 0
    for path in recorded("bluesky_bskyr", "*.yml"):
        for _, body in answers(path):
            for one in (thing for thing in things(body) if {"did", "handle", "followersCount"} <= thing.keys()):
                facts = bluesky_profile(one, "x")
                assert (facts.followers, facts.following, facts.posts) == (one["followersCount"], one["followsCount"], one["postsCount"])
                assert (facts.handle, facts.identity, facts.name) == (one["handle"], one["did"], one.get("displayName", ""))
                assert facts.created_at is not None
                profiles += 1
            if isinstance(body, dict) and isinstance(body.get("feed"), list):
                found = bluesky_posts(body)
                wanted = [one["post"] for one in body["feed"]][:100]
                assert [post.likes for post in found] == [one.get("likeCount") for one in wanted]
                posts += len(found)
    assert profiles > 0
    assert posts > 50


@pytest.mark.data
def test_every_recorded_youtube_channel_and_video_is_read() -> None:
    channels = videos = 0
    for path in recorded("python_youtube", "*.json"):
        body = json.loads(path.read_text())
        kind = body.get("kind") if isinstance(body, dict) else None
        if kind == "youtube#channelListResponse" and body.get("items"):
            facts, first = youtube_channel(body, "x"), body["items"][0]
            counts = first.get("statistics", {})
            assert facts.followers == (int(counts["subscriberCount"]) if "subscriberCount" in counts else None)
            assert facts.name == first.get("snippet", {}).get("title", "")
            channels += 1
        if kind == "youtube#videoListResponse":
            found = youtube_posts(body)
            assert [post.likes for post in found] == [
                int(one["statistics"]["likeCount"]) if "likeCount" in one.get("statistics", {}) else None for one in body["items"]
            ]
            videos += len(found)
        if isinstance(body, dict) and "error" in body:
            with pytest.raises(ChangedAnswer):
                youtube_channel(body, "x")
    assert channels >= 3
    assert videos >= 5


def test_the_samples_of_the_catalogue_hold() -> None:
    assert rotten() == {}


def test_an_entry_whose_samples_fail_is_rotten() -> None:
    assert "not read" in fault_of(Way(id="github", how="api", reader="github", found='{"login":"a"}', absent="{}"))
    good = ways()["telegram"]
    assert "no profile" in fault_of(Way(id="telegram", how="page", reader="telegram", found=good.found, absent=good.found))


@pytest.mark.parametrize("platform", ["mastodon", "bluesky", "github", "reddit", "youtube"])
@pytest.mark.parametrize(
    "body", [b"", b"<html>Just a moment...</html>", b"[]", b"null", b'{"error":"x"}', b'{"followers_count":"many","acct":{}}']
)
def test_a_changed_answer_is_said_to_be_changed(platform: str, body: bytes) -> None:
    with pytest.raises(ChangedAnswer):
        read(ways()[platform], body, "x", "x")


def test_an_answer_that_lost_a_count_is_changed_not_zero() -> None:
    body = json.loads(ways()["mastodon"].found)
    del body["followers_count"]
    with pytest.raises(ChangedAnswer, match="followers_count"):
        mastodon_account(body, "x")


def test_hidden_subscribers_are_unknown() -> None:
    body = json.loads(ways()["youtube"].found)
    body["items"][0]["statistics"] = {"hiddenSubscriberCount": True, "subscriberCount": "0", "videoCount": "5"}
    facts = youtube_channel(body, "x")
    assert (facts.followers, facts.posts, facts.labels) == (None, 5, ("hidden_subscribers",))
    assert youtube_channel({"kind": "youtube#channelListResponse"}, "x").state is ProfileState.ABSENT


def test_a_domain_as_handle_and_a_verified_field_are_kept() -> None:
    facts = bluesky_profile(
        {"did": "did:plc:a", "handle": "Trailnotes.example", "followersCount": 1, "followsCount": 1, "postsCount": 1}, "x"
    )
    assert facts.handle_domain == "trailnotes.example"
    body = json.loads(ways()["mastodon"].found)
    body["fields"] = [{"name": "web", "value": '<a href="https://trailnotes.example/">x</a>', "verified_at": "2024-01-01T00:00:00Z"}]
    assert mastodon_account(body, "x").verified_links == ("https://trailnotes.example/",)


@pytest.mark.parametrize(
    ("text", "count"), [("1.2K", 1200), ("3 204 members", 3204), ("12,345 subscribers", 12345), ("2M", 2_000_000), ("none", None)]
)
def test_shortened_counts_are_read(text: str, count: int | None) -> None:
    assert shortened(text) == count


NAMES = st.sampled_from(["id", "acct", "fields", "followers_count", "feed", "post", "did", "handle", "items", "kind", "labels", "note"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
)


@given(JSON_VALUES)
def test_no_json_breaks_a_reader(value: Any) -> None:
    for platform in ("mastodon", "bluesky", "github", "reddit", "youtube"):
        try:
            read(ways()[platform], json.dumps(value).encode(), "x", "x")
        except ChangedAnswer:
            continue
    mastodon_posts(value)
    with suppress(ChangedAnswer):
        bluesky_posts(document(json.dumps(value).encode(), "x"))


def test_moments_are_utc() -> None:
    assert mastodon_account(json.loads(ways()["mastodon"].found), "x").created_at == datetime(2022, 11, 1, tzinfo=UTC)
