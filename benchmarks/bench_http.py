"""Acknowledged events a second over HTTP, at 1, 100 and 1,000 a request, against a FastAPI endpoint in the tutorial's
way that commits to SQLite before it answers."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.lines import fleet_frame
from benchmarks.measure import Figure, pair
from benchmarks.servers import our_server, peer_server

CONNECTIONS = 32
SECONDS = 4.0
SIZES = (1, 100, 1000)


def run(rounds: int) -> list[Figure]:
    rows = fleet_frame(1000).select("timestamp", "level", "source", "message").to_dicts()
    documents = [{**row, "timestamp": row["timestamp"].isoformat()} for row in rows]
    figures = []
    with tempfile.TemporaryDirectory() as folder, our_server(Path(folder)) as ours, peer_server("plain_ingest") as peer:
        for size in SIZES:
            body = json.dumps(documents[:size]).encode()
            taken: tuple[list[float], list[float]] = ([], [])
            for number in range(rounds + 1):
                for url, into in zip((ours, peer), taken, strict=True):
                    rate = asyncio.run(_load(url, body, size, SECONDS if number else 1.0))
                    if number:
                        into.append(rate)
            figures.append(pair(f"acked events over HTTP, {size} a request", "events/s", *taken, "FastAPI + SQLite"))
    return figures


async def _load(url: str, body: bytes, size: int, seconds: float) -> float:
    """Events acknowledged a second over 32 connections that each send again as soon as they are answered."""
    host, port = url.removeprefix("http://").split(":")
    request = (
        f"POST /logs HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    end = time.perf_counter() + seconds
    start = time.perf_counter()
    counts = await asyncio.gather(*(_connection(host, int(port), request, end) for _ in range(CONNECTIONS)))
    return sum(counts) * size / (time.perf_counter() - start)


async def _connection(host: str, port: int, request: bytes, end: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    answers = 0
    while time.perf_counter() < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 202"), head
        length = next(int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length"))
        await reader.readexactly(length)
        answers += 1
    writer.close()
    return answers
