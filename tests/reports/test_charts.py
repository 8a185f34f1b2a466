from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.peers import PeerComparison
from fraud.domain.scans import Ring
from fraud.reports import charts
from fraud.reports.templating import style_sheet
from tests.reports import samples

_finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


def comparison(value: float, quantiles: tuple[float, float, float, float, float]) -> PeerComparison:
    return PeerComparison(feature="f", title="Late conversions", unit="share", value=value, z=1.0, sample_size=9, quantiles=quantiles)


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


@pytest.mark.parametrize(("score", "width"), [(0.0, 0.0), (0.43, 43.0), (1.0, 100.0), (7.0, 100.0), (-1.0, 0.0), (float("nan"), 0.0)])
def test_a_score_bar_is_as_wide_as_the_score(score: float, width: float) -> None:
    fill = drawn(charts.score_bar(score))[1]
    assert float(fill.attrib["width"].rstrip("%")) == width


def test_a_value_among_its_peers_is_a_dot_in_order() -> None:
    svg = drawn(charts.peer_strip(comparison(0.05, (0.01, 0.03, 0.05, 0.07, 0.1))))
    reach, half, median, dot = svg
    left, right = (float(reach.attrib[side].rstrip("%")) for side in ("x1", "x2"))
    assert left < float(half.attrib["x"].rstrip("%")) < float(dot.attrib["cx"].rstrip("%")) < right
    assert median.attrib["x1"] == dot.attrib["cx"]
    assert svg.attrib["aria-label"] == "Late conversions: 5%; half of the peers lie between 3% and 7%."


@pytest.mark.parametrize(("value", "edge"), [(0.9, 98.0), (-5.0, 2.0)])
def test_a_value_far_out_is_an_arrow_at_the_edge_and_its_peers_stay_visible(value: float, edge: float) -> None:
    svg = drawn(charts.peer_strip(comparison(value, (0.01, 0.03, 0.05, 0.07, 0.1))))
    reach, arrow = svg[0], svg[-1]
    assert float(arrow.attrib["x"].rstrip("%")) == edge
    assert arrow.attrib["class"] == "beyond"
    assert float(reach.attrib["x2"].rstrip("%")) - float(reach.attrib["x1"].rstrip("%")) > 10


def test_an_unknown_value_is_not_drawn() -> None:
    svg = drawn(charts.peer_strip(comparison(float("nan"), (0.01, 0.03, 0.05, 0.07, 0.1))))
    assert len(svg) == 3
    assert "unknown" in svg.attrib["aria-label"]


@given(_finite, st.lists(_finite, min_size=5, max_size=5))
def test_every_mark_lies_on_the_chart(value: float, spread: list[float]) -> None:
    low, q25, middle, q75, high = sorted(spread)
    svg = charts.peer_strip(comparison(value, (low, q25, middle, q75, high)))
    drawn(svg)
    places = [float(found) for found in re.findall(r'(?:x1|x2|cx| x)="([-\d.]+)%"', svg)]
    assert places
    assert all(0 <= place <= 100 for place in places)


def test_a_ring_names_its_members_and_what_they_share() -> None:
    svg = drawn(charts.ring_graph(samples.ring("one", "two", "three")))
    said = [element.text for element in svg.iter() if element.text]
    assert {"one", "two", "three", "1 payout account", "2 devices", "3 networks"} <= set(said)
    assert svg.attrib["aria-label"] == "3 affiliates share 1 payout account, 2 devices and 3 networks"


@pytest.mark.parametrize("members", [1, 2, 5, 12, 40])
def test_the_names_of_a_ring_never_overlap(members: int) -> None:
    svg = drawn(charts.ring_graph(samples.ring(*[f"partner-{number:04d}-with-a-long-name" for number in range(members)])))
    height = float(svg.attrib["viewBox"].split()[3])
    names = [element for element in svg.iter() if element.attrib.get("class") == "name"]
    rows = {(element.attrib["text-anchor"], element.attrib["y"]) for element in names}
    assert len(rows) == len(names) == min(members, 12)
    for side in ("start", "end"):
        heights = sorted(float(y) for anchor, y in rows if anchor == side)
        assert all(lower - upper >= 14 for upper, lower in itertools.pairwise(heights))
    assert all(8 <= float(element.attrib["y"]) <= height for element in names)


def test_the_same_ring_is_drawn_the_same_way() -> None:
    assert charts.ring_graph(samples.ring("a", "b")) == charts.ring_graph(samples.ring("a", "b"))


def test_hostile_names_stay_text() -> None:
    svg = charts.ring_graph(samples.ring(samples.HOSTILE, samples.LONG, samples.RIGHT_TO_LEFT, "a\x00b", '"/><x y="'))
    assert {element.tag for element in drawn(svg).iter()} == {"svg", "line", "rect", "text", "g", "title", "circle"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "paper"), ("ink", "sheet"), ("soft", "paper"), ("soft", "sheet"), ("soft", "raised"), ("accent", "sheet"), ("accent", "paper")]
    + [(tone, f"{tone}-wash") for tone in ("good", "info", "warn", "bad", "calm")],
)
def test_text_can_be_read_on_its_ground(scheme: str, text: str, ground: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1."""
    light, dark = style_sheet().split("@media (prefers-color-scheme: dark)", 1)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_ring_that_records_nothing_shared_says_so() -> None:
    empty: Ring = msgspec.structs.replace(samples.ring("a", "b"), shared=())
    assert "not recorded" in charts.ring_graph(empty)
