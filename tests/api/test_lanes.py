"""Lanes: work beside the event loop, so much of it at once, and a refusal at once beyond that."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fraud.api.lanes import Busy, Lane
from fraud.errors import StorageError


def test_what_the_work_gives_or_raises_comes_back() -> None:
    def fails() -> None:
        raise ValueError("inside")

    async def main() -> None:
        lane = Lane("test", 1, 0)
        assert await lane.run(lambda: threading.current_thread().name.startswith("test"))
        with pytest.raises(ValueError, match="inside"):
            await lane.run(fails)
        assert await lane.run(lambda: 7) == 7

    asyncio.run(main())


def test_a_full_lane_refuses_at_once_and_the_loop_goes_on() -> None:
    async def main() -> None:
        lane, gate = Lane("test", 1, 1), threading.Event()
        under_way = [asyncio.ensure_future(lane.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 requests"):
            await lane.run(lambda: None)
        gate.set()
        assert await asyncio.gather(*under_way) == [True, True]
        assert await lane.run(lambda: "again") == "again"

    asyncio.run(main())


def test_work_that_nobody_waits_for_any_more_still_holds_its_place() -> None:
    async def main() -> None:
        lane, gate = Lane("test", 1, 0), threading.Event()
        started = threading.Event()

        def work() -> None:
            started.set()
            gate.wait()

        task = asyncio.ensure_future(lane.run(work))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(StorageError):
            await lane.run(lambda: None)
        gate.set()

    asyncio.run(main())
