"""Re-screening: what changed since last time is the news, and what stayed is none."""

from __future__ import annotations

from crawlers.facts import Embed, SiteFacts
from fraud.checks.running import run_applicant_checks
from fraud.decisions.deciding import decide_application
from fraud.domain.decisions import Outcome
from fraud.domain.dossiers import Dossier
from fraud.domain.signals import Severity
from fraud.workflows.rescreening import news
from tests.checks.applicants.samples import NOW, PACK, facts, page, site, unreachable

STUFFED = site(page(embeds=(Embed(tag="iframe", url="https://go.acmeoutdoor.com/c/1", hidden=True),)), page("lake"), page("ridge"))


def dossier(seen: SiteFacts) -> Dossier:
    signals = run_applicant_checks(PACK, facts(seen))
    verdict = decide_application(PACK, signals)
    return Dossier(
        application_id="app-1", program_id="default", decision_id="dec", as_of=NOW, outcome=verdict.outcome, score=verdict.score,
        coverage=verdict.coverage, typologies=verdict.typologies, signals=signals, public_reason="", needed=(), policy=PACK.artefact,
        models=(), facts={},
    )  # fmt: skip


def test_a_site_that_stayed_as_it_was_is_no_news() -> None:
    told = news(dossier(site()), dossier(site()))
    assert not told.is_news
    assert told.appeared == ()


def test_a_new_finding_is_the_news() -> None:
    told = news(dossier(site()), dossier(STUFFED))
    (appeared,) = told.appeared
    assert (appeared.check_id, appeared.severity) == ("website.hidden_tracking", Severity.CRITICAL)
    assert (told.outcome_before, told.outcome) == (Outcome.APPROVE, Outcome.REVIEW)
    assert "website.hidden_tracking (critical)" in told.sentence


def test_a_finding_that_went_away_is_told() -> None:
    told = news(dossier(STUFFED), dossier(site()))
    assert told.gone == ("website.hidden_tracking",)
    assert told.is_news  # the outcome is another


def test_a_site_that_no_longer_answers_is_news_and_no_finding() -> None:
    told = news(dossier(site()), dossier(unreachable()))
    assert "website.parked" in told.unanswered
    assert told.appeared == ()
