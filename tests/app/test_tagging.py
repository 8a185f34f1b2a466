"""The landing pages' tag, wired: whose it is, what the service does with reports, and what a scan makes of them."""

from __future__ import annotations

import gc
import warnings
from datetime import timedelta
from pathlib import Path

from fraud.api.tag import VISIT_EXAMPLE
from fraud.app.keeping import visit_keeper
from fraud.app.parts import App
from fraud.app.recorded import clicks_before
from fraud.app.tagging import LOOK_AGAIN, TagPrograms, snippet, tag_of
from fraud.cli.service import create_service
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import FixedClock
from fraud.domain.events import Click, Visit
from fraud.domain.programs import ProgramProfile
from tests.app.products import ingest_program, scan_newest
from tests.conftest import MORNING

with warnings.catch_warnings():  # as in the API's own tests
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient


def test_each_program_has_a_tag_of_its_own_that_stays(app: App) -> None:
    assert tag_of(app, "shoes") == tag_of(app, "shoes") != tag_of(app, "hats")
    assert "shoes" not in tag_of(app, "shoes")
    assert f'data-tag="{tag_of(app, "shoes")}"' in snippet(app, "shoes", "https://risk.example/")


def test_the_program_of_a_tag_is_found_also_when_it_is_new(app: App, clock: FixedClock) -> None:
    tags = TagPrograms(app, clock)
    assert (tags.of(tag_of(app, DEFAULT_PROGRAM)), tags.of(tag_of(app, "shoes")), tags.of("made up")) == (DEFAULT_PROGRAM, None, None)
    app.stores.programs.save(ProgramProfile(name="Shoes", program_id="shoes"))
    clock.move_to(MORNING + LOOK_AGAIN)
    assert tags.of(tag_of(app, "shoes")) == "shoes"


def test_the_service_keeps_what_was_reported_before_it_stopped(app: App) -> None:
    with TestClient(create_service(app)) as client:
        assert client.post(f"/v1/tag/{tag_of(app, DEFAULT_PROGRAM)}", json=VISIT_EXAMPLE).status_code == 204
    gc.unfreeze()  # the service freezes what it has loaded; these tests go on
    assert app.lake.count("visits", DEFAULT_PROGRAM) == 1


def test_a_scan_names_who_sends_driven_browsers_and_nobody_else(app: App, program_folder: Path) -> None:
    """Every third affiliate's visitors report, and one of these affiliates sends browsers that say that they are driven."""
    ingest_program(app, program_folder)
    clicks = clicks_before(app.lake, DEFAULT_PROGRAM, MORNING, 10_000)
    busy = sorted({click.affiliate_id for click in clicks}, key=lambda name: -sum(click.affiliate_id == name for click in clicks))
    suspect, reporting = busy[0], set(busy[::3])
    visit_keeper(app)(
        DEFAULT_PROGRAM, [report(click, click.affiliate_id == suspect) for click in clicks if click.affiliate_id in reporting]
    )
    result = scan_newest(app, days=10).result
    named = {row.affiliate_id for row in result.affiliates if "device.driven_browsers" in {reason.code for reason in row.reasons}}
    assert named == {suspect}


def report(click: Click, driven: bool) -> Visit:
    seen = {name: value for name, value in VISIT_EXAMPLE.items() if name not in {"visit_id", "click_id"}} | {"webdriver": driven}
    return Visit(visit_id=f"of {click.click_id}", click_id=click.click_id, seen_at=click.clicked_at + timedelta(minutes=1), **seen)
