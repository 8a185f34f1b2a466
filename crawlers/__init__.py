"""Fetch and read the web: facts, never judgements. Usable alone: `await crawlers.fetch(url)`, `crawlers.read_page(html, url)`.

Nothing here knows of affiliates' programs, scores or decisions.
"""

from crawlers.errors import CrawlError, LookupFailed, RefusedAddress, SettingsError, SourceUnavailable
from crawlers.facts import (
    AdsTxt,
    AffiliateLink,
    AutoNavigation,
    BrowserVisit,
    Certificate,
    Disclosure,
    DnsFacts,
    Embed,
    Failure,
    Favicon,
    Fetched,
    Followed,
    Hop,
    IdentityPage,
    Link,
    PageFacts,
    ParkingSign,
    Registration,
    ScriptSign,
    SiteFacts,
    Sitemap,
    Snapshot,
    SocialProfile,
    TrackerId,
    Variant,
    VisitedPage,
)
from crawlers.fetch import Fetcher, Visitor, fetch
from crawlers.limits import CrawlSettings, Limits, parse_connect_to, parse_host_port, parse_networks
from crawlers.page import read_page
from crawlers.rdap import Rdap
from crawlers.records import Records
from crawlers.robots import Robots
from crawlers.survey import Survey
from crawlers.website import collect_site

__all__ = [
    "AdsTxt",
    "AffiliateLink",
    "AutoNavigation",
    "BrowserVisit",
    "Certificate",
    "CrawlError",
    "CrawlSettings",
    "Disclosure",
    "DnsFacts",
    "Embed",
    "Failure",
    "Favicon",
    "Fetched",
    "Fetcher",
    "Followed",
    "Hop",
    "IdentityPage",
    "Limits",
    "Link",
    "LookupFailed",
    "PageFacts",
    "ParkingSign",
    "Rdap",
    "Records",
    "RefusedAddress",
    "Registration",
    "Robots",
    "ScriptSign",
    "SettingsError",
    "SiteFacts",
    "Sitemap",
    "Snapshot",
    "SocialProfile",
    "SourceUnavailable",
    "Survey",
    "TrackerId",
    "Variant",
    "VisitedPage",
    "Visitor",
    "collect_site",
    "fetch",
    "parse_connect_to",
    "parse_host_port",
    "parse_networks",
    "read_page",
]
