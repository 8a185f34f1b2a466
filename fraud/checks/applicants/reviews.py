"""Section 6.3: whether the reviews a site states look as people's do. Few reviews say nothing, and a high rating alone is no sign."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from crawlers.review_facts import Rating, Review
from crawlers.reviews import likeness
from fraud.checks.applicants.context import Visit, evidence_of
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal

_SPEC = CHECKS["audience.reviews"]
_WEEK_DAYS = 7
_LOW_RATING = 0.25  # one or two stars of five


def reviews(visit: Visit, limits: Limits) -> Signal:
    """Impossible values, no bad review among many, most of them within a week, texts alike, and the same names again and again."""
    ratings = tuple(rating for page in visit.site.pages for rating in page.facts.ratings)
    stated = tuple(dict.fromkeys(review for page in visit.site.pages for review in page.facts.reviews))
    if not ratings and not stated:
        return _SPEC.not_applicable(visit.subject, "The site states no reviews.")
    signs = [*_values(ratings), *_shape(ratings, stated, limits)]
    if len(stated) >= limits["minimum_reviews"]:
        signs += [*_burst(stated, limits), *_alike(stated, limits), *_names(stated, limits)]
    elif not signs:
        return _SPEC.inconclusive(visit.subject, f"{len(stated)} review(s) are too few to tell anything.")
    value = {"ratings": len(ratings), "reviews": len(stated), "signs": signs}
    seen = Observation(
        text=f"{len(stated)} review(s) stated" + (f": {'; '.join(signs)}." if signs else ", which look like people's."),
        value=value,
        sample_size=len(stated),
        evidence=(evidence_of(visit.home),),
    )
    if not signs:
        return _SPEC.clear(visit.subject, seen)
    return _SPEC.finding(visit.subject, Severity.MEDIUM if len(signs) >= limits["minimum_signs"] else Severity.LOW, seen)


def _values(ratings: tuple[Rating, ...]) -> list[str]:
    return ["a rating outside its own scale"] if any(not one.worst <= one.value <= one.best for one in ratings) else []


def _shape(ratings: tuple[Rating, ...], stated: tuple[Review, ...], limits: Limits) -> list[str]:
    """People's ratings are J-shaped: many good ones never come without some bad ones."""
    rated = [one.rating for one in stated if one.rating is not None]
    many = max([one.ratings or one.reviews or 0 for one in ratings] + [len(rated)])
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
