from __future__ import annotations

import base64

import msgspec
import pytest

from fraud.domain.decisions import Outcome
from fraud.domain.signals import Evidence, Status
from fraud.reports.dossier import dossier_report, dossier_view, why
from tests.reports import samples
from tests.reports.markup import assert_inert, read


def test_outcome_and_why_come_first_in_words() -> None:
    text = read(dossier_report(samples.dossier(), samples.application())).text
    first = text.index("Needs review The signals are worth a person’s look.")
    assert first < text.index("frame of one pixel, without a click") < text.index("What would settle it")
    assert "7 of the 9 checks that apply could answer: 78% of their weight in the policy." in text


def test_signals_stand_under_the_question_they_answer_findings_first() -> None:
    groups = {group.question: group for group in dossier_view(samples.dossier(), None).groups}
    terms = [one.check_id for one in groups["Does it fit our terms?"].signals]
    assert terms == ["website.hidden_tracking", "website.disclosure", "website.topic"]
    assert groups["Does it fit our terms?"].answer == "2 findings"
    assert groups["Is it theirs?"].answer == "Nothing found, not all checked"
    assert groups["Who are they?"].answer == "Nothing found"


def test_a_question_nobody_could_answer_is_not_known_rather_than_clear() -> None:
    silent = msgspec.structs.replace(samples.dossier(), signals=())
    assert {group.answer for group in dossier_view(silent, None).groups} == {"Not known yet"}


def test_evidence_can_be_looked_at_again() -> None:
    text = read(dossier_report(samples.dossier(), samples.application())).text
    assert '<iframe src="https://go.greengarden.example/t?a=77" width="1" height="1">' in text
    assert "https://balkongliv.example/tips 4 Mar 2026, 00:00 UTC sha256 9c9c9c9c9c9c" in text


def test_what_was_not_checked_is_said_and_a_failed_check_is_not_clear() -> None:
    text = read(dossier_report(samples.dossier(), samples.application())).text
    unchecked = text[text.index("What was not checked") :]
    assert "Social profiles: The profile’s host did not answer within 10 s." in unchecked
    assert "The page limit was reached" in unchecked
    assert "1 check that does not apply" in unchecked
    assert "Check failed" in text


def test_a_clean_applicant_reads_as_one() -> None:
    text = read(dossier_report(samples.clean_dossier(), None)).text
    assert "app_0002 Approve Nothing we found speaks against letting this applicant in." in text
    assert "Every check that applies could answer." in text
    assert "What would settle it" not in text


@pytest.mark.parametrize("outcome", [Outcome.REQUEST_INFO, Outcome.REVIEW])
def test_an_outcome_without_findings_still_has_a_why(outcome: Outcome) -> None:
    signals = tuple(one for one in samples.vetting_signals() if one.status is not Status.FINDING)
    said = why(msgspec.structs.replace(samples.dossier(outcome), signals=signals))
    assert "None of the checks that could answer found anything." in said


def test_payout_tax_and_sign_up_address_are_never_shown() -> None:
    html = dossier_report(samples.dossier(), samples.application())
    application = samples.application()
    for secret in (application.payout_account, application.tax_id, application.signup_ip):
        assert secret not in html
    assert "Visits a month 40,000" in read(html).text


def test_a_hashed_address_is_not_shown_as_mail() -> None:
    hashed = msgspec.structs.replace(samples.application(), email="ab" * 16)
    assert "ab" * 16 not in dossier_report(samples.dossier(), hashed)


def test_the_applicants_addresses_are_text_and_never_links() -> None:
    page = read(dossier_report(samples.dossier(), samples.application()))
    assert_inert(page)
    assert all(href.startswith("#") for href in page.hrefs())


def test_hostile_content_is_only_text() -> None:
    evil = Evidence(url="javascript:alert(1)", excerpt=samples.HOSTILE, detail={samples.HOSTILE: [samples.HOSTILE]})
    signals = tuple(msgspec.structs.replace(one, text=samples.HOSTILE, evidence=(evil,)) for one in samples.vetting_signals())
    dossier = msgspec.structs.replace(
        samples.dossier(),
        signals=signals,
        public_reason=samples.HOSTILE,
        needed=(samples.HOSTILE,),
        facts={"</pre><script>": samples.HOSTILE},
    )
    applicant = msgspec.structs.replace(samples.application(), name=samples.LONG + samples.HOSTILE, description=samples.RIGHT_TO_LEFT)
    page = read(dossier_report(dossier, applicant))
    assert_inert(page)
    assert samples.HOSTILE in page.text
    assert "\u202e" not in page.text


def test_an_outcome_says_who_decides() -> None:
    assert "They are not a verdict." in why(samples.dossier())[0]


def test_a_screenshot_stands_in_the_document_itself() -> None:
    png = b"\x89PNG\r\n\x1a\nnot really"
    html = dossier_report(samples.dossier(), samples.application(), [png])
    assert f"data:image/png;base64,{base64.b64encode(png).decode()}" in html
    assert "img-src data:;" in html
    assert "<img" not in dossier_report(samples.dossier(), samples.application())
