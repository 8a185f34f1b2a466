"""Telling trackers: which calls are sent, that nothing is sent unasked or twice, and what is noted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fraud.app.parts import App
from fraud.app.pulling import Surroundings, feeds_of
from fraud.app.telling import action_log, tell_tracker, told
from fraud.domain.actors import SYSTEM
from fraud.domain.tracker_actions import ActionKind, ActionRecord, ActionState, TrackerAction
from fraud.errors import Conflict, InputError, TrackerError, Unsupported
from tests.trackers.conftest import ENVIRONMENT, feed_text, files_below
from tests.trackers.fakes import KEY
from tests.trackers.servers import Answer, Asked, Tracker, document, running

Tell = Callable[..., ActionRecord]


@pytest.fixture
def tell(app: App, waits: list[float]) -> Tell:
    """Tells a tracker; really, unless `send` is false."""

    def tell_one(tracker: str, server: Tracker, action: TrackerAction, *, send: bool = True, actions: str = "send") -> ActionRecord:
        options = {"options": "{campaign_id: 55}"} if tracker == "impact" else {}
        (app.workspace.root / "feeds.yaml").write_text(feed_text(tracker, server.url, actions=actions, **options))
        (feed,) = feeds_of(app)
        return tell_tracker(app, feed, action, SYSTEM, send=send, around=Surroundings(ENVIRONMENT, waits.append))

    return tell_one


def action(kind: ActionKind, **fields: Any) -> TrackerAction:
    return TrackerAction(action_id=fields.pop("action_id", "a-1"), kind=kind, **fields)


BLOCK = action(ActionKind.BLOCK_AFFILIATE, affiliate_id="12")
BLOCK_ON_OFFER = action(ActionKind.BLOCK_AFFILIATE, affiliate_id="12", offer_id="7")
SUB = action(ActionKind.BLOCK_SUB_ID, affiliate_id="12", offer_id="7", sub_id="zone 4")
REJECT = action(ActionKind.REJECT_CONVERSIONS, conversion_ids=("c1", "c2"), reason="not paid: see the terms")
HOLD = action(ActionKind.HOLD_CONVERSIONS, conversion_ids=("c1",))
CAP = action(ActionKind.SET_CAP, affiliate_id="12", offer_id="7", cap=50)


def everflow(asked: Asked) -> Answer:
    assert asked.headers["x-eflow-api-key"] == KEY
    if asked.method == "GET":
        name = "traffic_controls" if asked.path.endswith("trafficcontrols") else "custom_cap_settings"
        return document({name: [], "paging": {"page": 1, "page_size": 50, "total_count": 0}})
    return document({"result": True})


def tune(asked: Asked) -> Answer:
    assert asked.field("NetworkToken") == KEY
    return document({"request": {"NetworkToken": KEY}, "response": {"status": 1, "httpStatus": 200, "data": True, "errors": []}})


def affise(asked: Asked) -> Answer:
    assert asked.headers["api-key"] == KEY
    partner = {"id": 12, "api_key": "another-secret", "sub_accounts": {"1": {"value": "old", "except": 1}}}
    return document({"status": 1, "partner": partner, "message": "Changes will take a few minutes"})


def impact(asked: Asked) -> Answer:
    assert asked.headers["authorization"].startswith("Basic ")
    return document({"Status": "QUEUED", "QueuedUri": "/Advertisers/SID1/APISubmissions/A-1"})


SERVERS = {"everflow": everflow, "tune": tune, "affise": affise, "impact": impact}

SENT: list[tuple[str, TrackerAction, list[tuple[str, str, Any]]]] = [
    (
        "everflow",
        BLOCK,
        [
            (
                "PATCH",
                "/v1/networks/patch/affiliates/apply",
                {
                    "network_affiliate_ids": [12],
                    "fields": [{"field_type": "account_status", "field_value": "suspended", "operator": "overwrite"}],
                },
            )
        ],
    ),
    (
        "everflow",
        REJECT,
        [("PATCH", "/v1/networks/reporting/conversions", {"conversion_ids": ["c1", "c2"], "conversion_status": "rejected"})],
    ),
    (
        "everflow",
        CAP,
        [
            (
                "POST",
                "/v1/networks/custom/caps",
                {"network_affiliate_id": 12, "network_offer_id": 7, "is_soft_cap": False, "daily_conversion_cap": 50},
            )
        ],
    ),
    ("tune", BLOCK, [("POST", "/Apiv3/json", {"Target": "Affiliate", "Method": "block", "id": "12", "reason": ""})]),
    ("tune", BLOCK_ON_OFFER, [("POST", "/Apiv3/json", {"Target": "Offer", "Method": "blockAffiliate", "id": "7", "affiliate_id": "12"})]),
    (
        "tune",
        SUB,
        [
            (
                "POST",
                "/Apiv3/json",
                {
                    "Target": "OfferDisabledLink",
                    "Method": "save",
                    "data[affiliate_id]": "12",
                    "data[offer_id]": "7",
                    "data[aff_info1]": "zone 4",
                    "data[strict]": "0",
                },
            )
        ],
    ),
    (
        "tune",
        REJECT,
        [
            ("POST", "/Apiv3/json", {"Target": "Conversion", "Method": "updateStatus", "tune_event_id": one, "status": "rejected"})
            for one in ("c1", "c2")
        ],
    ),
    (
        "tune",
        HOLD,
        [("POST", "/Apiv3/json", {"Target": "Conversion", "Method": "updateStatus", "tune_event_id": "c1", "status": "pending"})],
    ),
    (
        "tune",
        CAP,
        [
            (
                "POST",
                "/Apiv3/json",
                {"Target": "Offer", "Method": "setConversionCap", "id": "7", "data[affiliate_id]": "12", "data[conversion_cap]": "50"},
            )
        ],
    ),
    ("affise", BLOCK, [("POST", "/3.0/admin/partners/mass-update", {"id[0]": "12", "status": "banned"})]),
    ("affise", BLOCK_ON_OFFER, [("POST", "/3.0/offer/disable-affiliate", {"offer_id[0]": "7", "pid": "12", "notice": "0"})]),
    (
        "affise",
        action(ActionKind.BLOCK_SUB_ID, affiliate_id="12", sub_id="zone 4"),
        [("POST", "/3.0/admin/partner/12", {"sub_account_1": "old,zone 4", "sub_account_1_except": "1"})],
    ),
    (
        "affise",
        REJECT,
        [
            (
                "POST",
                "/3.0/admin/conversion/edit",
                {"ids[0]": "c1", "ids[1]": "c2", "status": "declined", "comment": "not paid: see the terms"},
            )
        ],
    ),
    ("affise", HOLD, [("POST", "/3.0/admin/conversion/edit", {"ids[0]": "c1", "status": "hold", "comment": ""})]),
    (
        "impact",
        REJECT,
        [("DELETE", "/Advertisers/SID1/Actions", {"ActionId": one, "DispositionCode": "REJECTED"}) for one in ("c1", "c2")],
    ),
]


def changes(server: Tracker) -> list[tuple[str, str, Any]]:
    """What was sent that changes something, without the token."""
    sent = [asked for asked in server.asked if asked.method != "GET"]
    return [(asked.method, asked.path, _body(asked)) for asked in sent]


def _body(asked: Asked) -> Any:
    if asked.headers["content-type"] == "application/json":
        return asked.json
    return {name: value for name, value in asked.form if name != "NetworkToken"}


@pytest.mark.parametrize(("tracker", "what", "expected"), SENT, ids=lambda value: getattr(value, "kind", None))
def test_the_documented_calls_are_sent(tell: Tell, tracker: str, what: TrackerAction, expected: list[tuple[str, str, Any]]) -> None:
    with running(SERVERS[tracker]) as server:
        tried = tell(tracker, server, what, send=False)
        assert changes(server) == []
        record = tell(tracker, server, what)
    assert changes(server) == expected
    assert (tried.state, record.state, record.error) == (ActionState.DRY_RUN, ActionState.DONE, "")
    assert tried.calls == record.calls
    assert len(record.answers) == len(expected)


def test_everflow_blocks_a_sub_id_by_a_traffic_control(tell: Tell) -> None:
    with running(everflow) as server:
        tell("everflow", server, SUB)
    ((method, path, body),) = changes(server)
    assert (method, path) == ("POST", "/v1/networks/trafficcontrols")
    assert (body["variables"], body["values"], body["network_affiliate_ids"], body["network_offer_ids"]) == (
        ["sub1"],
        ["zone 4"],
        [12],
        [7],
    )
    assert (body["control_type"], body["targeting_action"], body["is_apply_all_affiliates"]) == ("blacklist", "block", False)


def test_an_everflow_cap_that_is_there_is_changed(tell: Tell) -> None:
    there = {"network_custom_cap_setting_id": 3, "network_affiliate_id": 12, "network_offer_id": 7}
    with running(lambda asked: document({"custom_cap_settings": [there]} if asked.method == "GET" else {"result": True})) as server:
        tell("everflow", server, CAP)
    fields = [{"field_type": "daily_conversion_cap", "field_value": 50}]
    assert changes(server) == [("PATCH", "/v1/networks/custom/caps", {"network_custom_cap_setting_ids": [3], "fields": fields})]


@pytest.mark.parametrize(
    ("tracker", "what", "said"),
    [
        ("everflow", HOLD, "can only approve and reject"),
        ("everflow", BLOCK_ON_OFFER, "blocks an affiliate as a whole"),
        ("affise", CAP, "replaces all caps of an offer at once"),
        ("affise", SUB, "blocks a sub-ID for an affiliate as a whole"),
        ("impact", BLOCK, "ends no contract"),
        ("impact", SUB, "blocks no sub-ID"),
        ("impact", HOLD, "holds no action"),
        ("impact", CAP, "sets no cap"),
    ],
)
def test_what_a_tracker_cannot_do_is_said_with_what_to_do_instead(tell: Tell, tracker: str, what: TrackerAction, said: str) -> None:
    with running(SERVERS[tracker]) as server, pytest.raises(Unsupported, match=said):
        tell(tracker, server, what)
    assert changes(server) == []


def test_a_list_of_allowed_sub_ids_is_never_turned_round(tell: Tell) -> None:
    allowed = {"status": 1, "partner": {"sub_accounts": [{"value": "good", "except": 0}]}}
    with running(lambda _: document(allowed)) as server, pytest.raises(Unsupported, match="a list of allowed sub-IDs"):
        tell("affise", server, action(ActionKind.BLOCK_SUB_ID, affiliate_id="12", sub_id="bad"))
    assert changes(server) == []


@pytest.mark.parametrize(
    ("what", "lacks"),
    [
        (action(ActionKind.BLOCK_AFFILIATE), "affiliate_id"),
        (action(ActionKind.SET_CAP, affiliate_id="1"), "offer_id, cap"),
        (action(ActionKind.REJECT_CONVERSIONS), "conversion_ids"),
    ],
)
def test_what_is_missing_is_named(tell: Tell, what: TrackerAction, lacks: str) -> None:
    with running(tune) as server, pytest.raises(InputError, match=f"needs {lacks}"):
        tell("tune", server, what)


@pytest.mark.parametrize(("actions", "send"), [("off", False), ("off", True), ("dry_run", True)])
def test_nothing_is_sent_before_the_feed_allows_it(tell: Tell, actions: str, send: bool) -> None:
    with running(tune) as server, pytest.raises(Conflict, match="Set `actions: "):
        tell("tune", server, BLOCK, send=send, actions=actions)
    assert server.asked == []


def test_an_action_of_another_program_is_refused(tell: Tell) -> None:
    with running(tune) as server, pytest.raises(Conflict, match="belongs to the program default"):
        tell("tune", server, action(ActionKind.BLOCK_AFFILIATE, affiliate_id="12", program_id="other"))


def test_the_same_action_is_never_carried_out_twice(tell: Tell, app: App) -> None:
    with running(tune) as server:
        first = tell("tune", server, BLOCK)
        again = tell("tune", server, BLOCK)
        with pytest.raises(Conflict, match="The action id a-1 belongs to another action"):
            tell("tune", server, HOLD)
    assert (len(changes(server)), again) == (1, first)
    assert list(told(app, "default")) == [first]


def test_a_refusal_is_noted_and_may_be_tried_again(tell: Tell, app: App) -> None:
    with running(tune) as server:
        server.first.append(document({"response": {"status": -1, "errorMessage": f"no such affiliate for {KEY}"}}))
        failed = tell("tune", server, BLOCK)
        assert (failed.state, failed.error.endswith("refused: no such affiliate for ***.")) == (ActionState.FAILED, True)
        assert tell("tune", server, BLOCK).state is ActionState.DONE
    entries = [(entry["action"], entry["detail"]["state"]) for entry in app.stores.audit.entries("default", 10)]
    assert entries == [("tracker.told", "done"), ("tracker.told", "failed")]


@pytest.mark.parametrize("said", [{"response": {"status": 1, "data": False}}, {"response": {}}, {"other": 1}, [], "ok", None])
def test_an_answer_that_does_not_say_that_it_was_done_counts_as_a_refusal(tell: Tell, said: Any) -> None:
    with running(lambda _: document(said)) as server:
        record = tell("tune", server, BLOCK)
    assert record.state is ActionState.FAILED


def test_what_may_have_arrived_is_looked_for_before_it_is_sent_again(tell: Tell, app: App) -> None:
    """The traffic control was made, but the answer was lost."""
    made: list[str] = []

    def losing(asked: Asked) -> Answer:
        if asked.method == "GET":
            return document({"traffic_controls": [{"name": name} for name in made], "paging": {"total_count": len(made)}})
        made.append(asked.json["name"])
        return Answer(502)

    with running(losing) as server:
        lost = tell("everflow", server, SUB)
        again = tell("everflow", server, SUB)
    assert (lost.state, again.state, again.calls) == (ActionState.FAILED, ActionState.DONE, ())
    assert made == ["fraud a-1"]


def test_an_action_whose_process_died_is_taken_up_again(tell: Tell, app: App) -> None:
    with running(tune) as server:
        record = tell("tune", server, BLOCK, send=False)
        log = action_log(app)
        log.put(ActionRecord(action=BLOCK, state=ActionState.STARTED, calls=record.calls, at=record.at))
        tell("tune", server, BLOCK, send=False)  # trying out does not hide that it may have been sent
        started = log.get("default", "a-1")
        assert started is not None
        assert started.state is ActionState.STARTED
        assert tell("tune", server, BLOCK).state is ActionState.DONE


def test_two_at_once_never_carry_out_one_action(tell: Tell, app: App) -> None:
    with action_log(app).alone("default", "a-1"), running(tune) as server, pytest.raises(Conflict, match="by another process"):
        tell("tune", server, BLOCK)
    assert server.asked == []


def test_a_change_that_was_turned_away_is_sent_again(tell: Tell) -> None:
    with running(everflow) as server:
        server.first += [Answer(429)]
        assert tell("everflow", server, BLOCK).state is ActionState.DONE
    assert len(changes(server)) == 2


@pytest.mark.parametrize("tracker", ["tune", "affise"])
def test_records_hold_no_secret(tell: Tell, app: App, tracker: str) -> None:
    """TUNE repeats the token; Affise answers with the affiliate's own key."""
    with running(SERVERS[tracker]) as server:
        tell(tracker, server, action(ActionKind.BLOCK_SUB_ID, affiliate_id="12", offer_id="7" if tracker == "tune" else "", sub_id="x"))
    kept = b"".join(path.read_bytes() for path in files_below(app.workspace.root))
    assert KEY.encode() not in kept
    assert b"another-secret" not in kept


def test_a_damaged_record_is_an_error(tell: Tell, app: App, tmp_path: Path) -> None:
    with running(tune) as server:
        tell("tune", server, BLOCK)
        (path,) = (path for path in files_below(app.workspace.root / "tracker-actions") if path.suffix == ".json")
        path.write_text(json.dumps({"action": 1}))
        with pytest.raises(Exception, match="cannot be read"):
            tell("tune", server, BLOCK)


def test_a_refused_key_is_noted_with_its_variable(tell: Tell) -> None:
    with running(everflow) as server:
        server.first.append(document({"error": "expired"}, 401))
        record = tell("everflow", server, BLOCK)
    assert "did not accept the credentials in TRACKER_KEY" in record.error
    assert TrackerError.code == "tracker_failed"
