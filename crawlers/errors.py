"""What can go wrong while looking something up on the web.

CrawlError
├── LookupFailed            this lookup failed, go on with the next one (a check that needed it is inconclusive)
│   └── RefusedAddress      we do not go there: the address is unsafe or not public (kind `refused`)
├── SourceUnavailable       this source is unusable (blocked, rate-limited, switched off): stop asking it
└── SettingsError           a crawler setting cannot be understood (also a ValueError)

A failure of the web is a fact about the web: `LookupFailed.failure()` turns it into one.
"""

from __future__ import annotations

from crawlers.facts import Failure, FailureKind, Hop


class CrawlError(Exception):
    """The root. `message` is one sentence for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class LookupFailed(CrawlError):
    """One lookup failed. `kind` is one of `facts.FailureKind`; `hops` are the redirects followed before it failed."""

    def __init__(self, url: str, kind: FailureKind, message: str, hops: tuple[Hop, ...] = ()) -> None:
        super().__init__(message)
        self.url = url
        self.kind = kind
        self.hops = hops

    def failure(self) -> Failure:
        """Return the error as a fact."""
        return Failure(url=self.url, kind=self.kind, message=self.message)


class RefusedAddress(LookupFailed):
    """The address is one the crawler never visits; nothing was sent."""

    def __init__(self, url: str, message: str, hops: tuple[Hop, ...] = ()) -> None:
        super().__init__(url, "refused", message, hops)


class SourceUnavailable(CrawlError):
    """The source as a whole refuses or fails; asking it again in this run is useless."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(message)
        self.source = source


class SettingsError(CrawlError, ValueError):
    """A setting of the crawler is malformed; says which and what it should look like."""
