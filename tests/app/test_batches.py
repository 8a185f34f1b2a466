"""Batches as they are wired: each application is kept as it ends, and what breaks off does not stop the rest."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from crawlers import CrawlSettings
from fraud.app.parts import App
from fraud.app.vetting import VettingMeans, rescreen, vet_batch, write_vetted
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import Outcome
from fraud.domain.programs import Application
from fraud.workflows import vetting
from fraud.workflows.batches import Batch, SetAside
from tests.checks.applicants.samples import PROFILE
from tests.workflows.sites import served
from tests.workflows.test_vetting import blog, html

WEB = {**blog("one.test"), **blog("two.test"), **blog("three.test")}
BATCH = Batch(
    tuple(
        Application(application_id=name, websites=(f"http://{name}.test/",), email=f"me@{name}.test") for name in ("one", "two", "three")
    ),
    (SetAside(5, "", "line 5: it is not a website."),),
    "abc",
)


def means(settings: CrawlSettings, **more: Any) -> VettingMeans:
    return VettingMeans(actor=SYSTEM, crawl=settings, **more)


def test_every_row_has_its_outcome_or_its_reason_in_order(app: App) -> None:
    told: list[str] = []
    with served(WEB) as settings:
        rows = vet_batch(app, BATCH, PROFILE, means(settings, progress=told.append))
    assert [(row.application_id, bool(row.decision_id), row.line) for row in rows] == [
        ("one", True, None), ("two", True, None), ("three", True, None), ("", False, 5)
    ]  # fmt: skip
    assert rows[-1].reason == "line 5: it is not a website."
    assert "3 of 3 vetted" in told


def test_a_batch_that_was_stopped_goes_on_where_it_stopped(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    real, vetted = vetting.vet, list[str]()

    async def stopping(application: Application, *rest: Any) -> Any:
        if application.application_id == "three" and len(vetted) < 3:
            raise KeyboardInterrupt
        outcome = await real(application, *rest)
        vetted.append(application.application_id)
        return outcome

    monkeypatch.setattr(vetting, "vet", stopping)
    monkeypatch.setattr(vetting, "SIDE_BY_SIDE", 1)
    with served(WEB) as settings:
        with pytest.raises(KeyboardInterrupt):
            vet_batch(app, BATCH, PROFILE, means(settings))
        assert vetted == ["one", "two"]
        vetted.append("the machine is up again")
        rows = vet_batch(app, BATCH, PROFILE, means(settings))
    assert vetted == ["one", "two", "the machine is up again", "three"]
    assert all(row.decision_id for row in rows[:3])


def test_one_application_that_breaks_off_does_not_stop_the_others(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    real = vetting.vet

    async def breaking(application: Application, *rest: Any) -> Any:
        if application.application_id == "two":
            raise RuntimeError("no such luck")
        return await real(application, *rest)

    monkeypatch.setattr(vetting, "vet", breaking)
    with served(WEB) as settings:
        rows = vet_batch(app, BATCH, PROFILE, means(settings))
    assert [bool(row.decision_id) for row in rows] == [True, False, True, False]
    assert "RuntimeError" in rows[1].reason


def test_a_batch_may_hold_applications_of_one_program_only(app: App) -> None:
    stranger = Application(application_id="far", program_id="hats", websites=("http://far.test/",))
    with served(WEB) as settings:
        rows = vet_batch(app, Batch((*BATCH.applications[:1], stranger), (), "x"), PROFILE, means(settings))
    assert (bool(rows[0].decision_id), "'hats'" in rows[1].reason) == (True, True)


def test_what_was_seen_is_written_as_a_web_archive(app: App, tmp_path: Path) -> None:
    with served(WEB) as settings:
        vet_batch(app, BATCH, PROFILE, means(settings))
    write_vetted(app, app.stores.applications.dossier(DEFAULT_PROGRAM, "one"), BATCH.applications[0], tmp_path)
    archive = gzip.decompress((tmp_path / "pages.warc.gz").read_bytes())
    assert archive.startswith(b"WARC/1.1\r\nWARC-Record-ID: <urn:uuid:")
    assert b"WARC-Target-URI: http://one.test/\r\n" in archive
    assert archive.count(b"WARC-Type: resource") >= 4


def test_accepted_applicants_are_vetted_anew_and_the_difference_is_the_news(app: App) -> None:
    app.stores.programs.save(PROFILE)
    with served(WEB) as settings:
        rows = vet_batch(app, BATCH, PROFILE, means(settings))
        accepted = [row.application_id for row in rows if row.outcome == Outcome.APPROVE.value]
        assert accepted
        assert not [one for one in rescreen(app, DEFAULT_PROGRAM, means(settings)) if one.appeared]
    frame = '<iframe src="http://go.acmeoutdoor.com/c/77" width="1" height="1" style="display:none"></iframe>'
    changed = {**WEB, f"{accepted[0]}.test/": html("Trail notes", frame)}
    with served(changed) as settings:
        told = {one.application_id: one for one in rescreen(app, DEFAULT_PROGRAM, means(settings))}
    assert "website.hidden_tracking" in {signal.check_id for signal in told[accepted[0]].appeared}
    assert told[accepted[0]].outcome is Outcome.REVIEW
