"""Latency of `/predict` for one line, against a plain FastAPI endpoint that calls score_samples on one row."""

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.lines import fleet_frame
from benchmarks.measure import Figure, pair
from benchmarks.servers import our_server, peer_server

CALLS = 400


def run(rounds: int) -> list[Figure]:
    frame = fleet_frame(22_000).select("timestamp", "level", "source", "message")
    documents = [{**row, "timestamp": row["timestamp"].isoformat()} for row in frame.to_dicts()]
    training, lines = documents[:20_000], documents[20_000 : 20_000 + CALLS]
    medians: tuple[list[float], list[float]] = ([], [])
    tails: tuple[list[float], list[float]] = ([], [])
    with (
        tempfile.TemporaryDirectory() as folder,
        our_server(Path(folder)) as ours,
        peer_server("plain_predict") as peer,
    ):
        _post(ours, "/train", training, timeout_s=300)
        for number in range(rounds + 1):
            for url, middle, tail in zip((ours, peer), medians, tails, strict=True):
                times = sorted(_latencies(url, lines))
                if number:
                    middle.append(statistics.median(times) * 1e3)
                    tail.append(times[int(len(times) * 0.99)] * 1e3)
    return [
        pair("/predict, one line, p50", "ms", *medians, "FastAPI + score_samples", "≤ 0.2 × peer"),
        pair("/predict, one line, p99", "ms", *tails, "FastAPI + score_samples"),
    ]


def _latencies(url: str, lines: list[dict[str, object]]) -> list[float]:
    """Seconds from request to answer, one after the other on one connection."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    times = []
    for line in lines:
        body = json.dumps(line)
        start = time.perf_counter()
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.perf_counter() - start)
        assert answer.status == 200, content
    return times


def _post(url: str, route: str, value: object, *, timeout_s: float) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout_s)
    connection.request("POST", route, json.dumps(value), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
