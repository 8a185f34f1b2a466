"""Applicants in the graph: the identities they state, in the spellings and hashes that accounts have, and whom they turn out to be.

A match is exact and by an identity (payout account, tax number, phone) or by something of the applicant's own (mailbox, postal address,
website, address at sign-up); earlier applicants count as affiliates do, those that were rejected included.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from fraud.domain.graph_view import KnownMatch
from fraud.domain.programs import Application
from fraud.events.personal import hash_values
from fraud.links.edges import COLUMNS
from fraud.links.kinds import LinkTier, innocent, spoken, tier_of
from fraud.links.neighbourhood import APPLICANT
from models.graph import IDENTITY_KINDS

_HASHED = ("payout_account", "tax_id", "phone", "email", "address")
_MOST_OWNERS = 5
"""A website, an address or a sign-up address that more accounts state than this is a platform, an agent or a carrier."""


def applicant_edges(applications: Iterable[Application], pepper: bytes) -> pd.DataFrame:
    """What applicants state, as edges (`COLUMNS`); personal values as the keyed hashes under which the lake keeps accounts' own."""
    rows = [row for application in applications for row in _stated(application, pepper)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"count": "int64", "first_seen": "datetime64[us]", "last_seen": "datetime64[us]"})


def _stated(application: Application, pepper: bytes) -> list[tuple[object, ...]]:
    stated = {name: value for name in _HASHED if (value := getattr(application, name))}
    rows = [(kind, hash_values(pepper, kind, [value])[value].hash) for kind, value in stated.items()]
    rows += [("website", site_name(site)) for site in application.websites]
    rows += [("signup_ip", application.signup_ip)] if application.signup_ip else []
    name = f"{APPLICANT}{application.application_id}"
    seen = None if application.applied_at is None else application.applied_at.replace(tzinfo=None)
    return [(name, kind, entity, 1, seen, seen, "application") for kind, entity in dict.fromkeys(rows)]


def site_name(website: str) -> str:
    """A website in the spelling of the account edges: no scheme, no `www.`, no slash at the end."""
    bare = website.strip().lower()
    for start in ("https://", "http://"):
        bare = bare.removeprefix(start)
    return bare.removeprefix("www.").rstrip("/")


def known_matches(application: Application, edges: pd.DataFrame, standing: Mapping[str, str], pepper: bytes) -> tuple[KnownMatch, ...]:
    """Affiliates and earlier applicants who state what this applicant states, the surest first.

    `edges` are those of accounts and of earlier applicants; `standing` how it stands with each (the applicant's own name is left out).
    """
    own = applicant_edges([application], pepper)
    me = f"{APPLICANT}{application.application_id}"
    others = edges[(edges["affiliate_id"] != me) & (edges["affiliate_id"] != application.application_id)]
    same = others.merge(own[["kind", "entity"]], on=["kind", "entity"]).drop_duplicates(["affiliate_id", "kind", "entity"])
    owners = same.groupby(["kind", "entity"])["affiliate_id"].transform("nunique")
    rare = same[(owners <= _MOST_OWNERS) | same["kind"].isin(IDENTITY_KINDS)]
    shared: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for other, kind in zip(rare["affiliate_id"], rare["kind"], strict=True):
        shared[str(other)][str(kind)] += 1
    found = [_match(other, kinds, standing.get(other, "")) for other, kinds in shared.items()]
    return tuple(sorted(found, key=lambda one: (list(LinkTier).index(LinkTier(one.tier)), -sum(one.shared.values()), one.other)))


def _match(other: str, kinds: Counter[str], standing: str) -> KnownMatch:
    ordered = sorted(kinds, key=lambda kind: (list(LinkTier).index(tier_of(kind)), kind))
    things = " and ".join(spoken(kind) for kind in ordered[:3])
    applicant = other.startswith(APPLICANT)
    who = f"the earlier applicant {other.removeprefix(APPLICANT)}" if applicant else f"the affiliate {other}"
    return KnownMatch(
        other=other.removeprefix(APPLICANT),
        role="applicant" if applicant else "affiliate",
        tier=tier_of(ordered[0]).value,
        shared=dict(kinds),
        standing=standing,
        text=f"States {things} as {who}{f' ({standing})' if standing else ''}.",
        also_explained_by="; ".join(dict.fromkeys(text for kind in ordered[:2] if (text := innocent(kind)))),
    )
