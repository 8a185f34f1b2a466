"""Clicks, conversions and visits of landing pages as one row each, for the code that meets them one at a time.

Tables of them live in `fraud.events`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from fraud.domain.actors import DEFAULT_PROGRAM


class Click(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One click, with the columns of CONTRACT 1. `None` is unknown."""

    click_id: str
    clicked_at: datetime
    affiliate_id: str
    program_id: str = DEFAULT_PROGRAM
    offer_id: str | None = None
    sub_id: str | None = None
    sub2: str | None = None
    sub3: str | None = None
    sub4: str | None = None
    sub5: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    country: str | None = None
    language: str | None = None
    referrer: str | None = None
    landing_url: str | None = None
    dwell_ms: int | None = None
    js_executed: bool | None = None
    viewport: str | None = None


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion, with the columns of CONTRACT 1. Personal values are keyed hashes by the time they stand here."""

    conversion_id: str
    converted_at: datetime
    affiliate_id: str
    program_id: str = DEFAULT_PROGRAM
    click_id: str | None = None
    offer_id: str | None = None
    sub_id: str | None = None
    goal: str | None = None
    order_id: str | None = None
    customer_id: str | None = None
    customer_email: str | None = None
    customer_email_domain: str | None = None
    customer_email_kind: str | None = None
    customer_phone: str | None = None
    new_customer: bool | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    country: str | None = None
    form_ms: int | None = None
    amount: Decimal | None = None
    commission: Decimal | None = None
    currency: str | None = None
    coupon_code: str | None = None
    status: str | None = None
    status_changed_at: datetime | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What the tag on a landing page reported of one visit, with the columns of the table `visits`. `None` is unknown.

    It comes from the visitor's browser, which may say what it likes: evidence, never proof. Times are in milliseconds since the page was
    asked for, sizes in CSS pixels.
    """

    visit_id: str
    seen_at: datetime
    click_id: str
    program_id: str = DEFAULT_PROGRAM
    final: bool | None = None
    webdriver: bool | None = None
    framed: bool | None = None
    viewport_width: int | None = None
    viewport_height: int | None = None
    screen_width: int | None = None
    screen_height: int | None = None
    elapsed_ms: int | None = None
    visible_ms: int | None = None
    response_ms: int | None = None
    interactive_ms: int | None = None
    first_input_ms: int | None = None
    pointer_moves: int | None = None
    other_inputs: int | None = None
