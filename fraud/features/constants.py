"""The figures that features are defined by, each with its source; thresholds of checks live in the policy."""

from __future__ import annotations

DUPLICATE_WITHIN_S = 20
"""Oentaryo et al. 2014 (FDMA): a click is repeated within 20 s."""

SPIKE_CLICKS = 3
"""Clicks of one address, user agent and offer in a minute that make it a spike (FDMA 2012's one-minute bins)."""

STACKED_OFFERS = 3
"""Offers that one device clicks in one second: nobody does that by hand (detection C25)."""

PACE_CLICKS = 6
"""Mean clicks of the stretches whose neighbours are compared: enough to tell even from chance, few enough to see a slow timer."""

CLICK_ID_RATIO = 0.5
"""Sub-IDs per click from which they are taken for click ids (detection C22: about one click each)."""

OVERWRITE_S = 300
"""How long before an order a click must come to have overwritten somebody's (detection C16: W = 300 s)."""

OVERWRITTEN_HOURS = 24
"""How long before that the other affiliate's click may lie."""

SHORT_FORM_MS = 3000
"""Nobody fills in a form in three seconds (detection C18, vendor heuristic)."""

PAID_PARAMETERS = "gclid|gad_source|gbraid|wbraid|msclkid|fbclid|ttclid|twclid|li_fat_id|rdclid"
"""Parameters that ad platforms add to the landing page's address (detection C24; their documentation), for a regular expression."""

SAME_MINUTE_CONVERSIONS = 3
"""Conversions of one affiliate in a minute (detection C18, vendor heuristic)."""

SHORT_DWELL_MS = 2000
"""Snyder and Kanich: a forced visit is over within two seconds."""

FAST_SECONDS = (10, 30)
"""Where an offer's own floor of the time to convert may lie (detection C15: 10 s for a lead, 30 s for a purchase, learned per offer)."""

FAST_SIGMAS = 2.58
"""The floor is the lowest half percent of a log-normal law with the offer's robust centre and spread."""

PACE_CONVERSIONS, PACE_AFFILIATES = 5, 3
"""An offer's pace is told from at least so many affiliates with at least so many timed conversions each; else the program's own serves."""

MAD_TO_SD = 1.4826
"""Median absolute deviation of a normal sample to its standard deviation."""

RATE_PRIOR_CLICKS = 100
"""Clicks at the program's rate that steady the rate of an offer seen little: about two conversions at a usual 2%."""

KIND_PRIOR_CLICKS = 500
"""Clicks at the offer's rate that steady the rate of one kind of affiliate on it: about ten conversions."""

CLICKS_OF_ONE, MEDIANS_OF_ONE = 300, 2
"""An affiliate speaks for the rate of an offer with at most so many clicks, or so many times the median affiliate's, whichever is more:
one coupon day of a large affiliate made ten ordinary ones look as if they hardly converted."""

DEFAULT_LOOKBACK_HOURS = 720
"""How long before a conversion its click may lie when neither the offer nor the program's own delays say: thirty days."""

VERSION = 3
"""Raised when the kernels would count the same clicks differently; it is part of the hash of the feature set."""

VISIT_WITHIN_S = 3600
"""How long after a click a report of the landing page belongs to it: who opens the link again later is another visit."""

VISIT_CLOCKS_S = 60
"""By how much the clocks of the tracker and of the service may differ: both keep time by NTP, which holds them within a second."""

VISIT_ROUNDING_MS = 250
"""By how much times of one page may disagree: browsers that guard privacy round them to 100 ms (Firefox' resistFingerprinting)."""

SMALLEST_SIDE_PX = 10
"""No person reads a page less high or wide: stuffed cookies come from frames of one pixel (Snyder and Kanich)."""

BEYOND_SCREEN = 5
"""How many times the screen a viewport cannot be: browsers zoom out to 25%, and phones lay old pages out 980 pixels wide."""

TAGGED_AFFILIATES = 3
"""Other affiliates with reports from an offer's landing pages, from which these are taken to carry the tag."""

EARNING_DEVICES = 50
"""Devices from which an affiliate's earnings are compared (C26)."""

ENVELOPE_SHARE, ENVELOPE_AFFILIATES = 0.95, 20
"""The share of affiliates that stay below the envelope of honest earnings (ViceROI), and the fewest that make one: a 95% point of fewer is
their largest."""
