"""The demonstration and the service, run as they are run: pages, keys, answers, and what is left when it ends."""

from __future__ import annotations

import http.client
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fraud.app import demonstration
from fraud.app.parts import App
from fraud.cli.serving import MOST_OPEN_FILES
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.simulation.sites.applications import APPLICATIONS
from fraud.simulation.spec import SimulationSpec
from tests.cli.commands import Ran, command, environment, fraud
from tests.conftest import settings_of
from tests.servers import free_port

SMALL = SimulationSpec(seed=3, affiliates=40, days=10, clicks_per_day=6.0, bad_share=0.2, hard_share=0.1)
SECONDS_TO_START = 60
CLICK = {
    "click_id": "c-1",
    "clicked_at": "2026-03-31T10:00:00Z",
    "affiliate_id": "aff-7",
    "ip": "73.0.0.1",
    "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
}


@dataclass
class Service:
    """A running `fraud serve` and what it said at its start."""

    process: subprocess.Popen[str]
    port: int
    said: list[str]
    cookie: str = ""

    def get(self, path: str) -> tuple[int, str]:
        return self.ask("GET", path, None, {"Cookie": self.cookie} if self.cookie else {})

    def ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            cookie = response.getheader("Set-Cookie")
            if cookie:
                self.cookie = cookie.partition(";")[0]
            return response.status, response.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A small demonstration, made by `fraud demo`."""
    workspace = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demonstration, "SPEC", SMALL)
        return workspace, fraud("demo", "--workspace", workspace)


@pytest.fixture(scope="module")
def service(made: tuple[Path, Ran]) -> Iterator[Service]:
    """`fraud serve` on it, as a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        command("serve", "--port", port, "--workspace", made[0]),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = [process.stdout.readline().rstrip("\n") for _ in range(3)]
        running = Service(process, port, said)
        await_answer(running)
        yield running
    finally:
        process.kill()
        process.communicate()


def await_answer(service: Service) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            service.get("/healthz")
        except ConnectionRefusedError:
            assert service.process.poll() is None, service.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def key_of(workspace: Path, role: str) -> str:
    lines = (workspace / "secrets" / "keys.txt").read_text().splitlines()
    return next(line.split("\t")[3] for line in lines if line.startswith(f"{role}\t"))


def test_the_demonstration_has_all_three_jobs_in_it(made: tuple[Path, Ran]) -> None:
    workspace, ran = made
    assert ran.code == 0, ran.err
    assert f"Made {workspace}. Next: fraud serve --workspace {workspace}" in ran.err
    app = App(settings_of(workspace))
    assert len(app.stores.applications.dossiers(DEFAULT_PROGRAM, 10)) == len(APPLICATIONS)
    assert app.stores.scans.latest(DEFAULT_PROGRAM) is not None
    assert app.stores.alerts.open_alerts(DEFAULT_PROGRAM)
    app.close()


def test_the_second_time_it_is_ready_at_once(made: tuple[Path, Ran]) -> None:
    ran = fraud("demo", "--workspace", made[0])
    assert (ran.code, ran.err) == (0, f"The demonstration in {made[0]} is ready.\n")


def test_it_says_where_it_is_how_to_sign_in_and_where_the_keys_are(made: tuple[Path, Ran], service: Service) -> None:
    address = f"http://127.0.0.1:{service.port}"
    where, sign_in, keys = service.said
    assert where == f"Serving at {address}"
    assert f"{address}/login?ticket=" in sign_in
    assert keys == f"Keys: {made[0] / 'secrets' / 'keys.txt'}"


def test_it_is_alive_and_ready(service: Service) -> None:
    assert service.get("/healthz") == (200, '{"status":"alive"}')
    status, body = service.get("/readyz")
    assert (status, json.loads(body)["ready"]) == (200, True)


def test_nothing_is_shown_without_signing_in(service: Service) -> None:
    stranger = Service(service.process, service.port, [])
    status, body = stranger.get("/")
    assert status in {303, 401}
    assert "at risk" not in body
    assert stranger.ask("POST", "/v1/score/click", json.dumps(CLICK), {})[0] == 401


def test_the_link_signs_in_and_today_shows_alerts_and_applicants(made: tuple[Path, Ran], service: Service) -> None:
    match = re.search(r"http://\S+", service.said[1])
    assert match is not None
    link = urlsplit(match[0])
    assert service.get(f"{link.path}?{link.query}")[0] == 200
    status, page = service.get("/")
    assert status == 200
    app = App(settings_of(made[0]))
    alerts = app.stores.alerts.open_alerts(DEFAULT_PROGRAM)
    app.close()
    assert all(any(name in page for name in (alert.subject_id, *alert.members)) for alert in alerts[:8])
    status, listed = service.get("/applications?state=all")
    assert status == 200
    assert all(application.name in listed for application in APPLICATIONS)


def test_a_click_is_scored_as_the_readme_says(made: tuple[Path, Ran], service: Service) -> None:
    """`curl -d` calls any body a form; a tracker that does not set the type is understood all the same."""
    headers = {"Authorization": f"Bearer {key_of(made[0], 'score')}", "Content-Type": "application/x-www-form-urlencoded"}
    status, body = service.ask("POST", "/v1/score/click", json.dumps(CLICK), headers)
    assert status == 200, body
    answer = json.loads(body)
    assert (answer["click_id"], answer["degraded"], len(answer["models"])) == ("c-1", False, 1)
    assert answer["decision"] in {"allow", "review", "block"}


def test_an_application_that_is_sent_in_is_vetted(made: tuple[Path, Ran], service: Service) -> None:
    headers = {"X-API-Key": key_of(made[0], "review"), "Content-Type": "application/json"}
    status, body = service.ask("POST", "/v1/applications", json.dumps({"websites": ["http://127.0.0.1/"]}), headers)
    assert status == 202, body
    application_id = json.loads(body)["application_id"]
    deadline = time.monotonic() + 30
    state = "queued"
    while state in {"queued", "running"} and time.monotonic() < deadline:
        time.sleep(0.1)
        document = json.loads(service.ask("GET", f"/v1/applications/{application_id}", None, headers)[1])
        state = document.get("state", "done")
    assert state == "done"
    assert document["outcome"] == "request_info", "the crawler does not visit this machine"


def test_it_ends_when_told_to_and_what_was_answered_is_kept(made: tuple[Path, Ran], service: Service) -> None:
    headers = {"Authorization": f"Bearer {key_of(made[0], 'score')}"}
    answer = json.loads(service.ask("POST", "/v1/score/click", json.dumps({**CLICK, "click_id": "the-last"}), headers)[1])
    service.process.terminate()
    _, err = service.process.communicate(timeout=40)
    assert service.process.returncode in {0, -15}
    assert "Traceback" not in err
    ran = fraud("replay", answer["decision_id"], "--json", "--workspace", made[0])
    assert (ran.code, ran.json["same"]) == (0, True)
    assert ran.json["then"]["score"] == answer["score"]


ASKS = """
import resource
from fraud.cli.serving import allow_open_files
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
allow_open_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), hard)
"""


def test_it_may_open_as_many_files_as_the_system_grants() -> None:
    told = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, check=True).stdout
    soft, hard, before = map(int, told.split())
    assert hard == before
    assert soft == (MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES))
