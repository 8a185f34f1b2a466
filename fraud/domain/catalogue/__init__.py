"""The catalogue of checks: each one's name, texts and parameters, in one place that policy, checks, pages and documents all read."""

from __future__ import annotations

from collections.abc import Mapping

from fraud.domain.catalogue.applicants import APPLICANT_CHECKS
from fraud.domain.catalogue.clicks import CLICK_CHECKS
from fraud.domain.catalogue.conversions import CONVERSION_CHECKS as _CONVERSION_CHECKS
from fraud.domain.catalogue.spec import CheckSpec, Limits, Observation, Parameter
from fraud.domain.catalogue.tag import TAG_CONVERSION_CHECKS, TAG_TRAFFIC_CHECKS
from fraud.domain.catalogue.traffic import TRAFFIC_CHECKS as _TRAFFIC_CHECKS

TRAFFIC_CHECKS: tuple[CheckSpec, ...] = (*_TRAFFIC_CHECKS, *TAG_TRAFFIC_CHECKS)
CONVERSION_CHECKS: tuple[CheckSpec, ...] = (*_CONVERSION_CHECKS, *TAG_CONVERSION_CHECKS)

CHECKS: Mapping[str, CheckSpec] = {spec.check_id: spec for spec in (*APPLICANT_CHECKS, *TRAFFIC_CHECKS, *CLICK_CHECKS, *CONVERSION_CHECKS)}
"""Every check there is, by id."""

__all__ = [
    "APPLICANT_CHECKS",
    "CHECKS",
    "CLICK_CHECKS",
    "CONVERSION_CHECKS",
    "TRAFFIC_CHECKS",
    "CheckSpec",
    "Limits",
    "Observation",
    "Parameter",
]
