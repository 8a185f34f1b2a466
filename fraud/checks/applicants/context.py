"""What the checks of an applicant may see, and nothing more: the same facts are kept with the decision, so that it can be replayed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from crawlers.facts import AffiliateLink, DnsFacts, PageFacts, SiteFacts, VisitedPage
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.mail import MailKind, domain_of, kind_of, normal_form
from fraud.checks.applicants.names import host_of, owner_of, within
from fraud.domain.graph_view import KnownMatch
from fraud.domain.hashing import canonical_json, keyed_hash
from fraud.domain.programs import Application, ProgramProfile
from fraud.domain.signals import Evidence

OWN_PROGRAM = "this program"
"""Stands for the network of the program's own tracking links."""

HASHED_FIELDS = ("email", "phone", "address", "payout_account", "tax_id", "signup_ip")
"""The fields of an application that are kept as keyed hashes only."""


_SHORTEST_ADDRESS = 6  # characters; TUNE's own rule
_POST_BOX = re.compile(
    r"\bp\.?\s?o\.?\s?box\b|\bpostfach\b|\bpostbus\b|\bapartado\b|\bcasella postale\b|\bbo[iî]te postale\b", re.IGNORECASE
)


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """An application without its personal values: `hashes` holds their keyed hashes by field, for matching.

    Of the e-mail address the domain and the provider's kind are kept; '' and `None` where no address was given.
    """

    application_id: str
    program_id: str
    name: str = ""
    company: str = ""
    country: str = ""
    websites: tuple[str, ...] = ()
    social_profiles: tuple[str, ...] = ()
    affiliate_type: str = ""
    traffic_sources: tuple[str, ...] = ()
    claimed_monthly_visits: int | None = None
    description: str = ""
    email_domain: str = ""
    email_kind: MailKind | None = None
    hashes: dict[str, str] = {}
    address_signs: tuple[str, ...] = ()
    applied_at: datetime | None = None


class Resemblance(msgspec.Struct, frozen=True, kw_only=True):
    """How a site is like one of an earlier applicant: `similarity` of the texts and `template` of the trees in 0..1, `distance` of the
    simhashes in bits, `shared` account numbers and icons (those that many applicants have left out), `same_owner` by what both stated."""

    application_id: str
    domain: str
    similarity: float = 0.0
    distance: int = 64
    template: float = 0.0
    shared: tuple[str, ...] = ()
    same_owner: bool = False


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list that the operator gave: which list, and the entry as it stands there."""

    name: str
    entry: str


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the workspace knows of one website besides the visit; None where there was nothing to look in.

    `earlier` are the resemblances to earlier applicants, `listed` the entries of block lists, `rank` the place in the rank list (0 when it
    is not on it), `nonce` what proves ownership when it is found in one of the agreed places.
    """

    earlier: tuple[Resemblance, ...] | None = None
    listed: tuple[Listing, ...] | None = None
    rank: int | None = None
    nonce: str = ""


class VettingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the checks of one applicant may see.

    `sites` holds one visit per website in the order declared, short of those in `failed_visits`, where the collector itself broke.
    `networks` names the affiliate network of each address that a site's redirects pass and that belongs to one. `surroundings` are by
    website as declared; `mail` are the records of the e-mail address's domain, None when they were not asked for.
    `known` are affiliates and earlier applicants who state the same, None where nobody looked.
    """

    application: Applicant
    profile: ProgramProfile | None = None
    sites: tuple[SiteFacts, ...] = ()
    failed_visits: tuple[str, ...] = ()
    networks: dict[str, str] = {}
    surroundings: dict[str, Surroundings] = {}
    mail: DnsFacts | None = None
    known: tuple[KnownMatch, ...] | None = None
    audience: Audience = Audience()
    as_of: datetime

    @property
    def subject(self) -> str:
        """What a signal on the application as a whole is about."""
        return self.application.application_id


@dataclass(frozen=True)
class Visit:
    """One site of an applicant, as a check of a site sees it."""

    facts: VettingFacts
    site: SiteFacts

    @property
    def subject(self) -> str:
        """The address as the applicant gave it."""
        return self.site.requested_url

    @property
    def profile(self) -> ProgramProfile | None:
        """The program's profile, if there is one."""
        return self.facts.profile

    @property
    def home(self) -> VisitedPage:
        """The home page; only a site that answered has one."""
        return self.site.pages[0]

    @property
    def readable(self) -> tuple[VisitedPage, ...]:
        """The pages whose text can be read without running scripts."""
        return tuple(page for page in self.site.pages if not page.facts.scripts_needed)

    @property
    def around(self) -> Surroundings:
        """What the workspace knows of this website."""
        return self.facts.surroundings.get(self.subject, Surroundings())

    @property
    def text(self) -> str:
        """The main text of all readable pages, page by page."""
        return "\n".join(page.facts.text for page in self.readable)

    def affiliate_links(self, page: VisitedPage) -> tuple[AffiliateLink, ...]:
        """The page's links through affiliate networks and those to the program's own tracking hosts."""
        hosts = self.profile.tracking_hosts if self.profile else ()
        known = {link.url for link in page.facts.affiliate_links}
        own = (link for link in page.facts.links if hosts and link.url not in known and within(link.host, hosts))
        made = tuple(AffiliateLink(url=link.url, network=OWN_PROGRAM, text=link.text, rel=link.rel, excerpt=link.url[:300]) for link in own)
        return page.facts.affiliate_links + made

    @property
    def domain(self) -> str:
        """The registered name where the visit ended."""
        return owner_of(host_of(self.site.final_url or self.site.requested_url))


def protected(application: Application, pepper: bytes) -> Applicant:
    """The application as it may be kept with a decision; equal values give equal hashes under the same pepper."""
    domain = domain_of(application.email)
    kept = {name: getattr(application, name) for name in Applicant.__struct_fields__ if hasattr(application, name)}
    return Applicant(
        **kept,
        email_domain=domain,
        email_kind=kind_of(domain) if domain else None,
        hashes=_hashes(application, pepper),
        address_signs=address_signs(application.address),
    )


def address_signs(address: str) -> tuple[str, ...]:
    """What is odd about a postal address, without keeping it: `short`, `no_number`, `post_box`; empty when it is whole or not given."""
    text = " ".join(address.split())
    if not text:
        return ()
    signs = {
        "short": len(text) < _SHORTEST_ADDRESS,
        "no_number": not any(letter.isdigit() for letter in text),
        "post_box": _POST_BOX.search(text) is not None,
    }
    return tuple(name for name, seen in signs.items() if seen)


def _hashes(application: Application, pepper: bytes) -> dict[str, str]:
    values = {name: getattr(application, name) for name in HASHED_FIELDS}
    return {name: keyed_hash(pepper, name, _normal(name, value)) for name, value in values.items() if value}


def _normal(name: str, value: str) -> str:
    if name == "email":
        return normal_form(value)
    letters = "".join(letter for letter in value.casefold() if letter.isalnum())
    return value.strip().lower() if name == "signup_ip" else letters or value


def as_builtins(facts: VettingFacts) -> dict[str, Any]:
    """The facts as plain JSON values, as a decision keeps them."""
    kept: dict[str, Any] = msgspec.json.decode(canonical_json(facts))
    return kept


def from_builtins(kept: dict[str, Any]) -> VettingFacts:
    """The facts back from what a decision kept; a `msgspec.ValidationError` when they are not whole."""
    return msgspec.convert(kept, VettingFacts)


def evidence_of(page: VisitedPage, excerpt: str = "", **detail: Any) -> Evidence:
    """A page as evidence, with the very words that were seen on it; without an excerpt it states an absence."""
    seen = page.snapshot
    return Evidence(url=seen.url, fetched_at=seen.fetched_at, sha256=seen.sha256, excerpt=excerpt, detail=detail)


def words_of(facts: PageFacts) -> str:
    """The words a page speaks of itself with: title, description and text."""
    return "\n".join(part for part in (facts.title, facts.description, facts.text) if part)


def only_scripts(what: str) -> str:
    """Why `what` cannot be told of a site whose every page is an empty shell."""
    return f"Every page that was read is drawn by scripts, which are not run, so its {what} are unknown."
