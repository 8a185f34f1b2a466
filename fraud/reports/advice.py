"""What an affiliate may change, in plain words, by what its traffic points to: no detector, no threshold, nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ADVICE: Mapping[str, str] = {
    "click_flooding": "Send a click only when somebody has clicked; turn off pre-loading, refreshing and view-through links.",
    "click_injection": "Ask the apps and networks that you buy from to send a click only at the tap, and leave out those that do not.",
    "bot_traffic": "Find out where these visits come from, and stop buying from sources that cannot say.",
    "cookie_stuffing": "Remove hidden frames, images and redirects that open our link without a click.",
    "last_click_hijack": "Show our link where people decide, not in pop-ups, overlays or extensions at the checkout.",
    "lead_fraud": "Check how visitors reach the form and what they are promised, and pass on only people who want to be contacted.",
    "self_referral": "Orders of your own, your staff or your household earn no commission; order without your link.",
    "incentive_abuse": "Do not reward people for clicks, sign-ups or orders unless the program has agreed to it.",
    "sub_id_laundering": "Give every source a sub-ID of its own and keep it, and tell us what stands behind each.",
    "collusion_ring": "Tell us which other accounts belong to you or your company, so that they can be looked at together.",
    "referrer_laundering": "Link from the sites that you have declared, without redirects in between, or declare the others.",
    "click_replay": "Send each click once, when it happens.",
    "brand_bidding": "Pause paid search on the brand's name, and exclude the name and its misspellings from your campaigns.",
    "conversion_injection": "Report an order only when it has happened, through the tracking that we agreed on.",
    "ad_stacking": "Show one ad in one place, and count it only when it can be seen.",
    "duplicate_account": "Use one account; ask us if you need several.",
    "geo_mismatch": "Send visitors from the countries that the offer serves.",
}
"""One sentence for each typology of traffic."""

GENERAL = "Tell us where this traffic comes from, and what has changed lately: a campaign, a new source, a new site."


def advice_for(typologies: Iterable[str]) -> tuple[str, ...]:
    """What to change, in the order of the typologies; the general question when nothing is known to change."""
    return tuple(ADVICE[name] for name in typologies if name in ADVICE) or (GENERAL,)
