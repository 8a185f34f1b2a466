"""What the figures of pages and reports mean, in one place: every label of a figure has its entry, and a page shows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """One figure: the labels it goes by, and what it is, with its unit and what it is not."""

    key: str
    title: str
    text: str
    labels: tuple[str, ...] = ()


DEFINITIONS = (
    Definition(
        "risk",
        "Risk",
        "From 0 to 1, higher is riskier. It orders the queue: all evidence of the night fused, weighed by the policy. It is no probability "
        "of fraud, and no verdict.",
        ("Risk",),
    ),
    Definition(
        "at-risk",
        "Commission at risk",
        "Pending commission that may be invalid: the central estimate, with a cautious and a high one where it is shown alone. Unknown "
        "where conversions carry no commission or come in several currencies; unknown is never zero.",
        ("At risk", "Commission at risk"),
    ),
    Definition(
        "held",
        "Commission held",
        "Pending commission at risk of the affiliates whose outcome is hold or suspend. It waits for a person; nothing is lost meanwhile.",
        ("Commission held",),
    ),
    Definition(
        "commission",
        "Commission",
        "What the affiliate's conversions of the night's window would pay, rejected and refunded ones left out. In a comparison of "
        "policies: the pending commission behind the decisions that change.",
        ("Commission",),
    ),
    Definition(
        "average-precision",
        "Average precision",
        "How well a ranker orders reviewed affiliates it had not seen, from 0 to 1: near 1, those that people confirmed stand in front. "
        "Beside it stands the same figure of the evidence alone; the ranker is worth its place where it is the higher of the two.",
        ("Average precision", "Of the evidence alone"),
    ),
    Definition(
        "loss-of-an-outcome",
        "What an outcome saves, costs and loses",
        "Saves: the share of a bad affiliate's pending commission that it keeps from being paid. Costs: a person's time, in the program's "
        "currency. Loses: the share of an honest affiliate's pending commission that is lost by the trouble it gives.",
        ("Saves", "Costs", "Loses of honest commission"),
    ),
    Definition(
        "labels",
        "Labels",
        "Affiliates that people reviewed, or that came in as labels, and that the model learnt from.",
        ("Labels",),
    ),
    Definition(
        "feature-drift",
        "Drift of a feature",
        "How far the affiliates' residuals of one feature lie from those the baseline was learnt from (population stability index): 0 is "
        "the same. Beside it, by how many robust standard deviations the middle affiliate moved.",
        ("Drift", "Median moved by"),
    ),
    Definition(
        "score-drift",
        "Drift of click scores",
        "How far the scores of the newest 1,000 clicks have moved from the 10,000 before (population stability index): 0 is the same, "
        "above 0.25 is usually called a shift. A campaign or a new offer moves it as well as fraud does. Unknown with fewer than 2,000 "
        "scored clicks.",
        ("Drift of click scores",),
    ),
    Definition("clicks", "Clicks", "Clicks in the scan's window by event time, each click id counted once.", ("Clicks",)),
    Definition(
        "conversions",
        "Conversions",
        "Conversions in the scan's window, each in its newest known version.",
        ("Conversions", "Conv."),
    ),
    Definition(
        "affiliates",
        "Affiliates",
        "Active affiliates: those with at least one click or conversion in the window. Alerted ones are those that a person is asked to "
        "look at.",
        ("Affiliates", "Affiliates alerted"),
    ),
    Definition("place", "Place", "Where the affiliate stands among all active ones of that night, the riskiest first.", ("Place", "#")),
    Definition(
        "cap",
        "Recommended cap",
        "Conversions a day that the affiliate may be paid for without being asked, from its own settled past; a recommendation alone.",
        ("Recommended cap",),
    ),
    Definition(
        "coverage",
        "Could be checked",
        "The share of the checks that apply which ended in a finding or in order, weighted as the policy says. Below the policy's minimum "
        "nothing is approved without a person.",
        ("Could be checked", "Checked"),
    ),
    Definition(
        "findings", "Findings", "Checks that found something, however mild. What could not be checked is not among them.", ("Findings",)
    ),
    Definition("signals", "Signals", "What every check said: findings, what is in order, and what could not be told.", ("Signals",)),
    Definition("as-of", "As of", "The moment that the dossier or the night speaks of; what came later is not in it.", ("As of",)),
    Definition("alerts", "Open alerts", "Alerts that wait for a person: neither decided, snoozed nor suppressed.", ("Open alerts",)),
    Definition(
        "waiting",
        "Applications waiting",
        "Applicants whose dossier does not approve them and whom nobody has decided yet.",
        ("Applications waiting",),
    ),
    Definition("seen", "Seen", "In how many nights the same subject gave cause for the alert; one night counts once.", ("Seen",)),
    Definition(
        "rings",
        "Rings",
        "Groups of affiliates that share what strangers do not share and have declared no common owner.",
        ("Rings",),
    ),
    Definition(
        "owners",
        "Owners",
        "How many affiliates were seen with this thing. The more there are, the less it says about any two of them.",
        ("Owners",),
    ),
    Definition(
        "weight",
        "Weight",
        "How much a finding of severity high moves the decision, in log-odds; a clear result moves it the other way by its own weight.",
        ("Weight", "Weight of a finding", "Weight of a clear result"),
    ),
    Definition("enabled", "Switched on", "Whether the live pack lets the check decide.", ("Switched on",)),
    Definition(
        "thresholds",
        "Thresholds",
        "Values that a check compares with; each has its reason and its source in the pack.",
        ("Thresholds", "Value", "Live", "Proposed"),
    ),
    Definition(
        "precision",
        "Right",
        "Of the reviewed alerts that rested on the reason, the share that people confirmed, unclear ones left out, with Jeffreys' 90% "
        "interval. The newest review of an alert counts.",
        ("Right", "Confirmed", "Dismissed", "Unclear"),
    ),
    Definition(
        "decisions",
        "Decisions",
        "Stored decisions of the last 30 days that would come out otherwise under the other pack, and how many subjects they are about.",
        ("Decisions", "Subjects"),
    ),
    Definition(
        "delay",
        "After its click",
        "The time from the click that the conversion names to the conversion. Without a known click in the window it is unknown.",
        ("After its click",),
    ),
    Definition("amount", "Amount", "What the customer paid, as the shop reported it.", ("Amount",)),
    Definition("attempts", "Attempts", "How often the delivery was tried before it was given up.", ("Attempts",)),
    Definition(
        "times",
        "Times",
        "When a case was opened, until when somebody holds it or the affiliate may answer, when a snooze ends, and when a feed was last "
        "pulled to its end or is due again.",
        ("Since", "Until", "Comes back", "Last pulled", "Due"),
    ),
    Definition(
        "peers",
        "Beside its peers",
        "Each figure of the affiliate on the spread of its peers of the same kind and size: line from 5 to 95%, box for the middle half, "
        "tick for the median. How far out it lies is given in robust deviations, shrunk where it rests on little.",
        ("Beside its peers",),
    ),
)
"""Every figure, in the order of the page that explains them."""

_BY_LABEL: Mapping[str, str] = {label: one.key for one in DEFINITIONS for label in one.labels}


def key_of(label: str) -> str:
    """The entry that explains a label; a `KeyError` for a label without one."""
    return _BY_LABEL[label]
