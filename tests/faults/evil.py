"""R8: thousands of evil requests to all routes on both ports, while a good client goes on; what came of it."""

import contextlib
import json
import random
import re
import socket
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.faults.evil_requests import any_request
from tests.serving.server_process import Server, eventually, serving

__all__ = ["Found", "run"]

MOST_GROWN_MB = 64
SLOWEST_MS = 250
CLIENTS = 6
TIMEOUT_S = 60.0
TRAIN_S = 300.0
GOOD = [{"message": f"user {n} logged in from 10.0.0.{n}", "source": "app", "level": "info"} for n in range(40)]


@dataclass
class Found:
    """What was seen; `wrong` is empty when all was right but for times and memory."""

    requests: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    good_ms: list[float] = field(default_factory=list)
    rss_before_mb: float = 0.0
    rss_after_mb: float = 0.0
    rss_most_mb: float = 0.0

    @property
    def grown_mb(self) -> float:
        """How much more memory the server has after all of them."""
        return self.rss_after_mb - self.rss_before_mb

    @property
    def good_p99_ms(self) -> float:
        """The good client's wait, at the 99th percentile."""
        return statistics.quantiles(self.good_ms, n=100)[98] if len(self.good_ms) > 1 else 0.0

    @property
    def passed(self) -> bool:
        """Everything held, times and memory too."""
        return not self.wrong and self.grown_mb <= MOST_GROWN_MB and self.good_p99_ms <= SLOWEST_MS

    def figures(self) -> dict[str, Any]:
        """For the report."""
        memory = {"grown_mb": round(self.grown_mb, 1), "most_mb": round(self.rss_most_mb - self.rss_before_mb, 1)}
        good = {"good_requests": len(self.good_ms), "good_p99_ms": round(self.good_p99_ms, 1)}
        return {"requests": self.requests, "statuses": dict(self.statuses), **memory, **good, "wrong": self.wrong[:10]}


def run(folder: Path, *, seed: int, requests: int, big_share: float, trains: bool = True) -> Found:
    """Send them all, in a few connections at a time, to a server of its own, which has a model where it `trains`."""
    found = Found()
    with serving(folder / "home") as server:
        if trains:
            server.client.post("/train", json=GOOD, timeout=TRAIN_S).raise_for_status()
        for _ in range(100):
            server.client.post("/logs?score=true", json=GOOD)
        found.rss_before_mb = found.rss_most_mb = _rss_mb(server)
        stop = threading.Event()
        good = threading.Thread(target=_good_client, args=(server.urls[0], stop, found))
        good.start()
        try:
            with ThreadPoolExecutor(CLIENTS) as pool:
                for one in range(CLIENTS):
                    pool.submit(
                        _evil_client, server, random.Random(seed * 1000 + one), requests // CLIENTS, big_share, found
                    )
        finally:
            stop.set()
            good.join()
        eventually(lambda: server.client.get("/ready").status_code == 200)
        _judge_the_end(server, found, trains)
    return found


def _judge_the_end(server: Server, found: Found, trains: bool) -> None:
    """The server lives, its books balance, its log has no traceback, and its memory is given back."""
    books = server.client.get("/status").json()["ledger"]
    if books["received"] != books["accepted"] + books["rejected"]:
        found.wrong.append(f"books {books}")
    if trains and server.client.post("/predict", json=GOOD[0]).status_code != 200:
        found.wrong.append("no verdict any more")
    with contextlib.suppress(TimeoutError):
        eventually(lambda: _rss_mb(server) - found.rss_before_mb <= MOST_GROWN_MB, timeout_s=20)
    found.rss_after_mb = _rss_mb(server)
    if (code := server.stop()) != 0:
        found.wrong.append(f"exit code {code}")
    said = "".join(server.said)
    if "Traceback" in said:
        found.wrong.append(said[said.index("Traceback") - 200 :][:1500])


def _evil_client(server: Server, rng: random.Random, count: int, big_share: float, found: Found) -> None:
    for _ in range(count):
        kind, sent = any_request(rng, big_share=big_share)
        address = urlsplit(rng.choice(server.urls))
        leaves = rng.random() < 0.03
        try:
            answer = _exchange((str(address.hostname), int(address.port or 0)), sent, leaves=leaves)
        except TimeoutError:
            found.wrong.append(f"{kind}: no answer within {TIMEOUT_S} s")
            continue
        found.requests += 1
        status = _status(answer)
        found.statuses[status] += 1
        if status.startswith("5") and not (status == "503" and b"\r\nretry-after:" in answer.lower()):
            found.wrong.append(f"{kind}: {answer[:300]!r} to {sent[:200]!r}")
        found.rss_most_mb = max(found.rss_most_mb, _rss_mb(server))


def _exchange(address: tuple[str, int], sent: bytes, *, leaves: bool) -> bytes:
    """The answer's beginning; nothing where the client leaves, or the server cuts it off."""
    answer = b""
    with socket.create_connection(address, timeout=TIMEOUT_S) as client, contextlib.suppress(ConnectionError):
        client.sendall(sent[: len(sent) // 2] if leaves else sent)
        if leaves:
            return b""
        while len(answer) < 4096 and (piece := client.recv(4096)):
            answer += piece
    return answer


def _status(answer: bytes) -> str:
    found = re.match(rb"HTTP/1\.1 (\d\d\d)", answer)
    return found[1].decode() if found else "cut"


def _good_client(url: str, stop: threading.Event, found: Found) -> None:
    """One log a time, fifty a second, each to be acknowledged."""
    body = json.dumps(GOOD[0]).encode()
    with httpx.Client(base_url=url, timeout=TIMEOUT_S) as client:
        while not stop.wait(0.02):
            began = time.perf_counter()
            status = client.post("/logs", content=body, headers={"Content-Type": "application/json"}).status_code
            found.good_ms.append((time.perf_counter() - began) * 1000)
            if status != 202:
                found.wrong.append(f"the good client got {status}")


def _rss_mb(server: Server) -> float:
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024
