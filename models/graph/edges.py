"""Reading the edges of the shared-identity graph: who was seen with which payout account, device, address or analytics id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from models.arrays import BoolArray, FloatArray, IntArray

Groups: TypeAlias = "Mapping[str, str] | pd.Series[str] | pd.DataFrame"
"""Declared common ownership: affiliate to group, or a frame with `affiliate_id` and `group_id`."""
Mask: TypeAlias = "Iterable[str | tuple[str, str]] | pd.DataFrame"
"""Entities known to be shared egress: names, (kind, name) pairs, or a frame with `kind` and `entity`."""

REQUIRED = ("affiliate_id", "kind", "entity")

IDENTITY_KINDS = frozenset({"payout_account", "tax_id", "phone", "self_customer"})
"""One shared is a link (`detection.md` 5). `self_customer` is an affiliate found to be its own customer: buyers that two affiliates
have in common (`customer`) are ordinary business and count as strong, no more."""
OWNED_KINDS = frozenset(
    {
        "analytics_id",
        "adsense_id",
        "ad_id",
        "tag_id",
        "pixel_id",
        "email",
        "registrant",
        "certificate",
        "signup_device",
        "verification",
        "address",
        "website",
    }
)
"""An affiliate's own things, which two of them do not have in common by chance."""
STRONG_KINDS = OWNED_KINDS | {"device", "customer", "device_moment", "customer_hour", "click_pattern"}
"""Hard to share by accident. Any kind that is neither an identity nor strong is weak."""
SITE_KINDS = frozenset(
    {"hosting_ip", "hosting", "name_servers", "favicon", "template", "text", "tls_name", "referrer_domain", "email_domain"}
)
"""Facts of a site, not of its readers; weak, because themes and shared hosting give strangers the same."""
SAME_SOURCE = {
    "ip": "address",
    "network": "address",
    "ip24": "address",
    "v6_56": "address",
    "signup_ip": "address",
    "hosting_ip": "hosting",
    "hosting": "hosting",
    "name_servers": "hosting",
    "tls_name": "hosting",
    "device": "device",
    "signup_device": "device",
    "fingerprint": "device",
    "device_moment": "device",
    "customer_hour": "customer",
}
"""Kinds that follow from one another and are no two independent reasons: a shared address always shares its network."""


@dataclass(frozen=True)
class EntityTable:
    """The edges as numbers: distinct (affiliate, entity) pairs, and what is known of both sides.

    `affiliate`, `entity` (pairs,): numbers into `affiliates` and into the entity arrays; `count` (pairs,): how often seen.
    `affiliates`: ids as given, sorted. `owner` (affiliates,): the same number for affiliates of one declared group.
    `kind` (entities,): number into `kinds`, ascending; `names` (entities,): what each is called. `masked` (entities,): known shared egress.
    """

    affiliate: IntArray
    entity: IntArray
    count: FloatArray
    affiliates: list[str]
    owner: IntArray
    kind: IntArray
    kinds: list[str]
    names: pd.Index
    masked: BoolArray

    @cached_property
    def degree(self) -> IntArray:
        """Distinct owners of every entity (entities,)."""
        degree = np.bincount(self.entity, minlength=self.kind.size)
        several = np.bincount(self.owner, minlength=1)[self.owner] > 1  # members of declared groups, of whom there are few
        pairs = np.flatnonzero(several[self.affiliate])
        owners = int(self.owner.max(initial=-1)) + 1
        met = np.sort(self.entity[pairs] * owners + self.owner[self.affiliate[pairs]])
        again = met[1:][met[1:] == met[:-1]]
        return degree - np.bincount(again // max(owners, 1), minlength=self.kind.size)

    def of_kinds(self, kinds: Iterable[str]) -> BoolArray:
        """Which entities (entities,) are of these kinds."""
        wanted = set(kinds)
        return np.array([kind in wanted for kind in self.kinds], dtype=np.bool_)[self.kind]

    def kind_of(self, entity: int) -> str:
        """The kind of one entity."""
        return self.kinds[int(self.kind[entity])]

    def name_of(self, entity: int) -> str:
        """The name of one entity."""
        return str(self.names[entity])


def read_edges(edges: pd.DataFrame, groups: Groups | None = None, mask: Mask | None = None) -> EntityTable:
    """The edges, checked and numbered. An edge without an entity is unknown and links nobody.

    Raises ValueError when a column is missing, a row has no affiliate or no kind, or `groups` or `mask` cannot be understood.
    """
    _check(edges)
    affiliate, ids = _numbered(edges["affiliate_id"])
    kind, kinds = _kinds(edges["kind"])
    _refuse_blank(affiliate, "affiliate_id")
    _refuse_blank(kind, "kind")
    name, names = _numbered(edges["entity"])
    known = name >= 0
    width = max(len(names), 1)
    keys, entity = _renumbered(kind[known] * width + name[known], width * max(len(kinds), 1))
    present, number = _renumbered(affiliate[known], max(len(ids), 1))
    met = sparse.coo_array((_counts(edges)[known], (number, entity)), shape=(max(present.size, 1), max(keys.size, 1))).tocsr()
    met.sort_indices()
    affiliates, entities = [str(one) for one in ids[present]], names[keys % width]
    return EntityTable(
        affiliate=np.repeat(np.arange(met.shape[0], dtype=np.int64), np.diff(met.indptr)),
        entity=met.indices.astype(np.int64),
        count=met.data.astype(np.float64),
        affiliates=affiliates,
        owner=_owners(affiliates, groups),
        kind=keys // width,
        kinds=kinds,
        names=entities,
        masked=_masked(keys // width, kinds, entities, mask),
    )


def _renumbered(values: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """The distinct values among 0..size, ascending, and the place of every value among them."""
    found = np.zeros(size, dtype=np.bool_)
    found[values] = True
    return np.flatnonzero(found), (np.cumsum(found) - 1)[values]


def _refuse_blank(numbers: IntArray, name: str) -> None:
    if (numbers < 0).any():
        raise ValueError(f"Every edge needs its {name}; row {int(np.argmax(numbers < 0))} has none.")


def _numbered(values: pd.Series) -> tuple[IntArray, pd.Index]:
    """Every value's number among the sorted distinct texts, -1 for one that is missing or blank; whole numbers stand for themselves."""
    codes, distinct = pd.factorize(values)
    texts = pd.Index(distinct)
    whole = pd.api.types.is_integer_dtype(texts.dtype)
    if not whole:
        texts = texts.astype(str).str.strip()
    order, again = np.unique(texts.to_numpy(), return_inverse=True)
    blank = np.zeros(order.size, dtype=np.bool_) if whole else np.asarray(order == "", dtype=np.bool_)
    number = np.where(blank, -1, np.arange(order.size))[again]
    return np.append(number, -1)[codes], pd.Index(order)


def _kinds(values: pd.Series) -> tuple[IntArray, list[str]]:
    """Every kind's number among the sorted distinct ones in lower case, -1 where there is none."""
    codes, distinct = pd.factorize(values)
    texts = [str(one).strip().lower() for one in distinct]
    found = sorted(set(texts) - {""})
    numbers = np.array([found.index(text) if text else -1 for text in texts] + [-1], dtype=np.int64)
    return numbers[codes], found


def _check(edges: pd.DataFrame) -> None:
    missing = [name for name in REQUIRED if name not in edges.columns]
    if missing:
        found = ", ".join(map(str, edges.columns)) or "none"
        raise ValueError(f"Edges need the columns {', '.join(REQUIRED)}; missing: {', '.join(missing)}; found: {found}.")


def _counts(known: pd.DataFrame) -> FloatArray:
    if "count" not in known.columns:
        return np.ones(len(known))
    counts = pd.to_numeric(known["count"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    given = known["count"].notna().to_numpy()
    if (given & ~(counts >= 0.0)).any():
        raise ValueError("The `count` of an edge must be a number of at least 0.")
    return np.where(given, counts, 1.0)


def _owners(affiliates: list[str], groups: Groups | None) -> IntArray:
    """One number per owner: affiliates of one declared group share theirs, all others have their own."""
    declared = _declared(groups)
    keys = [("group", declared[one]) if one in declared else ("affiliate", one) for one in affiliates]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.int64)


def _declared(groups: Groups | None) -> dict[str, str]:
    if groups is None:
        return {}
    if isinstance(groups, pd.DataFrame):
        if not {"affiliate_id", "group_id"} <= set(groups.columns):
            raise ValueError("Groups given as a frame need the columns affiliate_id and group_id.")
        items: Iterable[tuple[object, object]] = zip(groups["affiliate_id"], groups["group_id"], strict=True)
    elif isinstance(groups, (Mapping, pd.Series)):
        items = groups.items()
    else:
        raise ValueError(f"Groups must map affiliates to groups, but are a {type(groups).__name__}.")  # noqa: TRY004 - one error for bad input
    return {str(one): str(group) for one, group in items if group is not None and group == group and str(group).strip()}  # noqa: PLR0124 - NaN


def _masked(kind: IntArray, kinds: list[str], names: pd.Index, mask: Mask | None) -> BoolArray:
    """Which entities (entities,) are shared egress. An identity is never masked by its bare name."""
    masked = np.zeros(kind.size, dtype=np.bool_)
    if mask is None:
        return masked
    if isinstance(mask, str):
        raise ValueError("The mask must be a collection of entities, not one text.")  # noqa: TRY004 - one error for bad input
    if isinstance(mask, pd.DataFrame):
        if not {"kind", "entity"} <= set(mask.columns):
            raise ValueError("A mask given as a frame needs the columns kind and entity.")
        mask = list(zip(mask["kind"].astype(str), mask["entity"].astype(str), strict=True))
    known = list(mask)
    texts = names.astype(str)
    for place, one in enumerate(kinds):
        by_kind = {entry[1] for entry in known if isinstance(entry, tuple) and entry[0].lower() == one}
        bare = set() if one in IDENTITY_KINDS else {entry for entry in known if isinstance(entry, str)}
        if by_kind | bare:
            masked |= (kind == place) & np.asarray(texts.isin(by_kind | bare))
    return masked
