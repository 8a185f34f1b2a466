"""Fetch and read the web: facts, never judgements. Usable alone: `await crawlers.fetch(url)`, `crawlers.read_page(html, url)`.

Nothing here knows of affiliates' programs, scores or decisions.
"""

from crawlers.errors import CrawlError, LookupFailed, RefusedAddress, SettingsError, SourceUnavailable
from crawlers.facts import (
    AffiliateLink,
    AutoNavigation,
    Certificate,
    Disclosure,
    Embed,
    Failure,
    Fetched,
    Hop,
    IdentityPage,
    Link,
    PageFacts,
    ParkingSign,
    SiteFacts,
    Snapshot,
    SocialProfile,
    TrackerId,
    VisitedPage,
)
from crawlers.fetch import Fetcher, fetch
from crawlers.limits import CrawlSettings, Limits, parse_connect_to, parse_host_port, parse_networks
from crawlers.page import read_page
from crawlers.robots import Robots
from crawlers.website import collect_site

__all__ = [
    "AffiliateLink",
    "AutoNavigation",
    "Certificate",
    "CrawlError",
    "CrawlSettings",
    "Disclosure",
    "Embed",
    "Failure",
    "Fetched",
    "Fetcher",
    "Hop",
    "IdentityPage",
    "Limits",
    "Link",
    "LookupFailed",
    "PageFacts",
    "ParkingSign",
    "RefusedAddress",
    "Robots",
    "SettingsError",
    "SiteFacts",
    "Snapshot",
    "SocialProfile",
    "SourceUnavailable",
    "TrackerId",
    "VisitedPage",
    "collect_site",
    "fetch",
    "parse_connect_to",
    "parse_host_port",
    "parse_networks",
    "read_page",
]
