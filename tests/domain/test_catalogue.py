"""The catalogue is the product's text: every check says what it looks for, when it is wrong, and what the affiliate is told."""

from __future__ import annotations

import re

import pytest

from fraud.domain.catalogue import CHECKS, CheckSpec
from fraud.domain.signals import Tier

TYPOLOGIES = set(
    """
    click_flooding click_injection bot_traffic cookie_stuffing last_click_hijack lead_fraud self_referral incentive_abuse
    sub_id_laundering collusion_ring referrer_laundering click_replay brand_bidding conversion_injection ad_stacking
    duplicate_account geo_mismatch parked_site thin_content copied_content cloaking forced_click typosquat
    prohibited_content link_farm fake_audience fake_reviews site_network malware
    """.split()
)


@pytest.mark.parametrize("spec", CHECKS.values(), ids=lambda spec: spec.check_id)
def test_every_check_speaks_for_itself(spec: CheckSpec) -> None:
    assert len(spec.looks_for) > 30
    assert len(spec.also_explained_by) > 20
    assert spec.source
    assert spec.public_text.endswith(".")
    assert set(spec.typologies) <= TYPOLOGIES
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", spec.reason_code)
    assert len({parameter.name for parameter in spec.parameters}) == len(spec.parameters)


@pytest.mark.parametrize("spec", CHECKS.values(), ids=lambda spec: spec.check_id)
def test_the_affiliate_is_told_no_detector_no_figure_and_nobody_else(spec: CheckSpec) -> None:
    assert not re.search(r"\d|forest|score|peer|threshold|other affiliate|fraud", spec.public_text, re.IGNORECASE)


def test_check_ids_are_unique_and_reason_codes_name_one_check() -> None:
    codes = [spec.reason_code for spec in CHECKS.values()]
    assert len(set(codes)) == len(codes)


def test_only_what_needs_no_second_opinion_is_conclusive() -> None:
    conclusive = {spec.check_id for spec in CHECKS.values() if spec.tier is Tier.CONCLUSIVE}
    assert conclusive == {
        "website.parked",
        "website.hidden_tracking",
        "website.malware",
        "traffic.self_referral",
        "click.declared_bot",
        "click.affiliate_suspended",
        "conversion.affiliate_suspended",
        "conversion.self_referral",
    }
