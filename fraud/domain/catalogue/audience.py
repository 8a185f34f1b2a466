"""Checks of an applicant's audience: who links to the sites, the profiles, what others say, and whether the identity holds together."""

from __future__ import annotations

from fraud.domain.catalogue.spec import CheckSpec, Parameter
from fraud.domain.decisions import DecisionKind
from fraud.domain.signals import Family, Tier

AUDIENCE_CHECKS: tuple[CheckSpec, ...] = (
    CheckSpec(
        check_id="audience.backlinks",
        kind=DecisionKind.VET,
        title="Linked to by readers and peers",
        looks_for="Several at once of: one link text on many sites, many sites on few networks, the same titles on different owners' pages, links in return, a week with very many new sites, sites of authority without visits, sites numbered after one name, pages crowded with links. That the linking pages suit the program never speaks for them.",
        also_explained_by="A post that went viral (one title and one week), a local business listed by its neighbours, a plugin or theme with the author's link, and an attack by others with bad links, which costs the owner nothing to report.",
        public_text="We could not confirm that the links to the website come from independent sites.",
        source="Section 6.1",
        family=Family.GRAPH,
        tier=Tier.ASSOCIATIVE,
        reason_code="graph.link_network",
        typologies=("link_farm",),
        parameters=(
            Parameter(name="minimum_domains", meaning="Referring domains from which shares mean anything", unit="domains"),
            Parameter(name="minimum_known", meaning="Signs that the export must show", unit="signs"),
            Parameter(name="minimum_signs", meaning="Signs that must come together", unit="signs"),
            Parameter(name="confident_domains", meaning="Referring domains from which a finding may be grave", unit="domains"),
            Parameter(name="confident_known", meaning="Signs that must be measurable for a grave finding", unit="signs"),
            Parameter(name="brand_share", meaning="Share of brand and address anchors from which a finding is never grave", unit="share"),
            Parameter(
                name="maximum_phrase_share", meaning="Share of domains with one text that is neither brand nor address", unit="share"
            ),
            Parameter(name="headline_words", meaning="Words from which a link text is the linked page's title and no keyword", unit="words"),
            Parameter(name="minimum_network_share", meaning="Distinct networks per domain, shared platforms left out", unit="share"),
            Parameter(name="minimum_cluster", meaning="Other owners whose pages have the same title", unit="owners"),
            Parameter(name="minimum_title_share", meaning="Share of domains whose title others have as well", unit="share"),
            Parameter(name="maximum_reciprocal_share", meaning="Share of domains that the site links back to", unit="share"),
            Parameter(name="maximum_peak_z", meaning="How far the strongest week stands out", unit="robust z"),
            Parameter(name="minimum_authority", meaning="Authority from which a site ought to have visits", unit="0 to 100"),
            Parameter(name="maximum_idle_share", meaning="Share of such sites without any", unit="share"),
            Parameter(name="minimum_named", meaning="Sites numbered after one name", unit="sites"),
            Parameter(name="minimum_name_share", meaning="Share of all domains that they are", unit="share"),
            Parameter(name="maximum_outbound", meaning="Links that leave the typical linking page", unit="links"),
        ),
        needed="Who placed these links, and a fresh export with the sites' addresses.",
    ),
)
