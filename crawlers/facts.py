"""What the crawlers report: facts about pages and sites, never judgements.

Every type is frozen and made of plain values (strings, numbers, tuples, UTC datetimes), so that a fact can be kept as JSON beside a
decision and read back the same: `msgspec.convert(msgspec.to_builtins(fact), type(fact)) == fact`. A value that was not found is `''` or an
empty tuple where the reader looked and there was nothing, and `None` where nobody could look (unknown).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct, field

from crawlers.review_facts import Rating, Review

FailureKind = Literal[
    "refused", "dns", "connect", "tls", "timeout", "too_large", "robots", "redirects", "protocol", "http_status", "not_html", "budget"
]
AutoNavigationKind = Literal["meta_refresh", "script_location", "window_open", "form_submit", "link_click"]
ParkingSignKind = Literal["provider_script", "sale_phrase", "lander_redirect", "parking_link", "title_is_domain"]
IdentityPageKind = Literal["privacy", "terms", "contact", "imprint", "about"]
ProfileSource = Literal["rel-me", "sameAs", "link"]
ScriptSignKind = Literal["decodes_and_runs", "miner", "forced_download", "encoded_address"]
VariantName = Literal["control", "desktop", "mobile", "search_visitor"]

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of a fact that was made without one (in tests, or read from a file)."""


class Hop(Struct, frozen=True, kw_only=True):
    """One answer of a redirect chain: `url` answered `status` and pointed to `location` (absolute; '' for the last answer)."""

    url: str
    status: int
    location: str = ""


class Certificate(Struct, frozen=True, kw_only=True):
    """The TLS certificate of an https site that passed verification: who issued it, from when to when, for which `names`."""

    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()


class Fetched(Struct, frozen=True, kw_only=True):
    """One resource as it was received: `body` is inflated, `sha256` is the body's in hex, `hops` ends with the answer that has the body.

    Header names are lower case; repeated headers are joined by ', '. `truncated` says that the body is cut: longer than we read, or the
    server hung up early. `certificate` is None over plain HTTP.
    """

    requested_url: str
    url: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    hops: tuple[Hop, ...] = ()
    body: bytes = b""
    sha256: str = ""
    fetched_at: datetime = NEVER
    content_type: str = ""
    truncated: bool = False
    elapsed_ms: int = 0
    certificate: Certificate | None = None


class Link(Struct, frozen=True, kw_only=True):
    """An `<a href>` or `<area href>`: absolute `url`, visible `text`, lower-case `rel` words and `host` ('' for mailto and the like)."""

    url: str
    text: str = ""
    rel: tuple[str, ...] = ()
    host: str = ""


class Embed(Struct, frozen=True, kw_only=True):
    """Something a browser loads without a click: iframe, img, script, embed, object, link (prefetch and kin), a `css` url or a `request`
    that a script makes.

    `doubt` says why it is not certain whether a visitor can see it ('' when it is certain): another rule may show or hide it, or what
    stands around it may be opened; for what a script loads, that it may wait for the visitor.
    `hidden` says that a visitor cannot see it and `why_hidden` by what means (`1px`, `display:none`, `off-screen`, `hidden ancestor: …`).
    Scripts, links and css have nothing to be seen: `hidden` is False for them. `excerpt` is the element's outer HTML, or the script's or
    style's text around it, at most 300 characters. `network` is the affiliate network whose click tracking the address is ('' for none).
    """

    tag: str
    url: str
    hidden: bool = False
    why_hidden: str = ""
    doubt: str = ""
    excerpt: str = ""
    network: str = ""


class AutoNavigation(Struct, frozen=True, kw_only=True):
    """A move to another address without the visitor's action; `delay_seconds` is None where the page does not say.

    `network` is the affiliate network whose click tracking the address is ('' for none).
    """

    kind: AutoNavigationKind
    url: str
    delay_seconds: float | None = None
    excerpt: str = ""
    network: str = ""


class AffiliateLink(Struct, frozen=True, kw_only=True):
    """A link that carries an affiliate network's tracking; `network` is the catalogue's id."""

    url: str
    network: str
    text: str = ""
    rel: tuple[str, ...] = ()
    excerpt: str = ""


class Disclosure(Struct, frozen=True, kw_only=True):
    """A phrase that tells visitors of affiliate links; `offset` is its place in the visible text, in characters.

    The visible text is that of the whole page, menus and footers included, where disclosures usually stand.
    """

    phrase: str
    language: str
    offset: int
    excerpt: str = ""


class SocialProfile(Struct, frozen=True, kw_only=True):
    """A profile the page points to; the strongest way of finding it wins (rel-me, then sameAs, then link)."""

    platform: str
    handle: str
    url: str
    found_by: ProfileSource = "link"


class ParkingSign(Struct, frozen=True, kw_only=True):
    """One sign of a parked or offered domain; `provider` is the catalogue's id, '' when the sign belongs to none."""

    kind: ParkingSignKind
    provider: str = ""
    excerpt: str = ""


class TrackerId(Struct, frozen=True, kw_only=True):
    """An account number of an analytics or advertising service found in the page, such as `google_analytics` `UA-12345-1`."""

    kind: str
    value: str


class IdentityPage(Struct, frozen=True, kw_only=True):
    """A link that looks like a page saying who is behind the site."""

    kind: IdentityPageKind
    url: str
    text: str = ""


class ScriptSign(Struct, frozen=True, kw_only=True):
    """Something a script does that honest scripts rarely do; `value` is the address or library it is about ('' for none)."""

    kind: ScriptSignKind
    value: str = ""
    excerpt: str = ""


class PageFacts(Struct, frozen=True, kw_only=True):
    """One HTML page, read.

    `text` is the visible main text, at most 20,000 characters; `word_count` counts all of it before the cut. `declared_language` is the
    page's own word (lower-case, as written: `de`, `pt-br`), `detected_language` a guess from the text with `language_confidence` in 0..1
    (None and '' under 20 words). `scripts_needed` says that the page is an empty shell that only scripts fill: its text is then unknown,
    not thin. `outside_styles` says that style rules were not read (they stand in other files, or were too many), `script_hosts` are hosts
    that inline scripts name where they run by themselves and load or move something, in a way that could not be read.
    `disclosures` come from all visible text, `social_profiles` and `identity_pages` in its links. `emails` are lower case.
    `hidden_links` are links that certainly nobody can see. `ad_slots` counts places for advertisements in the source, `ad_services` says
    whose; `reloads_after` is the delay in seconds after which the page loads itself again. `dates` are what the page says of when it was
    written or changed, `copyright_year` the newest year beside a copyright sign. `structure` is a sketch of the tree: the 64 smallest
    hashes of its distinct parent-and-child pairs with their first class. `proof_tokens` are the values of `affiliate-proof` meta elements.
    `robots` are the words of its `robots` element, lower case. `ratings` and `reviews` are those the page states in JSON-LD or
    microdata.
    """

    url: str = ""
    title: str = ""
    description: str = ""
    declared_language: str = ""
    detected_language: str = ""
    language_confidence: float | None = None
    text: str = ""
    word_count: int = 0
    links: tuple[Link, ...] = ()
    embeds: tuple[Embed, ...] = ()
    auto_navigations: tuple[AutoNavigation, ...] = ()
    affiliate_links: tuple[AffiliateLink, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    social_profiles: tuple[SocialProfile, ...] = ()
    emails: tuple[str, ...] = ()
    parking_signs: tuple[ParkingSign, ...] = ()
    identity_pages: tuple[IdentityPage, ...] = ()
    trackers: tuple[TrackerId, ...] = ()
    json_ld_types: tuple[str, ...] = ()
    generator: str = ""
    canonical: str = ""
    robots: tuple[str, ...] = ()
    scripts_needed: bool = False
    outside_styles: bool = False
    script_hosts: tuple[str, ...] = ()
    encoding: str = ""
    hidden_links: tuple[Link, ...] = ()
    ad_slots: int = 0
    ad_services: tuple[str, ...] = ()
    reloads_after: float | None = None
    script_signs: tuple[ScriptSign, ...] = ()
    dates: tuple[datetime, ...] = ()
    copyright_year: int | None = None
    feeds: tuple[str, ...] = ()
    icon: str = ""
    structure: tuple[int, ...] = ()
    proof_tokens: tuple[str, ...] = ()
    ratings: tuple[Rating, ...] = ()
    reviews: tuple[Review, ...] = ()


class Snapshot(Struct, frozen=True, kw_only=True):
    """The evidence reference of a visited page; `size` is the body's length in bytes, `truncated` says that it is not the whole page."""

    url: str
    fetched_at: datetime = NEVER
    sha256: str = ""
    status: int = 200
    content_type: str = ""
    size: int = 0
    truncated: bool = False


class VisitedPage(Struct, frozen=True, kw_only=True):
    """A page with the evidence it was read from."""

    snapshot: Snapshot
    facts: PageFacts


class Failure(Struct, frozen=True, kw_only=True):
    """Why an address gave no page: `kind` for programs, `message` one sentence for people."""

    url: str
    kind: FailureKind
    message: str = ""


class DnsFacts(Struct, frozen=True, kw_only=True):
    """What the name servers say of a name; `failure` says why they said nothing ('' when they answered).

    `exists` is False where they say that there is no such name. Texts are cut to 500 characters.
    """

    name: str
    exists: bool = True
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()
    mail_servers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    failure: str = ""


class Registration(Struct, frozen=True, kw_only=True):
    """What the registry says of a registered name (RDAP, RFC 9083); `failure` says why it said nothing ('' when it answered).

    Moments that the registry does not give are None. `statuses` are lower case, as RFC 8056 spells them. `holder` is the organisation that
    holds the name, or the registry's own number for whoever does: no person's name or address; '' where the registry hides it.
    """

    domain: str
    source_url: str = ""
    registered_at: datetime | None = None
    expires_at: datetime | None = None
    changed_at: datetime | None = None
    statuses: tuple[str, ...] = ()
    registrar: str = ""
    holder: str = ""
    name_servers: tuple[str, ...] = ()
    failure: str = ""


class Variant(Struct, frozen=True, kw_only=True):
    """The home page asked for once more, as somebody else would: `control` is the very same request, for what changes by itself.

    `page` is None where no page came back, and `failure` says why.
    """

    name: VariantName
    user_agent: str = ""
    referrer: str = ""
    final_url: str = ""
    hops: tuple[Hop, ...] = ()
    page: VisitedPage | None = None
    failure: Failure | None = None


class Followed(Struct, frozen=True, kw_only=True):
    """Where something that the page loads unseen leads: its redirects as far as they were followed (`final_url` is not visited when a
    `failure` stopped there), and the page that came back (None for anything else)."""

    url: str
    final_url: str = ""
    hops: tuple[Hop, ...] = ()
    page: VisitedPage | None = None
    failure: Failure | None = None


class Favicon(Struct, frozen=True, kw_only=True):
    """A site's icon: `mmh3` is the signed 32-bit MurmurHash3 of its base64 text with line breaks, as host search engines do it."""

    url: str
    sha256: str
    mmh3: int
    size: int


class AdsTxt(Struct, frozen=True, kw_only=True):
    """A site's ads.txt (IAB Tech Lab 1.1): its data records, by relationship."""

    url: str
    direct: int = 0
    reseller: int = 0


class Sitemap(Struct, frozen=True, kw_only=True):
    """A site's sitemap as far as it was read: `urls` counted, `paths` the first 500, `newest` and `most_on_a_day` of its lastmod days."""

    url: str
    urls: int = 0
    paths: tuple[str, ...] = ()
    newest: datetime | None = None
    most_on_a_day: int = 0
    truncated: bool = False


class BrowserRequest(Struct, frozen=True, kw_only=True):
    """A request the browser made without any click; `kind` is the browser's word for it (document, image, script, ...)."""

    url: str
    kind: str = ""
    frame_url: str = ""
    network: str = ""


class BrowserCookie(Struct, frozen=True, kw_only=True):
    """A cookie that was set without a click, by its `domain` and `name`; its value is not kept."""

    domain: str
    name: str


class BrowserVisit(Struct, frozen=True, kw_only=True):
    """The home page in a browser that nobody touched; `failure` says why there was none ('' when it ran).

    `redirects` are the addresses the top page moved to after it had loaded, with the seconds; `windows` those of opened windows. `refused`
    are addresses that the guard did not let through. `screenshot` is the SHA-256 of a PNG.
    """

    url: str = ""
    final_url: str = ""
    text: str = ""
    title: str = ""
    requests: tuple[BrowserRequest, ...] = ()
    cookies: tuple[BrowserCookie, ...] = ()
    windows: tuple[str, ...] = ()
    redirects: tuple[tuple[str, float], ...] = ()
    refused: tuple[str, ...] = ()
    screenshot: str = ""
    failure: str = ""


class SiteFacts(Struct, frozen=True, kw_only=True):
    """One visit to a site.

    `pages` begins with the home page; `failure` says why there is none. `failures` are the other pages that failed. `hops` is the home
    page's redirect chain and `certificate` its TLS certificate (None over plain HTTP). `random_path_status` is the answer to a path that
    cannot exist (soft 404) and `random_path_same_as_home` whether it had the home page's text; both None when not asked or not answered.
    The rest is what a `Survey` asks besides and None where it did not: the records of the name, its registration, the home page as other
    visitors get it, where unseen things lead, a random subdomain, the icon, ads.txt, sitemap, the file that proves ownership ('' where
    there is none), the browser.
    """

    requested_url: str
    reachable: bool = False
    failure: Failure | None = None
    final_url: str = ""
    registrable_domain: str = ""
    hops: tuple[Hop, ...] = ()
    pages: tuple[VisitedPage, ...] = ()
    failures: tuple[Failure, ...] = ()
    random_path_status: int | None = None
    random_path_same_as_home: bool | None = None
    certificate: Certificate | None = None
    started_at: datetime = NEVER
    finished_at: datetime = NEVER
    surveyed: bool = False
    dns: DnsFacts | None = None
    registration: Registration | None = None
    variants: tuple[Variant, ...] | None = None
    followed: tuple[Followed, ...] | None = None
    random_subdomain_same_as_home: bool | None = None
    favicon: Favicon | None = None
    ads_txt: AdsTxt | None = None
    sitemap: Sitemap | None = None
    proof_file: str | None = None
    browser: BrowserVisit | None = None
