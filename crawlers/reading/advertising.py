"""Places for advertisements in a page's source, and the services they belong to."""

from __future__ import annotations

from crawlers.catalogue import ad_services, exact_case
from crawlers.reading.hints import hints_in

MOST_SOURCE = 2_000_000
MOST_SLOTS = 1_000


def advertising(source: str) -> tuple[int, tuple[str, ...]]:
    """Return how many ad slots the source has (at most 1,000), and the ids of the services that were recognised."""
    source = source[:MOST_SOURCE]
    slots, services, hints = 0, [], hints_in(source)
    for service in ad_services():
        found = sum(len(exact_case(mark.pattern).findall(source)) for mark in service.slots if mark.hint in hints)
        if found or any(host in hints for host in service.hosts):
            services.append(service.id)
        slots += found
    return min(slots, MOST_SLOTS), tuple(services)
