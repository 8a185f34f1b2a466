"""The client towards trackers: patience, budgets, secrets."""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.clock import FixedClock
from fraud.errors import InputError, StorageError, TrackerError
from fraud.trackers.http import Account, Ask, Patience, TrackerClient, Unreadable, checked_base, read_json
from tests.trackers.conftest import NOON
from tests.trackers.fakes import KEY
from tests.trackers.servers import Answer, Asked, Tracker, document, running

GET = Ask(method="GET", path="report")
CHANGE = Ask(method="POST", path="change", json={"a": 1}, repeated=False)


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    """A server that answers `{"fine": 1}`."""
    with running(lambda _: document({"fine": 1})) as server:
        yield server


def client_of(tracker: Tracker, waits: list[float], **more: Any) -> TrackerClient:
    account = Account(
        feed="shop",
        base_url=tracker.url + "/v1",
        headers={"X-Key": KEY},
        auth=("me", KEY),
        secrets=(KEY,),
        variables=("SHOP_KEY",),
    )
    return TrackerClient(account, FixedClock(NOON), pause=waits.append, **more)


def ask(tracker: Tracker, waits: list[float], room: Path, what: Ask = GET, **more: Any) -> dict[str, int]:
    with client_of(tracker, waits, **more) as client:
        return client.json(what, dict[str, int], room)


def test_credentials_go_with_every_request(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    assert ask(tracker, waits, tmp_path) == {"fine": 1}
    (asked,) = tracker.asked
    assert (asked.path, asked.headers["x-key"]) == ("/v1/report", KEY)
    assert asked.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again_after_longer_and_longer_pauses(
    tracker: Tracker, waits: list[float], tmp_path: Path, status: int
) -> None:
    tracker.first += [Answer(status)] * 4
    assert ask(tracker, waits, tmp_path) == {"fine": 1}
    assert len(waits) == 4
    assert all(2**number / 2 <= wait <= 2**number for number, wait in enumerate(waits))


def test_in_the_end_it_is_given_up_in_one_sentence(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    tracker.first += [Answer(502, b"<html>Bad gateway")] * 8
    with pytest.raises(TrackerError, match=r"shop: 127\.0\.0\.1:\d+ answered 502 Bad Gateway: <html>Bad gateway\. What was fetched"):
        ask(tracker, waits, tmp_path)
    assert len(tracker.asked) == 8


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "Sun, 01 Mar 2026 14:00:40 GMT"}, 40),
        ({"X-RateLimit-Reset": "30"}, 30),
        ({"Retry-After": "100000"}, 900),
    ],
)
def test_a_server_that_says_how_long_is_obeyed_up_to_a_ceiling(
    tracker: Tracker, waits: list[float], tmp_path: Path, headers: dict[str, str], least: float
) -> None:
    tracker.first.append(Answer(429, headers=headers))
    ask(tracker, waits, tmp_path)
    assert waits == [least]


@pytest.mark.parametrize("after", ["soon", "-5", "Sun, 01 Mar 2020 14:00:40 GMT", ""])
def test_nonsense_about_how_long_is_passed_over(tracker: Tracker, waits: list[float], tmp_path: Path, after: str) -> None:
    tracker.first.append(Answer(429, headers={"Retry-After": after}))
    ask(tracker, waits, tmp_path)
    assert 0.5 <= waits[0] <= 1


def test_a_used_up_quota_is_waited_for_before_it_is_overdrawn(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    tracker.first.append(Answer(200, b'{"fine": 1}', {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}))
    ask(tracker, waits, tmp_path)
    assert waits == [12]


@pytest.mark.parametrize(
    "broken",
    [
        Answer(200, b'{"fine": 1', promised=400),  # cut off, and it can be told
        Answer(200, b'{"fine": '),  # cut off, and only the JSON tells
        Answer(200, b"<html>We are down for maintenance</html>"),
        Answer(200, b""),
        Answer(200, b'{"fine": "a lot"}'),
        Answer(200, b"\xff\xfe\x00"),
        Answer(200, b"no gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_an_answer_that_is_cut_off_or_no_json_is_asked_for_again(
    tracker: Tracker, waits: list[float], tmp_path: Path, broken: Answer
) -> None:
    tracker.first += [broken] * 2
    assert ask(tracker, waits, tmp_path) == {"fine": 1}
    tracker.first += [broken] * 8
    with pytest.raises(TrackerError, match=r"answered what cannot be read|did not answer"):
        ask(tracker, waits, tmp_path)


def test_nobody_there_is_an_error_in_words(waits: list[float], tmp_path: Path) -> None:
    with running(lambda _: Answer()) as gone:
        pass
    with pytest.raises(TrackerError, match="did not answer"):
        ask(gone, waits, tmp_path)
    assert len(waits) == 7


def test_a_full_disk_is_an_error_of_ours(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written to"):
        ask(tracker, waits, tmp_path / "not-there")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_its_variable_and_is_not_tried_again(tracker: Tracker, waits: list[float], tmp_path: Path, status: int) -> None:
    tracker.first.append(document({"error": f"the key {KEY} has expired"}, status))
    with pytest.raises(TrackerError) as raised:
        ask(tracker, waits, tmp_path)
    assert "did not accept the credentials in SHOP_KEY" in raised.value.message
    assert "has expired" in raised.value.message
    assert KEY not in raised.value.message
    assert waits == []


def test_a_wrong_request_is_told_and_not_tried_again(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    tracker.first.append(document({"error": "period is longer than 14 days"}, 400))
    with pytest.raises(TrackerError, match=r"answered 400 Bad Request: .*longer than 14 days"):
        ask(tracker, waits, tmp_path)
    assert waits == []


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:9/steal", "/v1/other"])
def test_redirects_are_not_followed(tracker: Tracker, waits: list[float], tmp_path: Path, elsewhere: str) -> None:
    tracker.first.append(Answer(302, headers={"Location": elsewhere}))
    with pytest.raises(TrackerError, match="redirects, which is not followed"):
        ask(tracker, waits, tmp_path)
    assert len(tracker.asked) == 1


@pytest.mark.parametrize(
    "path", ["http://example.invalid/x", "https://127.0.0.1/x", "http://127.0.0.1:1/x", "http://127.0.0.1@example.invalid/"]
)
def test_credentials_stay_with_their_origin(tracker: Tracker, waits: list[float], path: str) -> None:
    with client_of(tracker, waits) as client, pytest.raises(TrackerError, match="another host"):
        client.url(path)


@pytest.mark.parametrize("path", ["//example.invalid/x", "/../x", "x?y"])
def test_other_paths_stay_below_the_base(tracker: Tracker, waits: list[float], path: str) -> None:
    with client_of(tracker, waits) as client:
        assert client.url(path).startswith(tracker.url + "/v1/")


def test_an_answer_has_a_budget(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    tracker.first.append(Answer(200, b"x" * 300_000))
    with pytest.raises(TrackerError, match="sends more than 100,000 bytes at once"):
        ask(tracker, waits, tmp_path, largest_bytes=100_000)


def test_a_large_answer_goes_to_disk_and_not_into_memory(waits: list[float], tmp_path: Path) -> None:
    """40 MB of rows in 40,000 objects: what is held at once is a small part of it."""
    row = json.dumps({"id": "x" * 1000}).encode()
    count = 40_000

    def chunks() -> Iterator[bytes]:
        yield b'{"rows": [' + row
        for _ in range(count - 1):
            yield b"," + row
        yield b"]}"

    def script(_: Asked) -> Answer:
        return Answer(chunks=chunks, headers={"Connection": "close"})

    class Page(msgspec.Struct):
        rows: list[msgspec.Raw]

    with running(script) as tracker, client_of(tracker, waits) as client:
        tracemalloc.start()
        page = client.json(GET, Page, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(page.rows) == count
    assert (tmp_path / "answer.json").stat().st_size > 40_000_000
    assert peak < 15_000_000


def test_a_change_that_may_have_arrived_is_not_sent_twice(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    tracker.first.append(Answer(502))
    with pytest.raises(TrackerError, match="answered 502"):
        ask(tracker, waits, tmp_path, CHANGE)
    assert len(tracker.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_change_that_was_turned_away_is_sent_again(tracker: Tracker, waits: list[float], tmp_path: Path, status: int) -> None:
    tracker.first.append(Answer(status))
    assert ask(tracker, waits, tmp_path, CHANGE) == {"fine": 1}


def test_logs_and_representations_hold_no_secret(
    tracker: Tracker, waits: list[float], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        with client_of(tracker, waits) as client:
            client.json(GET, dict[str, int], tmp_path)
        shown = caplog.text + repr(client.account) + repr(client)
    assert KEY not in shown


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://api.example.com",
        "https://me:secret@api.example.com",
        "https://",
        "api.example.com",
        "https://a:b/",
        "",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError) as raised:
        checked_base("shop", url)
    assert "secret" not in raised.value.message


def test_plain_http_is_for_this_machine_alone() -> None:
    assert checked_base("shop", "http://127.0.0.1:8000/api") == "http://127.0.0.1:8000/api/"


@given(st.integers(0, 30), st.floats(0, 1))
def test_pauses_never_pass_the_ceiling_nor_vanish(attempt: int, chance: float) -> None:
    patience = Patience()
    assert patience.first_seconds / 2 <= patience.pause(attempt, chance) <= patience.ceiling_seconds


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    class Page(msgspec.Struct):
        rows: list[msgspec.Raw]

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        file.write_bytes(data)
        with contextlib.suppress(Unreadable):
            assert isinstance(read_json(file, Page).rows, list)


def test_a_date_is_compared_with_the_clock(tracker: Tracker, waits: list[float], tmp_path: Path) -> None:
    when = (NOON + timedelta(seconds=25)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    tracker.first.append(Answer(503, headers={"Retry-After": when}))
    ask(tracker, waits, tmp_path)
    assert waits == [25]
