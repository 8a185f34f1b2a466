"""What an address on a tracking host is: a click, a picture (banner, impression pixel), or neither by its looks.

Programs do not say what their addresses mean, so the words are those that tracking platforms put into their paths. A click counts as
certain only where nothing speaks for a picture: a banner that is taken for a stuffed click would accuse an honest site.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import urlsplit

CLICK_WORDS = frozenset(
    {"c", "click", "clicks", "clk", "aclk", "go", "out", "redirect", "redir", "r", "visit", "deeplink", "dl", "link",
     "aff_c", "ref", "away", "jump"}
)  # fmt: skip
"""Parts of a path that platforms' click links have: HasOffers `aff_c`, impact `/c/`, Partnerize `/click/`, names of redirect scripts."""
PICTURE_WORDS = frozenset(
    {"b", "i", "imp", "imps", "impression", "impressions", "aff_i", "view", "views", "show", "cshow", "display", "pixel",
     "px", "banner", "banners", "image", "images", "img", "creative", "creatives", "ad", "ads", "media", "logo",
     "logos", "assets", "static", "widget", "widgets"}
)  # fmt: skip
"""Parts of a path that banners and impression pixels have."""
PICTURE_FILE = re.compile(r"\.(?:png|jpe?g|gif|webp|avif|svg|ico|bmp|css|woff2?)\Z", re.IGNORECASE)


class AddressKind(StrEnum):
    """What an address on a tracking host is, by its looks."""

    CLICK = "click"
    PICTURE = "picture"
    UNCLEAR = "unclear"


def address_kind(url: str, linked: frozenset[str]) -> AddressKind:
    """Return what the address is; `linked` are the addresses that the site's own links have, which are clicks where they are the same."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return AddressKind.UNCLEAR
    words = {part.lower().partition(".")[0] for part in path.split("/") if part}
    picture = bool(words & PICTURE_WORDS or PICTURE_FILE.search(path))
    click = bool(words & CLICK_WORDS or url in linked)
    if click == picture:
        return AddressKind.UNCLEAR
    return AddressKind.CLICK if click else AddressKind.PICTURE
