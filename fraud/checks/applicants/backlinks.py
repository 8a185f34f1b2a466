"""Section 6.1: whether the sites that link to an applicant's look like readers' and peers', or like a network made for linking.

Only signs of a network count. That the linking pages are about the program's matter is no argument for them: private networks are.
"""

from __future__ import annotations

from dataclasses import dataclass

from crawlers.backlinks.facts import BacklinkFacts, Cluster
from fraud.checks.applicants.context import VettingFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_SPEC = CHECKS["audience.backlinks"]


@dataclass(frozen=True)
class Sign:
    """One sign of a link network: whether it is there (None: the export does not show it), the figure, and the words for it."""

    name: str
    there: bool | None
    value: float | None
    words: str
    examples: tuple[str, ...] = ()


def backlinks(facts: VettingFacts, limits: Limits) -> Signal:
    """Several signs together ask for a look; a grave finding needs many domains, most signs measurable, and anchors beyond the brand."""
    seen = facts.audience.backlinks
    if seen is None:
        return _SPEC.not_applicable(facts.subject, "The application came without an export of backlinks.")
    if seen.failure:
        return _SPEC.inconclusive(facts.subject, seen.failure)
    if seen.sampled < limits["minimum_domains"]:
        return _SPEC.inconclusive(facts.subject, f"{seen.sampled} referring domain(s) are too few to show a pattern.")
    signs = network_signs(seen, limits)
    known = [sign for sign in signs if sign.there is not None]
    there = [sign for sign in signs if sign.there]
    if len(known) < limits["minimum_known"]:
        lacking = ", ".join(sign.words for sign in signs if sign.there is None)
        return _SPEC.inconclusive(facts.subject, f"{seen.source or 'The export'} does not show enough to tell: nothing on {lacking}.")
    return _judged(facts.subject, seen, (there, known), limits)


def _judged(subject: str, seen: BacklinkFacts, signs: tuple[list[Sign], list[Sign]], limits: Limits) -> Signal:
    there, known = signs
    observed = Observation(
        text=_text(seen, there, known),
        value={sign.name: sign.value for sign in known},
        baseline=limits["minimum_signs"],
        sample_size=seen.sampled,
        evidence=(_evidence(seen, there),),
    )
    if len(there) < limits["minimum_signs"] - 1:
        return _SPEC.clear(subject, observed)
    if len(there) < limits["minimum_signs"]:
        return _SPEC.finding(subject, Severity.LOW, observed)
    return _SPEC.finding(subject, Severity.HIGH if is_confident(seen, known, limits) else Severity.MEDIUM, observed)


def is_confident(seen: BacklinkFacts, known: list[Sign], limits: Limits) -> bool:
    """Whether more than a review may follow: enough domains and signs to measure, and a profile not anchored on brand and addresses."""
    anchored = sum(seen.anchors.values())
    own = seen.anchors.get("brand", 0) + seen.anchors.get("url", 0)
    by_brand = not anchored or own / anchored >= limits["brand_share"]
    return seen.sampled >= limits["confident_domains"] and len(known) >= limits["confident_known"] and not by_brand


def network_signs(seen: BacklinkFacts, limits: Limits) -> tuple[Sign, ...]:
    """The signs of a link network, each measured where the export has what it takes."""
    return (_phrase(seen, limits), _networks(seen, limits), _titles(seen, limits), _reciprocal(seen, limits),
            _sudden(seen, limits), _idle(seen, limits), _names(seen, limits), _crowded(seen, limits))  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _phrase(seen: BacklinkFacts, limits: Limits) -> Sign:
    anchored = sum(seen.anchors.values())
    top = seen.top_phrase or Cluster(what="", domains=0)
    share = _share(top.domains, anchored)
    headline = len(top.what.split()) >= limits["headline_words"]  # the title of the page that is linked to, which is passed on as it is
    there = None if share is None else share > limits["maximum_phrase_share"] and not headline
    return Sign("phrase_share", there, share, f"one link text, “{top.what[:60]}”" if top.what else "link texts", top.examples)


def _networks(seen: BacklinkFacts, limits: Limits) -> Sign:
    share = _share(seen.networks, seen.addressed) if seen.addressed >= limits["minimum_domains"] else None
    return Sign(
        "network_share", None if share is None else share < limits["minimum_network_share"], share, "few networks behind many sites"
    )


def _titles(seen: BacklinkFacts, limits: Limits) -> Sign:
    share = _share(seen.title_repeats, seen.titled)
    largest = seen.titles[0] if seen.titles else Cluster(what="", domains=0)
    there = None if share is None else largest.domains > limits["minimum_cluster"] and share >= limits["minimum_title_share"]
    return Sign("title_share", there, share, "the same titles on different owners' pages", largest.examples)


def _reciprocal(seen: BacklinkFacts, limits: Limits) -> Sign:
    share = None if seen.reciprocal is None else _share(seen.reciprocal, seen.sampled)
    return Sign("reciprocal_share", None if share is None else share > limits["maximum_reciprocal_share"], share, "links in return")


def _sudden(seen: BacklinkFacts, limits: Limits) -> Sign:
    peak = seen.peak_z if seen.dated >= limits["minimum_domains"] else None
    return Sign("peak_z", None if peak is None else peak > limits["maximum_peak_z"], peak, "many new sites in one week")


def _idle(seen: BacklinkFacts, limits: Limits) -> Sign:
    decile = int(limits["minimum_authority"] // 10)
    rated, idle = sum(seen.rated[decile:]), sum(seen.idle[decile:])
    share = _share(idle, rated) if rated >= limits["minimum_domains"] else None
    return Sign("idle_share", None if share is None else share > limits["maximum_idle_share"], share, "sites of authority without visits")


def _names(seen: BacklinkFacts, limits: Limits) -> Sign:
    largest = seen.names[0] if seen.names else Cluster(what="", domains=0)
    share = _share(largest.domains, seen.sampled)
    there = largest.domains >= limits["minimum_named"] and (share or 0.0) >= limits["minimum_name_share"]
    return Sign("name_share", there, share, "sites numbered after one name", largest.examples)


def _crowded(seen: BacklinkFacts, limits: Limits) -> Sign:
    links = seen.outbound_median
    return Sign("outbound_median", None if links is None else links > limits["maximum_outbound"], links, "pages crowded with links")


def _text(seen: BacklinkFacts, there: list[Sign], known: list[Sign]) -> str:
    base = f"{seen.referring_domains:,} referring domains ({seen.source or 'export'}), {len(known)} signs of a link network looked for"
    if not there:
        return f"{base}, none seen."
    return f"{base}, {len(there)} seen: " + "; ".join(f"{sign.words} ({sign.value:.2g})" for sign in there) + "."


def _evidence(seen: BacklinkFacts, there: list[Sign]) -> Evidence:
    detail = {"rows": seen.rows, "unreadable": seen.unreadable, "missing": list(seen.missing), "links": seen.links}
    return Evidence(sha256=seen.sha256, detail=detail | {sign.name: list(sign.examples) for sign in there if sign.examples})
