"""What a log says of how a session was browsed, on sessions small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.features.sessions import REQUEST_COLUMNS, session_features

SITE = "https://shop.example"


def log(*requests: tuple[float, str, str, str], session: str = "a", status: int = 200) -> pd.DataFrame:
    """Requests as (seconds, method, path, path of the referrer or nothing)."""
    start = pd.Timestamp("2026-03-01T12:00:00Z")
    rows = [
        (session, start + pd.Timedelta(seconds=moment), method, path, status, 1_000, SITE + origin if origin else "-")
        for moment, method, path, origin in requests
    ]
    return pd.DataFrame(rows, columns=list(REQUEST_COLUMNS))


def features(requests: pd.DataFrame, session: str = "a") -> dict[str, float]:
    """One session's features."""
    table = session_features(requests)
    row = int(table.index.get_indexer(pd.Index([session]))[0])
    return dict(zip(map(str, table.columns), table.to_numpy(dtype=np.float64)[row].tolist(), strict=True))


PERSON = log(
    (0, "GET", "/", ""),
    (0, "GET", "/main.css", "/"),
    (1, "GET", "/logo.PNG?v=2", "/"),
    (1, "GET", "/app.js", "/"),
    (31, "GET", "/offers/shoes", "/"),
    (35, "POST", "/collect", "/offers/shoes"),
    (90, "GET", "/", "/offers/shoes"),
)
BOT = log(*((2.0 * number, "GET", f"/offers/{number}", "") for number in range(10)), session="b")


def test_a_page_drags_its_parts_along_and_a_person_thinks() -> None:
    person = features(PERSON)
    assert person["page_share"] == pytest.approx(3 / 7)
    assert person["assets_per_page"] == 1.0
    assert person["image_share"] == person["script_share"] == person["style_share"] == pytest.approx(1 / 7)
    assert (person["page_gap_median"], person["page_gap_thinking"]) == (45.0, 1.0)
    assert (person["walk_distinct"], person["walk_returns"]) == (2.0, 1.0)
    assert person["walk_direct"] == pytest.approx(1 / 3)
    assert person["walk_followed"] == 1.0
    assert person["duration"] == 90.0


def test_an_even_walk_without_parts_is_told_from_it() -> None:
    both = session_features(pd.concat([PERSON, BOT]))
    person, bot = both.loc["a"], both.loc["b"]
    assert bot["page_gap_cv"] == 0.0 < person["page_gap_cv"]
    assert bot["page_gap_entropy"] == 0.0
    assert (bot["assets_per_page"], bot["walk_direct"], bot["walk_followed"]) == (0.0, 1.0, 0.0)
    assert bot["walk_entropy"] == pytest.approx(np.log2(10))


def test_the_order_of_the_rows_and_the_date_do_not_matter() -> None:
    later = PERSON.assign(time=PERSON["time"] + pd.Timedelta(days=400))
    pd.testing.assert_frame_equal(
        session_features(PERSON.sample(frac=1, random_state=1).sort_values("time", kind="stable")), session_features(later)
    )


def test_answers_are_counted_and_missing_ones_are_unknown() -> None:
    failing = features(log((0, "HEAD", "/robots.txt", ""), (1, "GET", "/no", ""), status=404))
    assert (failing["client_error_share"], failing["head_share"], failing["asked_for_robots"]) == (1.0, 0.5, 1.0)
    blank = PERSON.assign(bytes=None, referrer=None)
    assert np.isnan(features(blank)["mean_log_bytes"])
    assert features(blank)["walk_direct"] == 1.0


def test_one_request_leaves_the_rhythm_unknown() -> None:
    only = features(log((0, "POST", "/collect", "")))
    assert all(np.isnan(only[name]) for name in ("gap_cv", "page_gap_median", "walk_entropy"))
    assert only["post_share"] == 1.0


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lack the columns path, status"):
        session_features(PERSON.drop(columns=["path", "status"]))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.sampled_from(["GET", "post", "", "??"]), st.text(max_size=12), st.text(max_size=6)),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_stands_in_a_log_is_read(requests: list[tuple[float, str, str, str]]) -> None:
    table = session_features(log(*requests))
    assert len(table) == 1
    assert not np.isinf(table.to_numpy()).any()
    shares = [name for name in table.columns if name.endswith("_share")]
    assert ((table[shares] >= 0) & (table[shares] <= 1)).all(axis=None)
