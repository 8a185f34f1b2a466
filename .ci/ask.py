"""Asks a running demonstration what a newcomer would: is it up, does the sign-in work, are there alerts and dossiers, does it score?"""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

address, workspace = sys.argv[1], Path(sys.argv[2])
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))


def key(role: str) -> str:
    """The key of a role, from the file that the first start wrote."""
    text = (workspace / "secrets" / "keys.txt").read_text()
    found = re.search(rf"\bfk_{role}_\S+", text)
    if not found:
        sys.exit(f"no {role} key in {workspace}/secrets/keys.txt")
    return found.group(0)


def page(path: str, form: dict[str, str] | None = None) -> str:
    """A page's text, after redirects."""
    data = urlencode(form).encode() if form else None
    with browser.open(address + path, data, timeout=60) as answer:
        return str(answer.read().decode())


def score(click_id: str) -> dict[str, object]:
    """The answer to one click."""
    body = {"click_id": click_id, "clicked_at": "2026-03-31T10:00:00Z", "affiliate_id": "somebody", "user_agent": "curl/8.0"}
    headers = {"Authorization": f"Bearer {key('score')}", "Content-Type": "application/json"}
    asked = urllib.request.Request(address + "/v1/score/click", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return dict(json.load(answer))


def expect(what: str, *, held: bool) -> None:
    """Ends the script when something did not hold."""
    print(("ok    " if held else "FAILED ") + what)
    if not held:
        sys.exit(1)


try:
    page("/login", {"key": "wrong", "next": "/"})
    refused = False
except urllib.error.HTTPError as fault:
    refused = fault.code in {401, 403}
expect("a wrong key is refused", held=refused)
today = page("/login", {"key": key("review"), "next": "/"})
expect("a key signs in", held="Sign out" in today)
expect("alerts are open", held="/affiliates/" in today)
expect("applicants are listed", held="demo-trailnotes" in page("/applications?state=all"))
expect("a parked applicant needs review", held="Needs review" in page("/applications/demo-maplecrossing"))
answer = score("ci-1")
expect("a declared robot is blocked, with its reason", held=answer["decision"] == "block" and bool(answer["reasons"]))
expect("a model served it", held=answer["degraded"] is False)
expect("a repeated click gets the same answer", held=score("ci-1") == answer)
