"""What the operator supplies of profiles that may not be read: a row a profile, a day or a post."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.social.facts import ProfileState
from crawlers.social.files import UnreadableProfiles, read_profiles

KEY = ("instagram", "trail.notes")
ROWS = (
    "Profile URL,Followers,Following,Posts,Date,Posted at,Likes,Comments\n"
    'https://www.instagram.com/trail.notes/,"12,000",300,450,,,,\n'
    "https://www.instagram.com/Trail.Notes/,11900,,,2024-05-05,,,\n"
    "https://www.instagram.com/trail.notes/,12100,,,2024-05-06,,,\n"
    "https://www.instagram.com/trail.notes/,,,,,2024-05-04T10:00:00Z,310,12\n"
    "not an address,5,,,,,,\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_profile_days_and_posts_are_put_together(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "profiles.csv"
    path.write_text(ROWS, encoding=encoding)
    found = read_profiles(path)
    one = found[KEY]
    assert set(found) == {KEY}
    assert (one.state, one.source, one.followers, one.following, one.posts) == (ProfileState.FOUND, "operator", 12_100, 300, 450)
    assert [(count.day, count.followers) for count in one.history] == [(date(2024, 5, 5), 11_900), (date(2024, 5, 6), 12_100)]
    assert [(post.likes, post.comments) for post in one.recent] == [(310, 12)]


def test_json_with_platform_and_handle_is_read(tmp_path: Path) -> None:
    path = tmp_path / "profiles.json"
    path.write_text(
        json.dumps({"profiles": [{"platform": "Instagram", "handle": "@trail.notes", "follower_count": 900, "biography": "We hike"}]})
    )
    one = read_profiles(path)[KEY]
    assert (one.followers, one.bio) == (900, "We hike")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"{", b"[1, 2]", b"url,followers\nnowhere,5\n"])
def test_a_file_without_profiles_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "profiles.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableProfiles, match=r"profiles\.csv"):
        read_profiles(path)


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_file_breaks_the_reading(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "profiles"
    path.write_bytes(b"url,followers\nhttps://www.instagram.com/trail.notes/,7\n" + content)
    assert KEY in read_profiles(path)
