"""Scoring as it is wired: which model serves, counters that know the lake, scorers by program."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fraud.app.offline import score_file
from fraud.app.parts import App
from fraud.app.scoring import Scorers, fit_click_model_on, newest_click_model
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.events import Click, Conversion
from fraud.domain.programs import ProgramProfile
from fraud.errors import InputError, ModelError, NotFound
from tests.app.conftest import Scanned
from tests.app.products import ingest_one, quiet
from tests.conftest import MORNING

CLICK = Click(click_id="c-1", clicked_at=MORNING, affiliate_id="a-1", ip="73.1.2.3", user_agent="Mozilla/5.0")


def wait_for_looks() -> None:
    for thread in threading.enumerate():
        if thread.name == "scorer":
            thread.join(30)


def test_too_few_clicks_fit_no_model(app: App, tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text("click_id,clicked_at,affiliate_id\nc1,2026-03-01T10:00:00Z,a\n")
    ingest_one(app, "clicks", file)
    assert fit_click_model_on(app, app.lake, DEFAULT_PROGRAM, MORNING) is None
    assert newest_click_model(app, DEFAULT_PROGRAM) is None


def test_scoring_goes_on_without_a_model_and_says_so(app: App) -> None:
    kept: list[Decision] = []
    scorer = Scorers(app, kept.append).of(DEFAULT_PROGRAM)
    answer = scorer.score(CLICK).answer
    assert (answer.degraded, answer.models) == (True, ())
    assert [decision.decision_id for decision in kept] == [answer.decision_id]


def test_a_new_model_serves_once_it_is_looked_for(app: App, scanned: Scanned, clock: FixedClock) -> None:
    scorers = Scorers(app, lambda decision: None)
    assert scorers.of(DEFAULT_PROGRAM).model is None
    lake = scanned.app.lake
    fitted = fit_click_model_on(app, lake, DEFAULT_PROGRAM, MORNING)
    assert scorers.of(DEFAULT_PROGRAM).model is None, "the registry is not asked at every click"
    clock.move_to(clock.now() + timedelta(minutes=2))
    assert scorers.of(DEFAULT_PROGRAM).model is None, "nobody waits while it is looked for"
    wait_for_looks()
    served = scorers.of(DEFAULT_PROGRAM).model
    assert served is not None
    assert served.artefact == fitted
    assert scorers.gauges().items() >= {"scored_programs": 1.0, "scored_programs_with_model": 1.0}.items()


def test_what_one_scorer_answered_the_next_does_not_answer_anew(app: App, scanned: Scanned, clock: FixedClock) -> None:
    on_their_way: list[Decision] = []
    scorers = Scorers(app, on_their_way.append)
    conversion = Conversion(conversion_id="v-1", converted_at=MORNING, affiliate_id="a-1")
    first, converted = scorers.of(DEFAULT_PROGRAM).score(CLICK).answer, scorers.conversions_of(DEFAULT_PROGRAM).score(conversion).answer
    before = scorers.of(DEFAULT_PROGRAM)
    fit_click_model_on(app, scanned.app.lake, DEFAULT_PROGRAM, MORNING)
    clock.move_to(clock.now() + timedelta(minutes=2))
    scorers.of(DEFAULT_PROGRAM)
    wait_for_looks()
    assert scorers.of(DEFAULT_PROGRAM) is not before
    assert scorers.of(DEFAULT_PROGRAM).score(CLICK).answer == first
    assert scorers.conversions_of(DEFAULT_PROGRAM).score(conversion).answer == converted
    assert len(on_their_way) == 2, "though neither is in the database yet"


def test_the_clicks_of_many_conversions_are_looked_up_at_once_wherever_they_are(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text("click_id,clicked_at,affiliate_id\n" + "".join(f"lake-{n},2026-03-01T09:00:00Z,a-1\n" for n in range(20)))
    ingest_one(app, "clicks", file)
    earlier = Scorers(app, lambda decision: app.stores.decisions.add([decision]))
    earlier.of(DEFAULT_PROGRAM).score(msgspec.structs.replace(CLICK, click_id="decided"))
    earlier.close()
    scorers = Scorers(app, lambda decision: None)
    scorers.of(DEFAULT_PROGRAM).score(CLICK)
    connect, looks = app.lake.connect, list[str]()

    def counted(program_id: str) -> AbstractContextManager[Any]:
        looks.append(program_id)
        return connect(program_id)

    monkeypatch.setattr(app.lake, "connect", counted)
    clicks = ["c-1", "decided", *(f"lake-{n}" for n in range(20)), "nowhere", None, "lake-3"]
    conversions = [
        Conversion(conversion_id=f"v{place}", converted_at=MORNING, affiliate_id="a-1", click_id=name) for place, name in enumerate(clicks)
    ]
    given = scorers.conversions_of(DEFAULT_PROGRAM).score_many(conversions)
    assert [one.answer.click_found for one in given] == [name not in {"nowhere", None} for name in clicks]
    assert len(looks) == 1
    again = scorers.conversions_of(DEFAULT_PROGRAM).score_many(conversions)
    assert [one.answer for one in again] == [one.answer for one in given]
    assert len(looks) == 1, "what was answered is not looked up again"


def test_only_programs_there_are_have_a_scorer(app: App) -> None:
    scorers = Scorers(app, lambda decision: None)
    with pytest.raises(NotFound, match="no program 'shoes'"):
        scorers.of("shoes")
    app.stores.programs.save(ProgramProfile(name="Shoes", program_id="shoes"))
    click = msgspec.structs.replace(CLICK, program_id="shoes")
    assert scorers.of("shoes").score(click).answer.click_id == "c-1"


def test_an_altered_manifest_is_refused_in_words(scanned_copy: App) -> None:
    for manifest in scanned_copy.workspace.models.rglob("*.json"):
        manifest.write_text(manifest.read_text().replace('"size": ', '"size": 1'))
    with pytest.raises(ModelError, match="signature of the manifest"):
        newest_click_model(scanned_copy, DEFAULT_PROGRAM)


def test_a_file_is_scored_in_event_order_and_nothing_of_it_stays_but_the_decisions(app: App, tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    rows = [f"c{n},2026-03-01T10:00:{59 - n:02}Z,a,73.1.2.3" for n in range(50)]
    file.write_text("\n".join(["click_id,clicked_at,affiliate_id,ip", *rows]) + "\n")
    answers, report = score_file(app, DEFAULT_PROGRAM, file, ("auto", "", quiet))
    assert (report.kept, report.rejected) == (50, 0)
    assert [answer.click_id for answer in answers] == [f"c{n}" for n in reversed(range(50))]
    assert app.lake.time_range(DEFAULT_PROGRAM) is None
    for answer in answers:
        kept = app.stores.decisions.find(answer.decision_id)
        assert (kept.kind, kept.subject_id, kept.verdict.outcome) == (DecisionKind.SCORE, answer.click_id, answer.decision)


def test_the_workspaces_own_clicks_warm_the_counters_up(app: App, tmp_path: Path) -> None:
    """A visitor's clicks of the hour before are counted, though they are not in the file."""
    earlier, file = tmp_path / "earlier.csv", tmp_path / "clicks.csv"
    rows = [f"e{n},2026-03-01T09:{n:02}:00Z,a,73.1.2.3,Mozilla" for n in range(50)]
    earlier.write_text("\n".join(["click_id,clicked_at,affiliate_id,ip,user_agent", *rows]) + "\n")
    file.write_text("click_id,clicked_at,affiliate_id,ip,user_agent\nnew,2026-03-01T09:55:00Z,a,73.1.2.3,Mozilla\n")

    def counted() -> float:
        (answer,), _ = score_file(app, DEFAULT_PROGRAM, file, ("auto", "", quiet))
        features: dict[str, float | None] = app.stores.decisions.find(answer.decision_id).inputs["features"]
        return max(value for value in features.values() if value is not None)

    alone = counted()
    ingest_one(app, "clicks", earlier)
    assert counted() > alone


def test_a_file_that_is_none_says_so(app: App, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        score_file(app, DEFAULT_PROGRAM, tmp_path / "nowhere.csv", ("auto", "", quiet))
