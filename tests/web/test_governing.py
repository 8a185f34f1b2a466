"""A policy proposed on the page: what differs, a run in shadow, the comparison again, and its end."""

from __future__ import annotations

from importlib import resources

import pytest

from fraud.app.trying import propose_policy, run_comparison
from fraud.domain.actors import SYSTEM
from fraud.domain.decisions import DecisionKind, Outcome, SubjectKind
from fraud.domain.jobs import Job
from fraud.domain.policies import PolicyState
from fraud.domain.shadows import ShadowDecision
from tests.web.conftest import NOW, Browser, Shop


@pytest.fixture
def proposed(shop: Shop) -> Job:
    """A pack with one other weight, compared with what is live."""
    shipped = resources.files("fraud.policy").joinpath("packs", "default.yaml").read_text(encoding="utf-8")
    own = shipped.replace("id: default", "id: ours", 1).replace("    weight: 2.2", "    weight: 2.4", 1)
    job = propose_policy(shop.app, "default", SYSTEM, ("ours.yaml", own.encode()))
    leased = shop.app.stores.jobs.lease([job.kind], "tests", NOW, NOW - NOW.replace(hour=0))
    assert leased is not None
    shop.decisions.none()
    shop.app.stores.jobs.finish(job.job_id, "tests", run_comparison(shop.app, job), NOW)
    return job


def test_a_pack_runs_in_shadow_before_it_decides(admin: Browser, shop: Shop, proposed: Job) -> None:
    path = f"/policy/proposals/{proposed.job_id}"
    assert "1 value differs" in admin.page(path).text
    admin.act(f"{path}/publish", {"state": "shadow", "reason": "A week beside the live one"})
    assert shop.app.stores.policies.current("default", PolicyState.LIVE) is None
    text = admin.page("/policy").text
    assert "In shadow" in text
    assert "A week beside the live one" in text
    assert "would have come out otherwise" in text


def test_the_comparison_is_made_again_and_the_run_ended(admin: Browser, shop: Shop, proposed: Job) -> None:
    path = f"/policy/proposals/{proposed.job_id}"
    admin.act(f"{path}/publish", {"state": "shadow", "reason": "A week"})
    again = admin.act(f"{path}/again").headers["location"]
    assert again.startswith("/policy/proposals/")
    assert proposed.job_id not in again
    admin.act("/policy/shadow/end")
    assert shop.app.stores.policies.current("default", PolicyState.SHADOW) is None
    assert "In shadow" not in admin.page("/policy").text.replace("In shadow: it decides nothing", "")


def test_publishing_needs_a_reason(admin: Browser, shop: Shop, proposed: Job) -> None:
    assert admin.act(f"/policy/proposals/{proposed.job_id}/publish", {"state": "live", "reason": ""}).status_code == 422
    assert shop.app.stores.policies.current("default", PolicyState.LIVE) is None


def test_the_differences_are_a_file(admin: Browser, proposed: Job) -> None:
    lines = admin.get(f"/csv/changes/{proposed.job_id}").text.splitlines()
    assert lines[0] == "where,then,now,reason"
    assert len(lines) == 2


def test_the_page_says_what_the_pack_in_shadow_would_have_decided(admin: Browser, shop: Shop, proposed: Job) -> None:
    admin.act(f"/policy/proposals/{proposed.job_id}/publish", {"state": "shadow", "reason": "A week"})
    published = shop.app.stores.policies.current("default", PolicyState.SHADOW)
    assert published is not None
    spoken = ShadowDecision(
        decision_id="dec_1",
        program_id="default",
        policy=published.policy,
        kind=DecisionKind.SCAN,
        subject_kind=SubjectKind.AFFILIATE,
        subject_id="a",
        decided_at=published.published_at,
        live=Outcome.PASS,
        outcome=Outcome.REVIEW,
        score=0.6,
    )
    shop.app.stores.shadows.add([spoken])
    text = admin.page("/policy").text
    assert "It has spoken on 1 decision as they were made, and would have decided 1 otherwise" in text
