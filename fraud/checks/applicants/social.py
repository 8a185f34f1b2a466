"""Section 6.2: whether the stated profiles exist, are the applicant's, and have counts as profiles with an audience have them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median, pstdev

from crawlers.social.facts import ProfileFacts, ProfileState
from fraud.checks.applicants.context import VettingFacts
from fraud.checks.applicants.identity import same_profile
from fraud.checks.applicants.names import edit_distance, host_of, own_labels, owner_of, skeleton, squeezed, tokens
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_PROFILES = CHECKS["audience.profiles"]
_CHANNEL = CHECKS["audience.channel"]
_FEWEST_POSTS = 10
_FEWEST_DAYS = 14
_SHORTEST_BRAND = 3  # letters; shorter ones stand in many words by chance
_AGREEING = 2
_NEAR_DAYS = 2
_MAD = 1.4826  # of a median absolute deviation, to a standard deviation
_TIERS = (5_000, 50_000, 500_000, 1_000_000)
"""Followers up to which a profile is nano, micro, mid and macro (section 6.2); beyond it is mega."""
_TIER_NAMES = ("nano", "micro", "mid", "macro", "mega")


@dataclass(frozen=True)
class Bands:
    """What a profile's counts show: `strong` and `weak` signs in words, and their weighted sum."""

    strong: tuple[str, ...]
    weak: tuple[str, ...]

    @property
    def score(self) -> float:
        """Strong signs count one, weak ones a half."""
        return len(self.strong) + 0.5 * len(self.weak)


def profiles(facts: VettingFacts, limits: Limits) -> Signal | tuple[Signal, ...]:
    """One signal for each stated profile."""
    if not facts.application.social_profiles:
        return _PROFILES.not_applicable(facts.subject, "The application names no social profile.")
    if facts.audience.profiles is None:
        return _PROFILES.not_applicable(facts.subject, "The profiles were not looked up.")
    return tuple(_judged(facts, one, limits) for one in facts.audience.profiles)


def _judged(facts: VettingFacts, one: ProfileFacts, limits: Limits) -> Signal:
    if one.state in {ProfileState.UNKNOWN, ProfileState.UNVERIFIED}:
        word = "Unverified" if one.state is ProfileState.UNVERIFIED else "Not answered"
        return _PROFILES.inconclusive(one.stated, f"{word}: {one.reason}", _evidence(one))
    if one.state is ProfileState.ABSENT:
        text = f"There is no such profile: {one.reason}"
        return _PROFILES.finding(one.stated, Severity.MEDIUM, Observation(text=text, evidence=_evidence(one)))
    if brand := _borrowed_brand(facts, one):
        text = f"The profile carries the program's brand {brand} in its name."
        return _PROFILES.finding(one.stated, Severity.MEDIUM, Observation(text=text, value=brand, evidence=_evidence(one)))
    if foreign := _foreign(facts, one):
        text = f"The profile names {', '.join(foreign)} and none of the applicant's sites, which do not link to it either."
        return _PROFILES.finding(one.stated, Severity.MEDIUM, Observation(text=text, value=foreign, evidence=_evidence(one)))
    return _plausible(facts, one, limits)


def _plausible(facts: VettingFacts, one: ProfileFacts, limits: Limits) -> Signal:
    bands = bands_of(one, (facts.as_of - one.created_at).days if one.created_at else None, limits)
    bands = Bands(bands.strong, (*bands.weak, *filter(None, (_own_way(facts, one),))))
    counts = {"followers": one.followers, "following": one.following, "posts": one.posts}
    said = ", ".join(f"{value:,} {name}" for name, value in counts.items() if value is not None) or "no counts"
    risk = (facts.audience.profile_risks or {}).get(one.stated)
    signs = [*bands.strong, *bands.weak, *([] if risk is None else [f"risk {risk:.2f} under the model of your own profiles"])]
    seen = Observation(
        text=f"{one.platform} {one.handle}: {said}" + (f"; {'; '.join(signs)}." if signs else "."),
        value=counts | {"signs": signs} | ({} if risk is None else {"risk": risk}),
        baseline=limits["minimum_score"],
        sample_size=len(one.recent),
        evidence=_evidence(one),
    )
    if (bands.score < limits["minimum_score"]) if risk is None else (risk < limits["maximum_risk"]):
        return _PROFILES.clear(one.stated, seen)
    return _PROFILES.finding(one.stated, Severity.MEDIUM if len(bands.strong) > 1 else Severity.LOW, seen)


def bands_of(one: ProfileFacts, age_days: int | None, limits: Limits) -> Bands:
    """The signs in a profile's counts and newest posts; what is unknown is no sign."""
    strong = [*_standing(one, age_days, limits), *_engagement(one, limits), *_posting(one, limits), *_growth(one, limits)]
    strong += _first_digits(one, limits)
    return Bands(tuple(strong), tuple(_blank(one, limits)))


def _standing(one: ProfileFacts, age_days: int | None, limits: Limits) -> list[str]:
    followers, following, posts = one.followers, one.following, one.posts
    found = []
    if followers is not None and following is not None and (followers + 1) / (following + 1) < limits["minimum_ratio"]:
        found.append(f"follows {(following + 1) / (followers + 1):.0f} times as many as follow it")
    if followers is not None and age_days is not None and followers > limits["many_followers"] and age_days < limits["young_days"]:
        found.append(f"many followers after {age_days} days")
    if followers is not None and posts is not None and followers > limits["followers_need_posts"] and posts < limits["few_posts"]:
        found.append(f"many followers for {posts} post(s)")
    if posts == 0:
        found.append("no post at all")
    return found


def _blank(one: ProfileFacts, limits: Limits) -> list[str]:
    digits = sum(letter.isdigit() for letter in one.handle)
    ratio = None if one.followers is None or one.following is None else (one.followers + 1) / (one.following + 1)
    told = {
        "few posts": one.posts is not None and one.posts < limits["few_posts"],
        "more followed than following": ratio is not None and ratio < limits["low_ratio"],
        "nothing about itself": not one.bio and not one.fields and not one.links,
        "no picture": one.has_picture is False,
        "a name of many digits": digits >= limits["many_digits"],
    }
    return [words for words, there in told.items() if there]


def tier_of(followers: int) -> int:
    """The tier by followers, 0 (nano) to 4 (mega)."""
    return sum(followers > limit for limit in _TIERS)


def _engagement(one: ProfileFacts, limits: Limits) -> list[str]:
    """Reactions per follower and post against the tier's usual; only where the platform is like the one the bands come from."""
    rated = [sum(filter(None, (post.likes, post.comments, post.shares))) for post in one.recent if post.likes is not None]
    if one.followers is None or one.followers < limits["engagement_followers"] or len(rated) < _FEWEST_POSTS:
        return []
    tier = tier_of(one.followers)
    usual, rate = limits[f"engagement_{_TIER_NAMES[tier]}"], mean(rated) / one.followers
    factor = limits["engagement_factor"]
    likes = sum(post.likes or 0 for post in one.recent)
    talk = sum(post.comments or 0 for post in one.recent) / likes if likes else None
    if rate < usual / factor:
        return [f"hardly any reaction ({rate:.2%} a post where {usual:.1%} is usual)"]
    odd_talk = talk is not None and not limits["least_talk"] <= talk <= limits["most_talk"]
    return [f"very many reactions ({rate:.1%} a post) and hardly or only comments"] if rate > usual * factor and odd_talk else []


def _posting(one: ProfileFacts, limits: Limits) -> list[str]:
    moments = sorted(post.at for post in one.recent if post.at)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    likes = [post.likes for post in one.recent if post.likes is not None]
    found = []
    if len(gaps) >= _FEWEST_POSTS and (spread := _variation(gaps)) is not None and spread < limits["minimum_cadence"]:
        found.append(f"posts like a clock (variation {spread:.2f})")
    enough = len(likes) >= _FEWEST_POSTS and mean(likes) >= _FEWEST_POSTS
    if enough and (spread := _variation(likes)) is not None and spread < limits["minimum_like_spread"]:
        found.append(f"every post is liked alike (variation {spread:.2f})")
    return found


def _growth(one: ProfileFacts, limits: Limits) -> list[str]:
    """Days on which followers jumped with no post near: bought ones arrive at once, earned ones after something to see."""
    steps = [
        (later.day, (later.followers - earlier.followers) / earlier.followers / (later.day - earlier.day).days)
        for earlier, later in pairwise(one.history)
        if earlier.followers >= limits["engagement_followers"] and later.day > earlier.day
    ]
    if len(steps) < _FEWEST_DAYS:
        return []
    middle = median(change for _, change in steps)
    spread = _MAD * median(abs(change - middle) for _, change in steps)
    least = max(limits["growth_jump"], middle + limits["growth_spread"] * spread)
    posted = {post.at.date() for post in one.recent if post.at}
    jumps = [
        (day, change) for day, change in steps if change > least and not any(abs((day - other).days) <= _NEAR_DAYS for other in posted)
    ]
    if not jumps:
        return []
    day, change = max(jumps, key=lambda jump: jump[1])
    return [f"{change:+.0%} followers on {day.isoformat()} without a post"]


def _first_digits(one: ProfileFacts, limits: Limits) -> list[str]:
    """First digits of the posts' likes against Benford's law; of fewer values they say nothing, and both measures must agree."""
    likes = [post.likes for post in one.recent if post.likes]
    if len(likes) < limits["benford_values"]:
        return []
    counts = Counter(int(str(value)[0]) for value in likes)
    usual = {digit: math.log10(1 + 1 / digit) for digit in range(1, 10)}
    off = mean(abs(counts[digit] / len(likes) - share) for digit, share in usual.items())
    chi2 = sum((counts[digit] - len(likes) * share) ** 2 / (len(likes) * share) for digit, share in usual.items())
    odd = chi2 > limits["benford_chi2"] and off > limits["benford_deviation"]
    return [f"likes whose first digits no audience gives (deviation {off:.3f})"] if odd else []


def _variation(values: list[float] | list[int]) -> float | None:
    middle = mean(values)
    return pstdev(values) / middle if middle and math.isfinite(middle) else None


def channel(facts: VettingFacts, limits: Limits) -> Signal:
    """An applicant without a website: a channel that exists and is proven to be theirs stands in for one."""
    if facts.application.websites:
        return _CHANNEL.not_applicable(facts.subject, "The application names a website.")
    seen = facts.audience.profiles or ()
    proven = {one.stated: how for one in seen if one.state is ProfileState.FOUND and (how := proof_of(facts, one))}
    evidence = tuple(piece for one in seen for piece in _evidence(one))
    if proven:
        text = "; ".join(f"{stated}: {how}" for stated, how in proven.items())
        return _CHANNEL.clear(
            facts.subject, Observation(text=f"Proven to be the applicant's: {text}.", value=list(proven), evidence=evidence)
        )
    if seen and all(one.state is ProfileState.ABSENT for one in seen):
        text = "There is no website, and none of the stated profiles exists."
        return _CHANNEL.finding(facts.subject, Severity.MEDIUM, Observation(text=text, evidence=evidence))
    why = "; ".join(f"{one.stated}: {one.reason or 'nothing shows that it is the applicant’s'}" for one in seen)
    return _CHANNEL.inconclusive(
        facts.subject, f"There is no website, and no profile is proven to be the applicant's. {why}".strip(), evidence
    )


def proof_of(facts: VettingFacts, one: ProfileFacts) -> str:
    """How a profile is proven to be the applicant's; '' when it is not: the agreed code in its text, a handle that is the domain of the
    applicant's site or mailbox, a link back that the platform saw, or links both ways."""
    nonce = facts.audience.proof
    if nonce and nonce in f"{one.bio} {' '.join(field.value for field in one.fields)}":
        return "the agreed code stands in the profile"
    own = own_domains(facts)
    mailbox = {facts.application.email_domain} if facts.application.email_domain and _is_own_mail(facts) else set()
    if one.handle_domain and owner_of(one.handle_domain) in own | mailbox:
        return f"its handle is the domain {one.handle_domain}"
    if any(owner_of(host_of(link)) in own for link in one.verified_links):
        return "the platform saw the site's link back"
    named = any(owner_of(host_of(link)) in own for link in one.links)
    return "profile and site link to one another" if named and _linked_from_site(facts, one) else ""


def _is_own_mail(facts: VettingFacts) -> bool:
    return facts.application.email_kind is not None and facts.application.email_kind.value == "other"


def own_domains(facts: VettingFacts) -> set[str]:
    """The registered names of the applicant's sites, as declared and where they lead."""
    urls = [*facts.application.websites, *(site.final_url for site in facts.sites)]
    return {owner_of(host) for url in urls if (host := host_of(url))}


def _linked_from_site(facts: VettingFacts, one: ProfileFacts) -> bool:
    pages = (page for site in facts.sites for page in site.pages)
    return any(same_profile(one.stated, seen) for page in pages for seen in page.facts.social_profiles)


def _foreign(facts: VettingFacts, one: ProfileFacts) -> list[str]:
    """The sites a profile names instead of the applicant's; none where it names one of them, or where the sites link to it."""
    own = own_domains(facts)
    named = {owner_of(host_of(link)) for link in (*one.links, *one.verified_links)} - {""}
    if not own or not named or named & own or _linked_from_site(facts, one):
        return []
    return sorted(named)[:5]


def _borrowed_brand(facts: VettingFacts, one: ProfileFacts) -> str:
    """The program's brand that a handle holds, or is written to look like; '' for none."""
    terms = facts.profile.brand_terms if facts.profile else ()
    words = {squeezed(one.handle), *map(squeezed, tokens(one.handle)), squeezed(one.name)} - {""}
    for term in (term for term in terms if len(squeezed(term)) > _SHORTEST_BRAND):
        brand = squeezed(term)
        if brand in squeezed(one.handle) or any(skeleton(word) == skeleton(brand) for word in words):
            return term
    return ""


def _own_way(facts: VettingFacts, one: ProfileFacts) -> str:
    """A handle unlike all the others, which are like one another; '' where they are too few to agree."""
    others = [squeezed(other.handle) for other in facts.audience.profiles or () if other.stated != one.stated and other.handle]
    own = squeezed(one.handle.partition("@")[0])
    names = {squeezed(label) for domain in own_domains(facts) for label in own_labels(domain)}
    names |= {squeezed(facts.application.name), squeezed(facts.application.company)} - {""}
    if not own or len(others) < _AGREEING or not all(_near(others[0], other) for other in others[1:]):
        return ""
    return "" if any(_near(own, known) for known in (*others, *names)) else "a name unlike those of the other profiles"


def _near(one: str, other: str) -> bool:
    """Whether two handles are the same, but for a few letters, or one is a part of the other."""
    if min(len(one), len(other)) >= _SHORTEST_BRAND and (one in other or other in one):
        return True
    return edit_distance(one, other) <= max(1, min(len(one), len(other)) // 5)


def _evidence(one: ProfileFacts) -> tuple[Evidence, ...]:
    if not one.asked_at:
        return ()
    return (Evidence(url=one.url, fetched_at=one.asked_at, sha256=one.sha256, excerpt=one.bio[:200], detail={"identity": one.identity}),)
