"""Collects what is known of an applicant's audience and stated identity, for the checks to judge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from crawlers.backlinks.facts import BacklinkFacts
from crawlers.backlinks.profile import About, read_profile
from crawlers.facts import SiteFacts
from fraud.checks.applicants.names import host_of, owner_of
from fraud.domain.programs import Application


async def backlinks_of(application: Application, sites: Sequence[SiteFacts]) -> BacklinkFacts | None:
    """The profile of the export that came with an application (a path of the operator's), None without one."""
    if not application.backlinks_file:
        return None
    return await asyncio.to_thread(read_profile, Path(application.backlinks_file), about(application, sites))


def about(application: Application, sites: Sequence[SiteFacts]) -> About:
    """Whom a backlink profile is of: the declared and visited domains, the applicant's names, and where the sites' pages link to."""
    urls = [*application.websites, *(site.final_url for site in sites)]
    own = frozenset(owner_of(host) for url in urls if (host := host_of(url)))
    pages = [page for site in sites for page in site.pages]
    linked = {owner_of(link.host) for page in pages for link in page.facts.links if link.host}
    names = tuple(name for name in (application.name, application.company) if name)
    return About(domains=own, brands=names, linked_domains=frozenset(linked - own) if pages else None)
