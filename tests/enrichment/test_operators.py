from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from fraud.enrichment.operators import classify


@pytest.mark.parametrize(
    ("organisation", "egress_class"),
    [
        ("Example Hosting GmbH", "hosting"),
        ("EXAMPLE-CLOUD", "hosting"),
        ("Rechenzentrum Beispiel", "hosting"),
        ("Telefónica Móviles Ejemplo", "mobile_carrier"),
        ("Celular de Ejemplo S.A.", "mobile_carrier"),
        ("Universität Beispiel", "corporate"),
        ("City of Example", "corporate"),
        ("Example Telecommunications Ltd", "residential"),
        ("Provedor Exemplo Banda Larga", "residential"),
        ("Acme Holdings", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_name_says_what_a_network_is_or_nothing(organisation: str, egress_class: str) -> None:
    assert classify(64500, organisation).egress_class == egress_class


@pytest.mark.parametrize(
    "organisation", ["Hostile Takeovers Inc", "Cloudy Skies Farm", "Bankside Gallery", "Automobile Club", "Cablegram Press"]
)
def test_words_are_whole_words(organisation: str) -> None:
    assert classify(64500, organisation).egress_class == "unknown"


def test_a_name_that_says_two_things_says_nothing() -> None:
    found = classify(64500, "Example Telecom and Hosting")
    assert found.egress_class == "unknown"
    assert "both" in found.why


def test_a_known_number_stands_over_its_name() -> None:
    found = classify(16276, "Some Mobile University Cable")
    assert (found.egress_class, found.why) == ("hosting", "AS16276 is OVH")


@pytest.mark.data
def test_lists_of_hosting_networks_are_met_and_rarely_called_access(test_data: Path) -> None:
    """Names as the bad-asn-list writes them, which no rule was made from: hardly any is taken for people.

    The words find what calls itself hosting; the rest of a list's networks is what lists of ranges are for.
    """
    with (test_data / "lists/bad-asn-list/bad-asn-list.csv").open(encoding="utf-8") as file:
        listed = [(int(row[0]), row[1]) for row in csv.reader(file) if row and row[0].isdigit()]
    found = [classify(0, re.sub(r", [A-Z]{2}$", "", name)).egress_class.value for _, name in listed]
    assert len(listed) > 500
    assert found.count("hosting") / len(found) >= 0.25
    assert (found.count("residential") + found.count("mobile_carrier") + found.count("corporate")) / len(found) <= 0.05
