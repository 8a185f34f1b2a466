"""Section 6.3: whether the reviews a site states look as people's do, and agree with what review services and files say.

Few reviews say nothing, and a high rating alone is no sign.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from crawlers.review_facts import Rating, Review, ReviewPage
from crawlers.reviews import likeness, share_of
from fraud.checks.applicants.context import Visit, evidence_of
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_SPEC = CHECKS["audience.reviews"]
_WEEK_DAYS = 7
_LOW_RATING = 0.25  # one or two stars of five
_STARS = 4  # steps between one star and five


@dataclass(frozen=True)
class Collection:
    """Reviews from one place: `place` in words ('' for the site's own pages), what it sums up, the reviews themselves."""

    place: str
    ratings: tuple[Rating, ...]
    reviews: tuple[Review, ...]


def reviews(visit: Visit, limits: Limits) -> Signal:
    """Impossible values, no bad review among many, most of them within a week, texts alike, the same names again and again, and a claim
    that a review service does not bear out."""
    known = collections(visit)
    failed = [page for page in _pages(visit) if page.failure]
    if not known:
        why = "; ".join(f"{page.service}: {page.failure}" for page in failed)
        return _SPEC.inconclusive(visit.subject, why) if why else _SPEC.not_applicable(visit.subject, "The site states no reviews.")
    signs = [sign for one in known for sign in _signs(one, limits)] + _gaps(known, limits)
    count = sum(len(one.reviews) for one in known)
    if not signs and not _enough(known, limits):
        return _SPEC.inconclusive(visit.subject, f"{count} review(s) are too few to tell anything.")
    value = {"ratings": sum(len(one.ratings) for one in known), "reviews": count, "signs": signs}
    seen = Observation(
        text=f"{count} review(s) stated" + (f": {'; '.join(signs)}." if signs else ", which look like people's."),
        value=value,
        sample_size=count,
        evidence=(evidence_of(visit.home), *_evidence(visit)),
    )
    if not signs:
        return _SPEC.clear(visit.subject, seen)
    return _SPEC.finding(visit.subject, Severity.MEDIUM if len(signs) >= limits["minimum_signs"] else Severity.LOW, seen)


def collections(visit: Visit) -> list[Collection]:
    """The places that have anything to say: the site, the services it links to, and for the first website the file that was given."""
    pages = visit.site.pages
    own = Collection(
        place="",
        ratings=tuple(rating for page in pages for rating in page.facts.ratings),
        reviews=tuple(dict.fromkeys(review for page in pages for review in page.facts.reviews)),
    )
    found = [own, *(Collection(page.service, page.ratings, page.reviews) for page in _pages(visit))]
    given = visit.facts.audience.review_file
    if given is not None and visit.facts.application.websites[:1] == (visit.subject,):
        average = () if given.average is None else (Rating(value=given.average, best=1.0, worst=0.0, ratings=given.count),)
        found.append(Collection("the file given", average, given.reviews))
    return [one for one in found if one.ratings or one.reviews]


def _pages(visit: Visit) -> tuple[ReviewPage, ...]:
    return tuple(page for page in visit.facts.audience.review_pages or () if page.website == visit.subject)


def _enough(known: Sequence[Collection], limits: Limits) -> bool:
    """Whether there are enough reviews for a pattern, or enough ratings elsewhere to hold a claim against."""
    claimed = any(one.ratings for one in known if not one.place)
    rated = [_count(rating) or 0 for one in known if one.place for rating in one.ratings] if claimed else []
    return max([*rated, *(len(one.reviews) for one in known)]) >= limits["minimum_reviews"]


def _signs(one: Collection, limits: Limits) -> list[str]:
    signs = [*_values(one.ratings), *_shape(one.ratings, one.reviews, limits)]
    if len(one.reviews) >= limits["minimum_reviews"]:
        signs += [*_burst(one.reviews, limits), *_alike(one.reviews, limits), *_names(one.reviews, limits)]
    return [f"{sign} ({one.place})" if one.place else sign for sign in signs]


def _values(ratings: tuple[Rating, ...]) -> list[str]:
    return ["a rating outside its own scale"] if any(not one.worst <= one.value <= one.best for one in ratings) else []


def _shape(ratings: tuple[Rating, ...], stated: tuple[Review, ...], limits: Limits) -> list[str]:
    """People's ratings are J-shaped: many good ones never come without some bad ones."""
    rated = [one.rating for one in stated if one.rating is not None]
    many = max([_count(one) or 0 for one in ratings] + [len(rated)])
    best = [one.value / one.best for one in ratings if one.best > 0] or ([sum(rated) / len(rated)] if rated else [])
    enough = len(rated) >= limits["minimum_reviews"] and not any(rating <= _LOW_RATING for rating in rated)
    perfect = bool(best) and max(best) >= limits["perfect_share"]
    return [f"no bad one among {many:,}"] if many >= limits["many_ratings"] and perfect and enough else []


def _burst(stated: tuple[Review, ...], limits: Limits) -> list[str]:
    days = sorted(one.at.toordinal() for one in stated if one.at)
    if len(days) < limits["minimum_reviews"]:
        return []
    most = max(sum(day <= other < day + _WEEK_DAYS for other in days) for day in set(days))
    return [f"{most / len(days):.0%} within one week"] if most / len(days) >= limits["burst_share"] else []


def _alike(stated: tuple[Review, ...], limits: Limits) -> list[str]:
    sketches = sorted(one.sketch for one in stated if one.sketch)
    if len(sketches) < limits["minimum_reviews"]:
        return []
    twins = sum(likeness(one, other) >= limits["minimum_similarity"] for one, other in pairwise(sketches))
    return [f"{twins} texts much like another's"] if twins / len(sketches) >= limits["repeat_share"] else []


def _names(stated: tuple[Review, ...], limits: Limits) -> list[str]:
    names = Counter(one.author for one in stated if one.author)
    repeats = names.total() - len(names)
    enough = names.total() >= limits["minimum_reviews"] and repeats / names.total() >= limits["repeat_share"]
    return [f"{repeats} by a name that was there before"] if enough else []


def _gaps(known: Sequence[Collection], limits: Limits) -> list[str]:
    """Where the site claims more than a service or the file bears out, beyond what chance in their number explains."""
    claims = [share for one in known if not one.place for rating in one.ratings if (share := share_of(rating)) is not None]
    found = []
    for one in known if claims else ():
        for rating in one.ratings if one.place else ():
            share, count = share_of(rating), _count(rating)
            if share is None or not count:
                continue
            highest = posterior_end(share, count, limits["gap_z"])
            if (min(claims) - highest) * _STARS > limits["maximum_gap"]:
                found.append(f"claims {1 + min(claims) * _STARS:.1f} stars where {one.place} has {1 + share * _STARS:.1f} of {count:,}")
    return found


def posterior_end(share: float, count: int, z: float) -> float:
    """The upper end of what `count` ratings with this average may come from, 0..1: mean and `z` standard deviations of the Beta
    distribution with one good and one bad rating added, so that few ratings leave everything open."""
    good, bad = 1 + share * count, 1 + (1 - share) * count
    whole = good + bad
    return min(1.0, good / whole + z * math.sqrt(good * bad / (whole * whole * (whole + 1))))


def _count(rating: Rating) -> int | None:
    return rating.ratings or rating.reviews


def _evidence(visit: Visit) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(url=page.url, fetched_at=page.fetched_at, sha256=page.sha256, excerpt=page.failure, detail={"service": page.service})
        for page in _pages(visit)
    )
