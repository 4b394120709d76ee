"""R5: Elasticsearch is away for a while at a steady intake; then the same until the spool is full."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from tests.faults.fake_control import FakeElastic
from tests.faults.io_server import post
from tests.faults.kill import drain, judge, ledger_of
from tests.faults.load import Clients, Link
from tests.faults.oracle import HTTP, POISON, Oracle, Verdict, body_of
from tests.faults.processes import Home, Server

__all__ = ["Bound", "Outage", "fill", "run"]

WARM_S = 15.0  # at the same load, with the store up: what every process takes once (caches, arenas) is no growth
BATCH, SMALL_BATCH = 500, 10


@dataclass
class Outage:
    """Figures of an outage and the oracle's verdict."""

    rate: float
    down_s: float
    sent: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    rss_before_mb: float = 0.0
    rss_down_mb: float = 0.0  # the most while the store was away
    rss_most_mb: float = 0.0  # the most until all was drained
    backlog: int = 0
    drain_s: float = 0.0
    drained_per_s: float = 0.0
    refused_after: int = 0  # 429 from the fake while it drained: none was provoked
    verdict: Verdict = field(default_factory=Verdict)

    def figures(self) -> dict[str, object]:
        """All figures as plain values."""
        return vars(self) | {"verdict": self.verdict.counts()}


def rss_mb(pid: int, *, most: bool = False) -> float:
    """Resident memory of a process, MiB; the `most` it was since `forget_most`, as the kernel keeps it."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmHWM:" if most else "VmRSS:")[1].split()[0]) / 1024


def forget_most(pid: int) -> None:
    """Begin the kernel's high-water mark anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def run(folder: Path, *, seed: int, rate: float, down_s: float, warm_s: float = WARM_S) -> Outage:
    """`rate` events a second over HTTP before, during and after an outage of `down_s` seconds."""
    found, oracle = Outage(rate, down_s), Oracle(seed)
    with FakeElastic(seed=seed) as fake:
        fake.rules(poison=POISON)
        home = Home(folder, elastic_url=fake.url)
        server = Server(home)
        server.start()
        server.wait_ready()
        assert server.process is not None
        clients = Clients(oracle, server.port, total=10**9, rate=lambda: rate)
        clients.start()
        try:
            time.sleep(warm_s)
            forget_most(server.process.pid)
            found.rss_before_mb, before = rss_mb(server.process.pid), len(clients.latencies_s)
            fake.down()
            time.sleep(down_s)
            found.rss_down_mb = rss_mb(server.process.pid, most=True)
            latencies = np.array(clients.latencies_s[before:]) * 1000
            found.p50_ms, found.p99_ms = (float(np.percentile(latencies, q)) for q in (50, 99))
            found.backlog, found.drain_s = catch_up(server, fake)
            found.drained_per_s = found.backlog / max(found.drain_s, 0.01)
        finally:
            clients.stop()
            clients.join()
        assert not clients.failures, clients.failures
        drain(home, server, fake)
        found.rss_most_mb = rss_mb(server.process.pid, most=True)
        found.sent, found.verdict = oracle.issued(HTTP), judge(oracle, home, server, fake)
        server.stop()
    return found


def catch_up(server: Server, fake: FakeElastic) -> tuple[int, float]:
    """Elasticsearch is back: the backlog, and the seconds from its first delivery until it is gone; intake goes on."""
    backlog, created = int(str(ledger_of(server)["waiting"])), fake.stats()["created"]
    fake.up()
    while fake.stats()["created"] == created:
        time.sleep(0.02)
    began = time.monotonic()
    while fake.stats()["created"] < created + backlog * 0.99 and time.monotonic() - began < 300:
        time.sleep(0.05)
    return backlog, time.monotonic() - began


@dataclass
class Bound:
    """What came when the spool was full."""

    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    retry_after: set[str] = field(default_factory=set)
    ready_again: bool = False
    verdict: Verdict = field(default_factory=Verdict)


def fill(folder: Path, *, seed: int, tries_after: int = 200, settings: dict[str, object] | None = None) -> Bound:
    """Send without a store until the spool refuses, go on sending, then let the store come back and drain."""
    found, oracle = Bound(), Oracle(seed)
    with FakeElastic(seed=seed) as fake:
        fake.rules(poison=POISON)
        home = Home(folder, elastic_url=fake.url, settings=settings or {"LOG_SENTINEL_SPOOL_MAX_MB": 16})
        server = Server(home)
        server.start()
        server.wait_ready()
        fake.down()
        press(server, oracle, found, tries_after)
        drain(home, server, fake)
        found.ready_again = server.wait_ready() < 30
        found.ready_again = found.ready_again and post(server, oracle) == 202
        drain(home, server, fake)
        found.verdict = judge(oracle, home, server, fake)
        server.stop()
    return found


def press(server: Server, oracle: Oracle, found: Bound, tries_after: int) -> None:
    """Send until refused, and `tries_after` requests more; count the answers."""
    lock, threads = threading.Lock(), []

    def client() -> None:
        link, left = Link(server.port), tries_after // 2
        while left:
            numbers = oracle.issue(HTTP, SMALL_BATCH if found.refused else BATCH)
            status, answer = link.post("/logs", body_of([oracle.event(HTTP, n) for n in numbers], None), None)
            with lock:
                if status == 202:
                    found.accepted += orjson.loads(answer)["accepted"]
                    oracle.acknowledge(HTTP, numbers)
                else:
                    found.refused[str(status)] = found.refused.get(str(status), 0) + 1
                    found.retry_after.add(link.retry_after)
                    left -= 1
        link.close()

    for _ in range(2):
        threads.append(threading.Thread(target=client))
        threads[-1].start()
    for thread in threads:
        thread.join()
