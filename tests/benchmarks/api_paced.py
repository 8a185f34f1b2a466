"""An open loop of single clicks: each is sent when it is due, and its latency counts from then. Prints its figures as JSON."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from urllib.parse import urlsplit

CONNECTIONS = 64


async def worker(host: str, port: int, due: asyncio.Queue[tuple[float, bytes] | None], taken: list[float], failed: list[int]) -> None:
    """Sends what is due over one connection."""
    reader, writer = await asyncio.open_connection(host, port)
    while (item := await due.get()) is not None:
        at, request = item
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        taken.append(time.perf_counter() - at)
        if b" 200 " not in head[:20]:
            failed.append(1)
    writer.close()


def request_of(number: int, path: str, key: str, run: str) -> bytes:
    """One click."""
    draw = random.random
    body = json.dumps(
        {
            "click_id": f"{run}-{number}",
            "clicked_at": int(time.time()),
            "affiliate_id": f"aff-{int(draw() * 200)}",
            "offer_id": f"offer-{int(draw() * 20)}",
            "ip": f"{int(draw() * 220) + 1}.{int(draw() * 255)}.{int(draw() * 255)}.7",
            "user_agent": f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{100 + int(draw() * 40)}.0 Safari/537.36",
            "country": "DE",
        }
    ).encode()
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def main(url: str, key: str, rate: float, seconds: float) -> None:
    """Runs the loop and prints requests per second, p50 and p99 in milliseconds, and failures."""
    place = urlsplit(url)
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    taken: list[float] = []
    failed: list[int] = []
    run = f"p{time.time_ns():x}"
    requests = [request_of(number, place.path, key, run) for number in range(int(rate * seconds))]
    workers = [asyncio.create_task(worker(str(place.hostname), int(place.port or 80), due, taken, failed)) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.2)
    start = time.perf_counter()
    for number, request in enumerate(requests):
        at = start + number / rate
        while (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((at, request))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    taken.sort()
    figures = {
        "per_second": len(taken) / (time.perf_counter() - start),
        "p50": taken[len(taken) // 2] * 1000,
        "p99": taken[int(len(taken) * 0.99)] * 1000,
        "failed": len(failed),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
