"""The report of one scan: what needs a person first, then everybody by rank, then the evidence for those that matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from markupsafe import Markup

from fraud.domain.decisions import Outcome, SubjectKind
from fraud.domain.peers import PeerComparison
from fraud.domain.programs import ProgramProfile
from fraud.domain.scans import RankedSubject, Ring, ScanResult
from fraud.reports import words
from fraud.reports.templating import Linker, no_links, report_environment, standalone

_DETAILED = 20  # the riskiest so many affiliates get a section of their own, and every alerted one besides
_LISTED = 50  # rows of a page; the whole list has pages of its own
_BRIEF = 8  # sections of a page; every affiliate has a page of its own
_OPENED = 6  # sections that stand open at first; the rest open at a click, so that the page can be read from the top
_PEERS_SHOWN = 8
_SUB_IDS_SHOWN = 12


@dataclass(frozen=True)
class Section:
    """One affiliate's evidence: its reasons, its peers (furthest out first), its sub-IDs and the rings it belongs to."""

    subject: RankedSubject
    peers: tuple[PeerComparison, ...]
    more_peers: tuple[PeerComparison, ...]
    sub_ids: tuple[RankedSubject, ...]
    more_sub_ids: int
    rings: tuple[Ring, ...]
    opened: bool = False


@dataclass(frozen=True)
class ScanView:
    """Everything the template of a scan shows, already in words where words are needed."""

    result: ScanResult
    program_name: str
    headline: str
    money_at_risk: str
    introduction: tuple[str, ...]
    caveats: tuple[str, ...]
    leading: tuple[RankedSubject, ...]
    following: tuple[RankedSubject, ...]
    sections: tuple[Section, ...]
    anchors: dict[str, str]
    ring_anchors: dict[str, str]
    rings: tuple[Ring, ...]
    more: int = 0
    paged: bool = False


def scan_report(result: ScanResult, profile: ProgramProfile | None) -> str:
    """A scan as one HTML document that stands alone: style inside, no script, nothing loaded from anywhere."""
    view = scan_view(result, profile)
    return standalone(f"{view.headline} · {words.day(result.as_of)}", scan_body(view))


def scan_body(view: ScanView, link: Linker = no_links) -> Markup:
    """The same report as a part of a page; `link` says where affiliates and decisions have pages of their own."""
    html = report_environment().get_template("scan.html").render(view=view, link=link)
    return Markup(html)  # noqa: S704 - rendered by an autoescaping template


def scan_view(result: ScanResult, profile: ProgramProfile | None, *, brief: bool = False) -> ScanView:
    """Puts a result into words and picks what is shown at once; `brief` is for a page, from which everybody else is a link away."""
    shown = _leading_rows(result.affiliates)
    listed = min(shown, _LISTED) if brief else len(result.affiliates)
    sections = _sections(result)[: _BRIEF if brief else None]
    rings = result.rings[: _BRIEF if brief else None]
    return ScanView(
        result=result,
        program_name=profile.name if profile else result.program_id,
        headline=headline(result),
        money_at_risk=money_at_risk(result),
        introduction=introduction(result),
        caveats=caveats(result),
        leading=result.affiliates[: min(shown, listed)],
        following=result.affiliates[shown:listed],
        sections=sections,
        anchors={section.subject.affiliate_id: f"affiliate-{section.subject.rank}" for section in sections},
        ring_anchors={ring.ring_id: f"ring-{place}" for place, ring in enumerate(rings, 1)},
        rings=rings,
        more=len(result.affiliates) - listed,
    )


def scan_page_view(result: ScanResult, profile: ProgramProfile | None, begin: int, end: int) -> ScanView:
    """`scan_view` with the affiliates from place `begin` to before `end` (from 0), their evidence and their rings: one of the pages of a
    result whose affiliates have no pages of their own."""
    view, shown = scan_view(result, profile), result.affiliates[begin:end]
    names = {one.affiliate_id for one in shown}
    sections = tuple(one for one in view.sections if one.subject.affiliate_id in names)
    rings = tuple(ring for ring in result.rings if not names.isdisjoint(ring.affiliate_ids))
    return replace(
        view,
        leading=shown,
        following=(),
        sections=sections,
        anchors={name: place for name, place in view.anchors.items() if name in names},
        ring_anchors={ring.ring_id: view.ring_anchors[ring.ring_id] for ring in rings},
        rings=rings,
        paged=True,
    )


def headline(result: ScanResult) -> str:
    """How many affiliates need a person, as the first thing anybody reads."""
    alerted = sum(subject.alerted for subject in result.affiliates)
    other = sum(alert.subject_kind is not SubjectKind.AFFILIATE for alert in result.alerts)
    parts = [words.count(alerted, "affiliate")] if alerted else []
    parts += [words.count(other, "further alert")] if other else []
    if not parts:
        return "Nothing needs a person"
    return f"{words.join(parts)} {'needs' if alerted + other == 1 else 'need'} a person"


def money_at_risk(result: ScanResult) -> str:
    """The central estimates of the alerted affiliates added up by currency, and for how many it is unknown; "" when none is alerted."""
    sums: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    unknown = 0
    for subject in result.affiliates:
        if subject.alerted and subject.commission_at_risk.mid is not None:
            sums[subject.commission_at_risk.currency] += subject.commission_at_risk.mid
        elif subject.alerted:
            unknown += 1
    known = words.join([words.money(amount, currency) for currency, amount in sorted(sums.items(), key=lambda item: item[0] or "")])
    if not unknown:
        return known
    return f"{known}, and unknown for {unknown:,}" if known else words.UNKNOWN


def introduction(result: ScanResult) -> tuple[str, ...]:
    """What was looked at, what it was compared with, and how alerts were chosen."""
    counts = result.counts
    looked = f"{words.count(counts.clicks, 'click')} and {words.count(counts.conversions, 'conversion')}"
    seen = f"{looked} of {words.count(counts.affiliates, 'active affiliate')}, {words.period(result.window)}."
    if isinstance(result.reference, str):
        compared = "Compared with the other affiliates of the same night, because there is no earlier traffic to compare with."
    else:
        compared = f"Compared with the traffic of {words.period(result.reference)}."
    chosen = {
        "budget": "Alerts are limited to what reviewers can look at, largest evidence first.",
        "fdr": "Alerts are chosen so that the expected share of false ones stays under control.",
    }[result.mode]
    return seen, compared, f"{chosen} {_sentence(result.mode_reason)}".strip()


def caveats(result: ScanResult) -> tuple[str, ...]:
    """What a reader must know before trusting the figures: rows set aside, duplicates, and the scan's own notes."""
    counts = result.counts
    rows = []
    if counts.rejected_rows:
        rows.append(f"{words.count(counts.rejected_rows, 'row')} could not be read and {_were(counts.rejected_rows)} set aside.")
    if counts.duplicate_rows:
        rows.append(f"{words.count(counts.duplicate_rows, 'row')} had been seen before and {_were(counts.duplicate_rows)} counted once.")
    return (*rows, *(_sentence(note) for note in result.notes))


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _sentence(text: str) -> str:
    stripped = text.strip()
    ended = stripped if not stripped or stripped.endswith((".", "!", "?", "…")) else f"{stripped}."
    return ended[:1].upper() + ended[1:]


def section_of(result: ScanResult, affiliate_id: str) -> Section | None:
    """One affiliate's evidence in a scan, or `None` when it was not active in its window."""
    subject = next((one for one in result.affiliates if one.affiliate_id == affiliate_id), None)
    return _section(subject, result.sub_ids, result.rings, opened=True) if subject else None


def _leading_rows(subjects: Sequence[RankedSubject]) -> int:
    last = max((place for place, one in enumerate(subjects, 1) if one.alerted or one.outcome is not Outcome.PASS), default=0)
    return max(last, min(_DETAILED, len(subjects)))


def _sections(result: ScanResult) -> tuple[Section, ...]:
    subs: defaultdict[str, list[RankedSubject]] = defaultdict(list)
    for sub in result.sub_ids:
        subs[sub.affiliate_id].append(sub)
    chosen = [one for place, one in enumerate(result.affiliates) if one.alerted or place < _DETAILED]
    opened = {one.affiliate_id for one in [one for one in chosen if one.alerted][:_OPENED]}
    return tuple(_section(one, subs[one.affiliate_id], result.rings, opened=one.affiliate_id in opened) for one in chosen)


def _section(subject: RankedSubject, sub_ids: Iterable[RankedSubject], rings: Iterable[Ring], *, opened: bool) -> Section:
    peers = sorted(subject.peers, key=lambda one: -one.z)
    own = sorted((one for one in sub_ids if one.affiliate_id == subject.affiliate_id), key=lambda one: -one.score)
    return Section(
        subject=subject,
        peers=tuple(peers[:_PEERS_SHOWN]),
        more_peers=tuple(peers[_PEERS_SHOWN:]),
        sub_ids=tuple(own[:_SUB_IDS_SHOWN]),
        more_sub_ids=max(len(own) - _SUB_IDS_SHOWN, 0),
        rings=tuple(ring for ring in rings if subject.affiliate_id in ring.affiliate_ids),
        opened=opened,
    )
