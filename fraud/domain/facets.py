"""What lists are narrowed by besides what a scan says: the kind of affiliate, its offers and their verticals."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FacetKind(StrEnum):
    """What a facet is about."""

    TYPE = "type"
    OFFER = "offer"
    VERTICAL = "vertical"


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is true of an affiliate, as its newest night showed it."""

    affiliate_id: str
    kind: FacetKind
    value: str


class FacetCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many affiliates have one value."""

    value: str
    affiliates: int
