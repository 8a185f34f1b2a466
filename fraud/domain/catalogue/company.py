"""Checks of the company that affiliates keep: identities, audiences and clicks that they have in common."""

from __future__ import annotations

from fraud.domain.catalogue.parameters import GRAPH_EVIDENCE
from fraud.domain.catalogue.spec import CheckSpec, Parameter
from fraud.domain.decisions import DecisionKind
from fraud.domain.signals import Family, Tier

COMPANY_CHECKS: tuple[CheckSpec, ...] = (
    CheckSpec(
        check_id="traffic.shared_identity",
        kind=DecisionKind.SCAN,
        title="One person, one account",
        looks_for="Other affiliates with the same payout account, tax number, phone or device, without a declared common owner.",
        also_explained_by="Agencies and families: a declared group is known and not accused.",
        public_text="The account shares its details with another account.",
        source="Section 5; Dub's duplicate account rule",
        family=Family.GRAPH,
        tier=Tier.ASSOCIATIVE,
        reason_code="graph.shared_identity",
        typologies=("collusion_ring", "duplicate_account"),
        parameters=(Parameter(name="minimum_score", meaning="Score of the ring", unit="score 0 to 1"),),
    ),
    CheckSpec(
        check_id="traffic.dense_block",
        kind=DecisionKind.SCAN,
        title="Not all with the same visitors",
        looks_for="A group of accounts that were all seen with the same many devices, addresses or customers, whatever else they mix in (FRAUDAR).",
        also_explained_by="A campaign that several partners share, or one audience in a small niche.",
        public_text="The traffic overlaps with that of other accounts.",
        source="Section 5; Hooi et al. 2016",
        family=Family.GRAPH,
        tier=Tier.ASSOCIATIVE,
        reason_code="graph.dense_block",
        typologies=("collusion_ring",),
        parameters=(GRAPH_EVIDENCE,),
    ),
    CheckSpec(
        check_id="traffic.lockstep",
        kind=DecisionKind.SCAN,
        title="Accounts on their own time",
        looks_for="The same devices or customers come through several accounts in the same hours, far more often than audiences meet.",
        also_explained_by="Sites that link to each other, or one reader who opens several in one go.",
        public_text="Visitors arrive through several accounts at the same times.",
        source="C29; CopyCatch, SynchroTrap",
        family=Family.GRAPH,
        tier=Tier.ASSOCIATIVE,
        reason_code="graph.lockstep",
        typologies=("collusion_ring",),
        parameters=(GRAPH_EVIDENCE,),
    ),
    CheckSpec(
        check_id="traffic.bad_neighbours",
        kind=DecisionKind.SCAN,
        title="Company it keeps",
        looks_for="Links to accounts that reviewers confirmed bad, one or two away, weighed against links to confirmed good ones (personalised PageRank).",
        also_explained_by="Being linked to somebody proves nothing: the link is the reason to look, and its own evidence decides.",
        public_text="The account is connected with another account under review.",
        source="Section 5; Dave et al. 2012",
        family=Family.GRAPH,
        tier=Tier.CIRCUMSTANTIAL,
        reason_code="graph.bad_neighbours",
        typologies=("collusion_ring",),
        parameters=(GRAPH_EVIDENCE,),
    ),
    CheckSpec(
        check_id="traffic.click_replay",
        kind=DecisionKind.SCAN,
        title="Clicks that are new",
        looks_for="Clicks that were seen before: the same devices at the same moments of other days, or the same gaps between clicks, here or at another account.",
        also_explained_by="A scheduled job of the merchant’s own, or two trackers that log one and the same click.",
        public_text="The clicks repeat a pattern that was seen before.",
        source="C27; Clicktok",
        family=Family.GRAPH,
        tier=Tier.ASSOCIATIVE,
        reason_code="graph.click_replay",
        typologies=("click_replay",),
        parameters=(GRAPH_EVIDENCE,),
    ),
)
