"""`fraud backup` beside a service under load, and `fraud restore`: every click that was answered before is there, exactly once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.api.test_kills import SENDERS, kept, send, serving
from tests.cli.commands import fraud


def test_a_backup_in_mid_load_has_every_click_that_was_answered_before(tmp_path: Path) -> None:
    live, back, acknowledged = tmp_path / "live", tmp_path / "back", list[str]()
    with serving(live) as (url, process):
        senders = [threading.Thread(target=send, args=(url, f"s{number}", acknowledged)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        while len(acknowledged) < 50:
            time.sleep(0.05)
        before = set(acknowledged)
        said = fraud("backup", tmp_path / "backup", "--workspace", live)
        process.kill()
        for sender in senders:
            sender.join()
    assert (said.code, "Backed up" in said.err) == (0, True)
    assert fraud("restore", tmp_path / "backup", "--check").code == 0
    assert fraud("restore", tmp_path / "backup", "--workspace", back).code == 0
    with serving(back) as (_, process):  # which brings what stood in the journal to where it belongs
        process.terminate()
        process.wait(60)
    found = kept(back)
    assert before <= set(found)
    assert set(found.values()) == {1}


def test_what_is_no_backup_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    said = fraud("restore", tmp_path / "folder", "--workspace", tmp_path / "new")
    assert (said.code, "is no backup" in said.err) == (1, True)
