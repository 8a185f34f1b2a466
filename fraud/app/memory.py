"""What the workspace knows of websites: prints of earlier applicants' sites, the operator's lists, and the codes that prove ownership."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec
import networkx as nx

from crawlers.facts import SiteFacts
from fraud.app.parts import App
from fraud.checks.applicants.context import Applicant, Listing, Resemblance, Surroundings
from fraud.checks.applicants.names import host_of, owner_of
from fraud.checks.applicants.prints import SitePrint, bands, copied_share, distance, minhash, overlap, simhash, similarity
from fraud.domain.hashing import keyed_hash
from fraud.errors import InputError
from fraud.links.sites import SiteTies, ties_of
from fraud.storage.prints import PrintIndex

_OWNER_FIELDS = ("email", "payout_account", "tax_id", "phone")
_MOST_FOUND = 50
_COMMON_COUNT, _COMMON_SHARE = 20, 0.01
"""An account or icon that more applicants share than both is a platform's or a theme's own (W22: a hundredth of the corpus)."""
_SAME_TEXT = 0.8
"""The share from which two sites tell the same (W05: near duplicates)."""
_LONGEST_LINE = 4096
_FEWEST_WORDS = 30
_MOST_PAGES, _PAGE_WORDS = 12, 100
"""Pages of a site that are compared one by one, and the words each of them must have: shorter ones are notices that everybody has."""


class SiteMemory:
    """The `Memory` of a workspace: `folder` may hold `block/*` and `rank/*` lists, `index` the prints, `pepper` keys the codes."""

    def __init__(self, program_id: str, index: PrintIndex, folder: Path, pepper: bytes) -> None:
        self._program_id, self._index, self._folder, self._pepper = program_id, index, folder, pepper

    def surroundings(self, applicant: Applicant, site: SiteFacts) -> Surroundings:
        """What is known of one website before it is remembered."""
        print_ = print_of(applicant, site) if site.pages else None
        hosts = {host for url in (site.requested_url, site.final_url) if (host := host_of(url))}
        return Surroundings(
            earlier=None if print_ is None else self._earlier(print_),
            listed=self._listed(hosts),
            rank=self._rank(owner_of(host_of(site.final_url or site.requested_url))),
            nonce=self.nonce(applicant.application_id, site.requested_url),
        )

    def remember(self, applicant: Applicant, site: SiteFacts) -> None:
        """Keeps the site's print."""
        made = print_of(applicant, site)
        self._index.keep((self._program_id, made.application_id, made.domain), msgspec.msgpack.encode(made), _keys(made))

    def nonce(self, application_id: str, website: str) -> str:
        """The code by which an applicant proves a website; the same for the same application and owner."""
        return f"proof-{keyed_hash(self._pepper, 'ownership', f'{self._program_id} {application_id} {owner_of(host_of(website))}')[:24]}"

    def _earlier(self, made: SitePrint) -> tuple[Resemblance, ...] | None:
        if not self._index.count(self._program_id):
            return None
        own = self._index.place((self._program_id, made.application_id, made.domain))  # whoever came later copied from here, not from there
        found = (
            msgspec.msgpack.decode(kept, type=SitePrint)
            for kept in self._index.find(self._program_id, _keys(made), _MOST_FOUND, before=own)
        )
        others = (kept for kept in found if kept.application_id != made.application_id)
        return tuple(self._compared(made, other) for other in others)

    def _compared(self, made: SitePrint, other: SitePrint) -> Resemblance:
        both = min(made.words, other.words) >= _FEWEST_WORDS
        return Resemblance(
            application_id=other.application_id,
            domain=other.domain,
            similarity=round(copied_share(made, other), 4) if both else 0.0,
            distance=distance(made.simhash, other.simhash) if both else 64,
            template=round(overlap(made.shapes, other.shapes), 4),
            shared=tuple(mark for mark in made.marks if mark in other.marks and not self._is_common(mark)),
            same_owner=bool(set(made.owners) & set(other.owners)),
        )

    def _is_common(self, mark: str) -> bool:
        users = self._index.count(self._program_id, f"mark {mark}")
        return users > max(_COMMON_COUNT, _COMMON_SHARE * self._index.count(self._program_id))

    def _listed(self, hosts: Iterable[str]) -> tuple[Listing, ...] | None:
        if not self._block_lists:
            return None
        names = {".".join(labels[start:]) for host in hosts for labels in [host.split(".")] for start in range(len(labels) - 1)}
        return tuple(
            Listing(name=name, entry=entries[host]) for name, entries in self._block_lists.items() for host in names & entries.keys()
        )

    def _rank(self, domain: str) -> int | None:
        return None if self._ranks is None else self._ranks.get(domain, 0)

    @cached_property
    def _block_lists(self) -> dict[str, dict[str, str]]:
        return {path.stem: dict(_entries(path)) for path in sorted((self._folder / "block").glob("*")) if path.is_file()}

    @cached_property
    def _ranks(self) -> dict[str, int] | None:
        files = sorted((self._folder / "rank").glob("*.csv"))
        return dict(_ranks(files[0])) if files else None


def print_of(applicant: Applicant, site: SiteFacts) -> SitePrint:
    """The print of a visited site: its readable main text, its accounts and icon, the tree of its home page."""
    pages = [page.facts for page in site.pages]
    text = "\n".join(dict.fromkeys(facts.text for facts in pages if not facts.scripts_needed))
    told = [
        facts for facts in {facts.text: facts for facts in pages}.values() if facts.word_count >= _PAGE_WORDS and not facts.scripts_needed
    ]
    marks = {f"{tracker.kind} {tracker.value}" for facts in pages for tracker in facts.trackers}
    if site.favicon is not None:
        marks.add(f"icon {site.favicon.mmh3}")
    return SitePrint(
        application_id=applicant.application_id,
        domain=owner_of(host_of(site.final_url or site.requested_url)),
        owners=tuple(f"{name} {applicant.hashes[name]}" for name in _OWNER_FIELDS if name in applicant.hashes),
        words=sum(facts.word_count for facts in pages),
        simhash=simhash(text),
        minhash=minhash(text),
        pages=tuple((facts.word_count, minhash(facts.text)) for facts in told[:_MOST_PAGES]),
        marks=tuple(sorted(marks)),
        shapes=pages[0].structure,
        ties=ties_of(site),
        seen=site.finished_at,
    )


def prints_of(app: App) -> PrintIndex:
    """The workspace's index of prints."""
    return PrintIndex(app.workspace.root / "prints.sqlite3")


def vetted_sites(app: App, program_id: str) -> list[SiteTies]:
    """What the websites that were vetted for a program tie their owners to."""
    return site_ties(prints_of(app), program_id)


def site_ties(index: PrintIndex, program_id: str) -> list[SiteTies]:
    """What each remembered website ties its owner to, near-identical texts among it."""
    prints = [msgspec.msgpack.decode(document, type=SitePrint) for document in index.documents(program_id)]
    texts = _same_texts(prints)
    return [
        SiteTies(
            application_id=one.application_id,
            domain=one.domain,
            ties=(*one.ties, *((("text", texts[place]),) if place in texts else ())),
            seen=one.seen,
        )
        for place, one in enumerate(prints)
    ]


def _same_texts(prints: Sequence[SitePrint]) -> dict[int, str]:
    """The group of sites with near-identical text that a print belongs to, if any; named after the first of them."""
    alike: nx.Graph[int] = nx.Graph()
    first: dict[str, list[int]] = {}
    for place, one in enumerate(prints):
        near = {other for band in bands(one.minhash) for other in first.get(band, ())} if one.words >= _FEWEST_WORDS else set()
        alike.add_edges_from((other, place) for other in near if similarity(one.minhash, prints[other].minhash) >= _SAME_TEXT)
        for band in bands(one.minhash):
            first.setdefault(band, []).append(place)
    return {place: prints[min(group)].domain for group in nx.connected_components(alike) for place in group}


def _keys(made: SitePrint) -> list[str]:
    shape = [f"tree {sha256(repr(made.shapes).encode()).hexdigest()[:16]}"] if made.shapes else []
    prints = (made.minhash, *(values for _, values in made.pages))
    return [*(f"band {band}" for values in prints for band in bands(values)), *(f"mark {mark}" for mark in made.marks), *shape]


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    """Host and line of each entry: a host, a URL, a hosts-file line, or a CSV row with a URL in one of its cells; `#` begins a comment."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                text = line[:_LONGEST_LINE].partition("#")[0].strip()
                for part in (part.strip(" \"'") for part in text.replace(",", " ").split()):
                    host = host_of(part) if "." in part else ""
                    if host and not host.replace(".", "").isdigit():
                        yield host, line.strip()[:300]
    except OSError as error:
        raise InputError(f"The block list {path} cannot be read ({error}); check its permissions or take it out of the folder.") from error


def _ranks(path: Path) -> Iterator[tuple[str, int]]:
    """Domain and place of each row `rank,domain`, as Tranco and others publish them."""
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.reader(file):
                if len(row) >= 2 and row[0].strip().isdigit():
                    yield row[1].strip().lower(), int(row[0])
    except OSError as error:
        raise InputError(f"The rank list {path} cannot be read ({error}); check its permissions or take it out of the folder.") from error
