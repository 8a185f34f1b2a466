"""What a dossier shows besides its signals, from the facts that its decision kept."""

from __future__ import annotations

from datetime import UTC, date, datetime

from crawlers.backlinks.facts import BacklinkFacts
from crawlers.facts import BrowserVisit, SiteFacts
from crawlers.social.facts import DayCount, Post, ProfileFacts
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.context import Applicant, Resemblance, Surroundings, VettingFacts
from fraud.domain.graph_view import KnownMatch
from fraud.reports.surroundings import alike, audience_drawn, screenshots_of, sites_shown

NOW = datetime(2026, 3, 4, tzinfo=UTC)
APPLICANT = Applicant(application_id="app_1", program_id="default")


def facts(**known: object) -> VettingFacts:
    return VettingFacts(application=APPLICANT, as_of=NOW, **known)  # type: ignore[arg-type]  # the fields of a test


def test_nobody_looked_and_nothing_is_drawn() -> None:
    assert audience_drawn(facts()) == []
    assert alike(facts()) == []
    assert sites_shown(facts()) == []


def test_backlinks_are_drawn_with_what_they_rest_on() -> None:
    links = BacklinkFacts(
        source="ahrefs",
        referring_domains=40,
        anchors={"brand": 30, "commercial": 10},
        rated=(20, 10, 5, 3, 2, 0, 0, 0, 0, 0),
        languages={"en": 40},
    )
    drawn = audience_drawn(facts(audience=Audience(backlinks=links)))
    assert [one.title for one in drawn] == [
        "What links say",
        "How much linking domains count elsewhere (authority)",
        "Languages of linking pages",
    ]
    assert "75%" in drawn[0].chart
    assert drawn[0].rests_on == "40 linking domains, from ahrefs"


def test_an_export_that_could_not_be_read_is_not_drawn_as_empty() -> None:
    assert audience_drawn(facts(audience=Audience(backlinks=BacklinkFacts(failure="no column of domains")))) == []


def test_followers_and_reactions_are_drawn_only_as_far_as_they_are_known() -> None:
    grown = ProfileFacts(
        stated="x",
        platform="mastodon",
        handle="@ada",
        history=(DayCount(day=date(2026, 1, 1), followers=10), DayCount(day=date(2026, 1, 2), followers=400)),
        recent=(Post(at=NOW, likes=None, comments=None), Post(at=NOW, likes=3)),
    )
    (only,) = audience_drawn(facts(audience=Audience(profiles=(grown,))))
    assert only.title == "mastodon @ada: followers by day"
    assert "400" in only.chart


def test_hostile_names_are_text_in_charts() -> None:
    hostile = BacklinkFacts(referring_domains=1, anchors={"<script>": 1}, source="<b>")
    assert "<script>" not in str(audience_drawn(facts(audience=Audience(backlinks=hostile)))[0].chart)


def test_who_is_alike_comes_with_how_else_it_may_come_about() -> None:
    known = KnownMatch(
        other="aff-7",
        role="affiliate",
        tier="strong",
        shared={"phone": 1},
        standing="",
        text="The same phone number.",
        also_explained_by="A family.",
    )
    like = Surroundings(earlier=(Resemblance(application_id="app_0", domain="twin.example", similarity=0.9, shared=("UA-1",)),))
    found = alike(facts(known=(known,), surroundings={"https://a.example": like}))
    assert [(one.kind, one.name) for one in found] == [("affiliate", "aff-7"), ("applicant", "app_0")]
    assert found[1].text == "twin.example: the same 90% of the text and shared accounts (UA-1)."
    assert all(one.also_explained_by for one in found)


def test_only_pictures_that_the_facts_name_are_shown() -> None:
    seen = SiteFacts(requested_url="https://a.example", browser=BrowserVisit(screenshot="ab" * 32))
    assert screenshots_of(facts(sites=(seen, SiteFacts(requested_url="https://b.example")))) == {"ab" * 32}
    assert [one.screenshot for one in sites_shown(facts(sites=(seen,)))] == ["ab" * 32]
