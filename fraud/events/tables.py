"""The tables of CONTRACT 1, for whoever reads or writes events; defined in `fraud.domain.tables`, where storage sees them too."""

from __future__ import annotations

from fraud.domain.tables import (
    AFFILIATES,
    CALENDAR,
    CLICKS,
    CONVERSIONS,
    LABELS,
    OFFERS,
    SQL_TYPES,
    TABLES,
    VISITS,
    Column,
    Table,
    Type,
)

__all__ = [
    "AFFILIATES",
    "CALENDAR",
    "CLICKS",
    "CONVERSIONS",
    "LABELS",
    "OFFERS",
    "SQL_TYPES",
    "TABLES",
    "VISITS",
    "Column",
    "Table",
    "Type",
]
