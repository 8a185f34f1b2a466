"""`fraud vet` as a script reads it: `dossier.json` has the shape of the contract, and every finding quotes what was seen."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crawlers import CrawlSettings
from tests.cli.commands import Ran, fraud, fraud_process
from tests.workflows.sites import Answer, Web, served

SIGNAL = {"check_id", "subject", "status", "severity", "tier", "reason_code", "text", "value", "evidence"}
DOSSIER = {
    *("application_id", "decision_id", "outcome", "score", "coverage", "typologies", "signals", "public_reason", "needed"),
    *("policy", "models", "facts"),
}
TYPOLOGIES = {
    *("parked_site", "thin_content", "copied_content", "cloaking", "forced_click", "typosquat", "prohibited_content"),
    *("link_farm", "fake_audience", "fake_reviews", "site_network", "malware", "cookie_stuffing", "brand_bidding", "duplicate_account"),
}
STORY = "<p>" + "We went hiking along the ridge and slept in our two small tents beside the lake, tired and happy. " * 20 + "</p>"
FRAME = '<iframe src="http://go.acmeoutdoor.com/c/77" width="1" height="1" style="display:none"></iframe>'
PROFILE = "name: Acme Outdoor\ntracking_hosts: [go.acmeoutdoor.com]\nkeywords: [hiking]\nrequires_disclosure: true\n"
WEB = {
    "stuffer.test/": Answer(f"<html lang=en><title>Trail</title><main><h1>Trail</h1>{FRAME}{STORY}</main>".encode()),
    "plain.test/": Answer(f"<html lang=en><title>Plain</title><main><h1>Plain</h1>{STORY}</main>".encode()),
    "inner.test/": Answer(status=302, location="http://169.254.169.254/latest/meta-data/"),
}


def through(settings: CrawlSettings) -> dict[str, str]:
    """The environment in which every visit ends at the test's own server."""
    host, port = settings.connect_to[80]
    return {"FRAUD_CRAWL_CONNECT_TO": f"80={host}:{port},443={host}:{port}", "FRAUD_CRAWL_DELAY": "0"}


@pytest.fixture(scope="module")
def env() -> Iterator[Mapping[str, str]]:
    with served(WEB) as settings:
        yield through(settings)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("profile") / "program.yaml"
    file.write_text(PROFILE)
    return file


@pytest.fixture(scope="module")
def stuffer(env: Mapping[str, str], profile: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """A site that loads the program's tracking link in a hidden frame, vetted with `--json` and `--out`."""
    base = tmp_path_factory.mktemp("vet")
    options = ("--json", "--out", base / "out", "--workspace", base / "workspace")
    ran = fraud("vet", "http://stuffer.test/", "--program", profile, *options, env=env)
    assert ran.code == 0, ran.err
    return ran, base


def check_dossier(document: dict[str, Any]) -> None:
    """Every key and every enumeration of CONTRACT 2; what is there besides is allowed."""
    assert document.keys() >= DOSSIER
    assert document["outcome"] in {"approve", "request_info", "review", "reject"}
    assert 0 <= document["score"] <= 1
    assert 0 <= document["coverage"] <= 1
    assert document["policy"].keys() >= {"id", "hash"}
    assert all(model.keys() >= {"id", "hash"} for model in document["models"])
    assert document["public_reason"].endswith(".")
    assert set(document["typologies"]) <= TYPOLOGIES
    assert all(isinstance(text, str) for text in document["needed"])
    assert isinstance(document["facts"], dict)
    for signal in document["signals"]:
        check_signal(signal)


def check_signal(signal: dict[str, Any]) -> None:
    assert signal.keys() >= SIGNAL
    assert signal["status"] in {"finding", "clear", "inconclusive", "not_applicable", "error"}
    assert signal["severity"] in {"info", "low", "medium", "high", "critical"}
    assert signal["tier"] in {"conclusive", "associative", "circumstantial"}
    assert signal["text"].endswith(".")
    for evidence in signal["evidence"]:
        assert evidence.keys() >= {"url", "fetched_at", "sha256", "excerpt"}
        assert evidence["fetched_at"] is None or datetime.fromisoformat(evidence["fetched_at"])


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {signal["check_id"]: signal["status"] for signal in document["signals"]}


def bodies_in(folder: Path) -> dict[str, bytes]:
    """The pages written with a dossier, by their hash; as text, so that nobody opens a stranger's page by a double click."""
    return {path.name.removesuffix(".html.txt"): path.read_bytes() for path in (folder / "evidence").iterdir()}


def letters(text: str) -> str:
    """Text without tags, entities, quotes and white space: how a quotation and its source agree."""
    return re.sub(r"[\s\"'/]+", "", html.unescape(re.sub(r"<[^>]*>", "", text))).casefold()


def markup(text: str) -> str:
    return re.sub(r"[\s\"'/]+", "", html.unescape(text)).casefold()


def check_quotations(document: dict[str, Any], bodies: dict[str, bytes]) -> int:
    """Every finding's excerpt stands in the body it names; returns how many were looked at."""
    looked_at = 0
    for signal in document["signals"]:
        if signal["status"] != "finding":
            continue
        assert signal["evidence"], signal["check_id"]
        for evidence in signal["evidence"]:
            if not (evidence["sha256"] and evidence["excerpt"]):
                continue
            body = bodies[evidence["sha256"]].decode("utf-8", "replace")
            assert markup(evidence["excerpt"]) in markup(body) or letters(evidence["excerpt"]) in letters(body), signal["check_id"]
            looked_at += 1
    return looked_at


def test_the_dossier_has_the_contracts_shape(stuffer: tuple[Ran, Path]) -> None:
    document = stuffer[0].json
    check_dossier(document)
    assert document["outcome"] == "review"
    assert "forced_click" in document["typologies"]
    assert document["needed"]


def test_every_finding_quotes_what_was_seen_and_that_is_kept(stuffer: tuple[Ran, Path]) -> None:
    ran, base = stuffer
    bodies = bodies_in(base / "out")
    assert {name: sha256(body).hexdigest() for name, body in bodies.items()} == {name: name for name in bodies}
    assert check_quotations(ran.json, bodies) > 0
    (hidden,) = [signal for signal in ran.json["signals"] if signal["check_id"] == "website.hidden_tracking"]
    assert any("go.acmeoutdoor.com/c/77" in evidence["excerpt"] for evidence in hidden["evidence"])


def test_the_files_say_what_was_printed(stuffer: tuple[Ran, Path]) -> None:
    ran, base = stuffer
    assert msgspec.json.decode((base / "out" / "dossier.json").read_bytes()) == ran.json
    assert "go.acmeoutdoor.com/c/77" in (base / "out" / "dossier.html").read_text()
    assert f"Wrote {base / 'out' / 'dossier.json'}" in ran.err


def test_a_vetting_is_replayed(stuffer: tuple[Ran, Path]) -> None:
    ran, base = stuffer
    again = fraud("replay", ran.json["decision_id"], "--json", "--workspace", base / "workspace")
    assert (again.code, again.json["same"], again.json["differences"]) == (0, True, [])
    assert again.json["now"]["outcome"] == ran.json["outcome"]


def test_the_profile_is_kept_for_the_next_applicant(stuffer: tuple[Ran, Path], env: Mapping[str, str]) -> None:
    workspace = stuffer[1] / "workspace"
    ran = fraud("vet", "stuffer.test", "--json", "--workspace", workspace, env=env)
    assert statuses(ran.json)["website.hidden_tracking"] == "finding"


def test_people_see_the_outcome_the_checks_and_what_would_settle_it(env: Mapping[str, str], profile: Path, tmp_path: Path) -> None:
    ran = fraud("vet", "http://stuffer.test/", "--program", profile, "--workspace", tmp_path, env=env)
    first, *table = ran.out.splitlines()
    assert re.fullmatch(r"review: risk \d\.\d\d, coverage \d+% \(.*forced_click.*\)", first)
    assert any(line.startswith("finding ") and "website.hidden_tracking" in line for line in table)
    assert any(line.startswith("Would settle it: ") for line in table)
    assert max(len(line) for line in table if "│" in line) <= 80
    assert re.search(r"Decision (dec_\w+); fraud replay \1", ran.err)


@pytest.mark.parametrize("url", ["http://nobody-home.test/", "http://169.254.169.254/", "http://127.0.0.1/", "http://[::1]/"])
def test_a_site_that_cannot_be_reached_is_a_dossier_and_no_error(tmp_path: Path, url: str) -> None:
    """Nothing listens where every connection is sent; literal addresses are refused before any is made."""
    env = {"FRAUD_CRAWL_CONNECT_TO": "80=127.0.0.1:9,443=127.0.0.1:9", "FRAUD_CRAWL_DELAY": "0"}
    ran = fraud("vet", url, "--json", "--workspace", tmp_path, env=env)
    assert ran.code == 0, ran.err
    check_dossier(ran.json)
    found = statuses(ran.json)
    assert found["website.reachable"] == "inconclusive"
    assert "finding" not in found.values()
    assert "clear" not in found.values()
    assert ran.json["outcome"] == "request_info"
    assert ran.json["coverage"] == 0


def test_a_redirect_to_an_inner_address_is_not_followed(env: Mapping[str, str], tmp_path: Path) -> None:
    """As a process of its own: the server's answer points at a cloud's metadata, and the crawler stays outside."""
    ran = fraud_process("vet", "http://inner.test/", "--json", "--workspace", tmp_path, env=env)
    assert ran.code == 0, ran.err
    check_dossier(ran.json)
    (reachable,) = [signal for signal in ran.json["signals"] if signal["check_id"] == "website.reachable"]
    assert reachable["status"] == "inconclusive"
    assert "169.254.169.254" in reachable["text"]
    assert ran.json["outcome"] == "request_info"


def test_an_application_in_json(env: Mapping[str, str], tmp_path: Path) -> None:
    file = tmp_path / "application.json"
    file.write_text('{"application_id": "a-7", "name": "Ann", "email": "ann@plain.test", "websites": ["http://plain.test/"]}')
    ran = fraud("vet", "--application", file, "--json", "--workspace", tmp_path / "workspace", env=env)
    check_dossier(ran.json)
    assert ran.json["application_id"] == "a-7"
    assert statuses(ran.json)["website.reachable"] == "clear"


def test_a_batch_gives_a_dossier_a_row_in_order(env: Mapping[str, str], tmp_path: Path) -> None:
    file = tmp_path / "batch.csv"
    file.write_text("application_id,websites\nfirst,http://plain.test/\nsecond,http://inner.test/\nthird,http://stuffer.test/\n")
    ran = fraud("vet", "--batch", file, "--json", "--out", tmp_path / "out", "--workspace", tmp_path / "workspace", env=env)
    assert [document["application_id"] for document in ran.json] == ["first", "second", "third"]
    for document in ran.json:
        check_dossier(document)
        assert (tmp_path / "out" / document["application_id"] / "dossier.json").is_file()


@pytest.mark.data
def test_real_parked_pages_are_not_approved(test_data: Path, tmp_path: Path) -> None:
    files = sorted((test_data / "pages" / "parked").glob("*.html"))
    web: Web = {f"parked{number}.test/*": Answer(file.read_bytes()) for number, file in enumerate(files)}
    batch = tmp_path / "batch.csv"
    batch.write_text("websites\n" + "".join(f"http://parked{number}.test/\n" for number in range(len(files))))
    with served(web) as settings:
        out = tmp_path / "out"
        ran = fraud("vet", "--batch", batch, "--json", "--out", out, "--workspace", tmp_path / "workspace", env=through(settings))
    assert len(ran.json) == len(files) == 3
    for document in ran.json:
        check_dossier(document)
        assert document["outcome"] != "approve"
        check_quotations(document, bodies_in(out / document["application_id"]))
