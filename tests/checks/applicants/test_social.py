"""Profiles: dead, foreign, borrowed or implausible ones are named, the rest is clear or unknown; and a proven channel replaces a site."""

from __future__ import annotations

import json
import math
import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sklearn.metrics import roc_auc_score

from crawlers.facts import SocialProfile
from crawlers.social.facts import DayCount, Post, ProfileFacts, ProfileField, ProfileState
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.context import VettingFacts
from fraud.checks.applicants.social import bands_of, channel, profiles, proof_of, tier_of
from fraud.checks.running import run_applicant_checks
from fraud.decisions.deciding import decide_application
from fraud.domain.decisions import Outcome
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import NOW, PACK, facts, limits, page, site

STATED = "https://mastodon.social/@trail"
PROFILE = ProfileFacts(
    stated=STATED, platform="mastodon", handle="trail", url=STATED, state=ProfileState.FOUND, source="api", identity="1", bio="We hike.",
    followers=800, following=300, posts=450, created_at=NOW - timedelta(days=900), asked_at=NOW, has_picture=True,
)  # fmt: skip


def profile(**changes: Any) -> ProfileFacts:
    return msgspec.structs.replace(PROFILE, **changes)


def seen(*found: ProfileFacts, sites: bool = True, proof: str = "", **application: Any) -> VettingFacts:
    sent = (site(page(social_profiles=application.pop("linked", ())), page("lake"), page("ridge")),) if sites else ()
    made = facts(*sent, social_profiles=tuple(one.stated for one in found), **application)
    return msgspec.structs.replace(made, audience=Audience(profiles=found, proof=proof))


def judged(one: ProfileFacts, **changes: Any) -> Signal:
    given = profiles(seen(one, **changes), limits("audience.profiles"))
    assert isinstance(given, tuple)
    return given[0]


def test_an_ordinary_profile_is_clear() -> None:
    assert judged(PROFILE).status is Status.CLEAR


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (profile(state=ProfileState.ABSENT, reason="mastodon knows no such profile."), Status.FINDING),
        (profile(links=("https://other.example/",)), Status.FINDING),
        (profile(links=("https://trailnotes.example/about",)), Status.CLEAR),
        (profile(handle="acmeoutdoor_deals"), Status.FINDING),
        (profile(followers=10, following=4000), Status.CLEAR),
        (profile(followers=10, following=4000, posts=0), Status.FINDING),
        (profile(followers=20_000, created_at=NOW - timedelta(days=20), posts=4, bio=""), Status.FINDING),
        (profile(state=ProfileState.UNKNOWN, reason="Refused (status 429)."), Status.INCONCLUSIVE),
        (profile(state=ProfileState.UNVERIFIED, reason="May not be read."), Status.INCONCLUSIVE),
        (profile(followers=None, following=None, posts=None, created_at=None, has_picture=None), Status.CLEAR),
    ],
)
def test_each_way_a_profile_may_be(one: ProfileFacts, status: Status) -> None:
    assert judged(one).status is status


def test_a_reason_is_told_where_nothing_was_seen() -> None:
    assert "429" in judged(profile(state=ProfileState.UNKNOWN, reason="Refused (status 429).")).text


def test_a_foreign_profile_that_the_site_links_to_is_none() -> None:
    linked = (SocialProfile(platform="mastodon", handle="trail@mastodon.social", url=STATED),)
    assert judged(profile(links=("https://shop.example/",)), linked=linked).status is Status.CLEAR


def posts(count: int, likes: list[int], hours: list[float]) -> tuple[Post, ...]:
    moments = [NOW - timedelta(hours=sum(hours[: n + 1])) for n in range(count)]
    return tuple(Post(at=at, likes=likes[n % len(likes)], comments=1, shares=0) for n, at in enumerate(moments))


def test_bought_looking_posts_are_signs_and_lively_ones_are_not() -> None:
    lively = profile(followers=3_000, recent=posts(30, [90, 200, 40, 160, 75], [5.0, 70, 20, 44, 3] * 6))
    bought = profile(followers=90_000, recent=posts(30, [100, 101, 99], [24.0] * 30))
    bands = [bands_of(one, 900, limits("audience.profiles")) for one in (lively, bought)]
    assert bands[0].strong == ()
    assert len(bands[1].strong) == 3
    assert judged(bought).severity is Severity.MEDIUM


def test_tiers() -> None:
    assert [tier_of(n) for n in (1_000, 20_000, 100_000, 700_000, 2_000_000)] == [0, 1, 2, 3, 4]


@pytest.mark.data
def test_bands_alone_tell_labelled_profiles_apart() -> None:
    folder = Path(os.environ.get("FRAUD_TEST_DATA", "")) / "social_profiles" / "instafake" / "data" / "fake-v1.0"
    if not os.environ.get("FRAUD_TEST_DATA") or not folder.is_dir():
        pytest.skip("FRAUD_TEST_DATA does not name a folder with social_profiles")
    rows = [row for name in ("fakeAccountData.json", "realAccountData.json") for row in json.loads((folder / name).read_text())]
    scores = [
        bands_of(
            ProfileFacts(
                stated="", platform="instagram", handle="1" * row["usernameDigitCount"], bio="x" * row["userBiographyLength"],
                followers=row["userFollowerCount"], following=row["userFollowingCount"], posts=row["userMediaCount"],
                has_picture=bool(row["userHasProfilPic"]),
            ),
            None, limits("audience.profiles"),
        ).score
        for row in rows
    ]  # fmt: skip
    labels = [row["isFake"] for row in rows]
    assert roc_auc_score(labels, scores) >= 0.90


def vetted(given: VettingFacts) -> tuple[Outcome, tuple[str, ...]]:
    verdict = decide_application(PACK, run_applicant_checks(PACK, given))
    return verdict.outcome, verdict.needed


def only_a_channel(one: ProfileFacts, proof: str = "affiliate-proof-1") -> VettingFacts:
    return seen(one, sites=False, proof=proof, email="me@gmail.com")


@pytest.mark.parametrize(
    "one",
    [
        profile(bio="We hike. affiliate-proof-1"),
        profile(fields=(ProfileField(name="code", value="affiliate-proof-1"),)),
    ],
)
def test_nothing_but_a_verified_channel_can_be_approved(one: ProfileFacts) -> None:
    assert vetted(only_a_channel(one))[0] is Outcome.APPROVE


@pytest.mark.parametrize(
    "one",
    [
        profile(),
        profile(bio="affiliate-proof-2, somebody else's"),
        profile(links=("https://other.example/",)),
        profile(state=ProfileState.ABSENT, reason="There is none."),
        profile(state=ProfileState.UNKNOWN, reason="Refused."),
        profile(state=ProfileState.UNVERIFIED, reason="May not be read."),
    ],
)
def test_dead_foreign_and_unlinked_profiles_are_never_approved_by_themselves(one: ProfileFacts) -> None:
    outcome, needed = vetted(only_a_channel(one))
    assert outcome in {Outcome.REQUEST_INFO, Outcome.REVIEW}
    assert any("agreed code" in text for text in needed)


def test_ownership_is_proven_both_ways_or_by_what_only_the_owner_can_set() -> None:
    linked = (SocialProfile(platform="mastodon", handle="trail@mastodon.social", url=STATED),)
    home = ("https://www.trailnotes.example/",)
    assert "one another" in proof_of(seen(profile(links=home), linked=linked), profile(links=home))
    assert proof_of(seen(profile(links=home)), profile(links=home)) == ""
    assert proof_of(seen(PROFILE, linked=linked), PROFILE) == ""
    assert "saw" in proof_of(seen(PROFILE), profile(verified_links=home))
    assert "handle" in proof_of(seen(PROFILE), profile(handle_domain="trailnotes.example"))
    assert proof_of(seen(PROFILE), profile(handle_domain="other.example")) == ""


def test_a_free_mailbox_proves_no_handle() -> None:
    one = profile(handle_domain="gmail.com")
    assert channel(seen(one, sites=False, email="me@gmail.com"), {}).status is Status.INCONCLUSIVE


def grown(jump_on: int | None, posted_on: int | None = None) -> Signal:
    """Sixty days of growth by a hundredth, with a day on which a third more followers arrived."""
    followers, days = 10_000.0, []
    for day in range(60):
        followers *= 1.33 if day == jump_on else 1.01 + 0.004 * math.sin(day)
        days.append(DayCount(day=(NOW - timedelta(days=60 - day)).date(), followers=round(followers)))
    posts = (Post(at=NOW - timedelta(days=60 - posted_on)),) if posted_on is not None else ()
    return judged(profile(history=tuple(days), followers=days[-1].followers, recent=posts))


def test_followers_that_arrive_at_once_without_a_post_are_a_sign() -> None:
    assert "without a post" in grown(40).text
    assert "without a post" not in grown(None).text
    assert "without a post" not in grown(40, posted_on=39).text


def liked(likes: list[int]) -> Signal:
    return judged(profile(recent=tuple(Post(likes=value) for value in likes)))


def test_first_digits_count_with_three_hundred_posts_only() -> None:
    dice = random.Random(7)
    lively = [round(10 ** dice.uniform(1, 4)) for _ in range(400)]
    bought = [dice.randint(400, 700) for _ in range(400)]
    assert "first digits" not in liked(lively).text
    assert "first digits" in liked(bought).text
    assert "first digits" not in liked(bought[:299]).text


@pytest.mark.parametrize(("risk", "status"), [(0.95, Status.FINDING), (0.3, Status.CLEAR)])
def test_a_model_of_ones_own_profiles_decides_in_place_of_the_bands(risk: float, status: Status) -> None:
    known = seen(PROFILE)
    audience = msgspec.structs.replace(known.audience, profile_risks={STATED: risk})
    given = profiles(msgspec.structs.replace(known, audience=audience), limits("audience.profiles"))
    assert isinstance(given, tuple)
    assert given[0].status is status
    assert f"risk {risk:.2f}" in given[0].text


@pytest.mark.parametrize(
    ("changes", "borrowed"),
    [
        ({"handle": "acmeoutdoor_deals"}, True),
        ({"handle": "acrneoutdoor"}, True),
        ({"handle": "trail", "name": "Acme Outdoor"}, True),
        ({"handle": "trail", "name": "We love Acme Outdoor tents"}, False),
        ({"handle": "trailnotes"}, False),
    ],
)
def test_a_profile_that_poses_as_the_program_is_named(changes: dict[str, str], borrowed: bool) -> None:
    assert ("brand" in judged(profile(**changes)).text) is borrowed


def named(*handles: str) -> list[str]:
    """The texts on profiles with these handles."""
    found = [profile(stated=f"https://host{n}.example/@{handle}", handle=handle) for n, handle in enumerate(handles)]
    given = profiles(seen(*found, sites=False, name="Trail Notes"), limits("audience.profiles"))
    assert isinstance(given, tuple)
    return [signal.text for signal in given]


def test_a_handle_unlike_all_the_others_is_a_weak_sign_where_they_agree() -> None:
    texts = named("trailnotes", "trail.notes", "TrailNotes2", "bestcryptodeals")
    assert ["unlike" in text for text in texts] == [False, False, False, True]
    assert not any("unlike" in text for text in named("ada", "ridgewalker", "cooking.daily"))
    assert not any("unlike" in text for text in named("trailnotes", "bestcryptodeals"))
