"""Reading the edges of the shared-identity graph: who was seen with which payout account, device, address or analytics id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

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
    {"analytics_id", "adsense_id", "tag_id", "pixel_id", "email", "registrant", "certificate", "signup_device", "verification"}
)
"""An affiliate's own things, which two of them do not have in common by chance."""
STRONG_KINDS = OWNED_KINDS | {"device", "customer"}
"""Hard to share by accident. Any kind that is neither an identity nor strong is weak."""
SAME_SOURCE = {
    "ip": "address",
    "network": "address",
    "ip24": "address",
    "v6_56": "address",
    "signup_ip": "address",
    "hosting_ip": "hosting",
    "hosting": "hosting",
    "name_servers": "hosting",
    "device": "device",
    "signup_device": "device",
    "fingerprint": "device",
}
"""Kinds that follow from one another and are no two independent reasons: a shared address always shares its network."""


@dataclass(frozen=True)
class EntityTable:
    """The edges as numbers: distinct (affiliate, entity) pairs, and what is known of both sides.

    `affiliate`, `entity` (pairs,): numbers into `affiliates` and into the entity arrays; `count` (pairs,): how often seen.
    `affiliates`: ids as given. `owner` (affiliates,): the same number for affiliates of one declared group.
    `kind`, `name` (entities,): what the entity is. `masked` (entities,): known shared egress.
    """

    affiliate: IntArray
    entity: IntArray
    count: FloatArray
    affiliates: list[str]
    owner: IntArray
    kind: list[str]
    name: list[str]
    masked: BoolArray


def read_edges(edges: pd.DataFrame, groups: Groups | None = None, mask: Mask | None = None) -> EntityTable:
    """The edges, checked and numbered. An edge without an entity is unknown and links nobody.

    Raises ValueError when a column is missing, a row has no affiliate or no kind, or `groups` or `mask` cannot be understood.
    """
    _check(edges)
    known = edges[edges["entity"].notna() & (edges["entity"].astype(str).str.strip() != "")]
    affiliate, affiliates = pd.factorize(known["affiliate_id"].astype(str), sort=True)
    kind, kinds = pd.factorize(known["kind"].astype(str).str.strip().str.lower(), sort=True)
    name, names = pd.factorize(known["entity"].astype(str).str.strip(), sort=True)
    width = max(len(names), 1)
    keys, entity = np.unique(kind.astype(np.int64) * width + name, return_inverse=True)
    kind_of, name_of = kinds.to_numpy(dtype=object)[keys // width].tolist(), names.to_numpy(dtype=object)[keys % width].tolist()
    seen = pd.DataFrame({"affiliate": affiliate, "entity": entity, "count": _counts(known)})
    pairs = seen.groupby(["affiliate", "entity"], as_index=False).sum()
    ids = [str(one) for one in affiliates]
    return EntityTable(
        affiliate=pairs["affiliate"].to_numpy(dtype=np.int64),
        entity=pairs["entity"].to_numpy(dtype=np.int64),
        count=pairs["count"].to_numpy(dtype=np.float64),
        affiliates=ids,
        owner=_owners(ids, groups),
        kind=kind_of,
        name=name_of,
        masked=_masked(list(zip(kind_of, name_of, strict=True)), mask),
    )


def _check(edges: pd.DataFrame) -> None:
    missing = [name for name in REQUIRED if name not in edges.columns]
    if missing:
        found = ", ".join(map(str, edges.columns)) or "none"
        raise ValueError(f"Edges need the columns {', '.join(REQUIRED)}; missing: {', '.join(missing)}; found: {found}.")
    for name in ("affiliate_id", "kind"):
        empty = edges[name].isna() | (edges[name].astype(str).str.strip() == "")
        if empty.any():
            raise ValueError(f"Every edge needs its {name}; row {int(np.argmax(empty.to_numpy()))} has none.")


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


def _masked(entities: list[tuple[str, str]], mask: Mask | None) -> BoolArray:
    """Which entities (entities,) are shared egress. An identity is never masked by its bare name."""
    if mask is None:
        return np.zeros(len(entities), dtype=np.bool_)
    if isinstance(mask, str):
        raise ValueError("The mask must be a collection of entities, not one text.")  # noqa: TRY004 - one error for bad input
    if isinstance(mask, pd.DataFrame):
        if not {"kind", "entity"} <= set(mask.columns):
            raise ValueError("A mask given as a frame needs the columns kind and entity.")
        mask = list(zip(mask["kind"].astype(str), mask["entity"].astype(str), strict=True))
    known = {(one[0].lower(), one[1]) if isinstance(one, tuple) else str(one) for one in mask}
    hits = [key in known or (key[1] in known and key[0] not in IDENTITY_KINDS) for key in entities]
    return np.array(hits, dtype=np.bool_)
