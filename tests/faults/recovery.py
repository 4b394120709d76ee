"""Recovery: how fast, how gently and in what order a backlog reaches a real Elasticsearch; starts with a big one."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sentinel.records import RECORD_SCHEMA
from sentinel.spool import Spool
from tests.elastic_server import ElasticServer
from tests.faults.fake_control import FakeElastic
from tests.faults.kill import dead_messages, drain, ledger_of
from tests.faults.load import Clients
from tests.faults.oracle import HTTP, Oracle, Verdict
from tests.faults.outage import WARM_S, rss_mb
from tests.faults.processes import Home, Server
from tests.faults.real_elastic import INDEX, ask, conflict, dump

__all__ = ["Drain", "Start", "drain_backlog", "start_with"]

MIB = 1024 * 1024
FILL_RECORDS = 5_000  # a commit
MESSAGE_HEX = 180  # random bytes of a message: hardly to be compressed
WATCHED_S = 20.0  # after the start, of which the second half with the store back
STARTS = 3
PAGE = 10_000


@dataclass
class Drain:
    """A backlog that meets a real Elasticsearch while the intake goes on."""

    rate: float
    down_s: float
    backlog: int = 0
    drain_s: float = 0.0
    times_intake: float = 0.0  # records stored a second while it drained, over those taken in
    refused_429: int = 0  # what Elasticsearch refused for want of room, by its own count
    furthest_out_of_order: int = 0  # records: the most by which one was stored after a later one
    verdict: Verdict = field(default_factory=Verdict)

    def figures(self) -> dict[str, object]:
        """All figures as plain values."""
        return vars(self) | {"verdict": self.verdict.counts()}


def drain_backlog(folder: Path, elastic: ElasticServer, *, seed: int, rate: float, down_s: float) -> Drain:
    """Elasticsearch is killed at `rate` events a second, stays away for `down_s` seconds and comes back."""
    found, oracle = Drain(rate, down_s), Oracle(seed)
    home = Home(folder, elastic_url=elastic.url, settings={"ELASTIC_INDEX": INDEX})
    server = Server(home)
    server.start()
    server.wait_ready()
    conflict(elastic, datetime.now(UTC).strftime("%Y.%m"))
    clients = Clients(oracle, server.port, total=10**9, rate=lambda: rate)
    clients.start()
    try:
        time.sleep(WARM_S / 3)
        elastic.kill9()
        time.sleep(down_s)
        elastic.start()
        found.backlog, found.drain_s, found.times_intake = _catch_up(server)
    finally:
        clients.stop()
        clients.join()
    assert not clients.failures, clients.failures
    drain(home, server, None)
    found.refused_429, found.furthest_out_of_order = _refused(elastic), _disorder(elastic)
    found.verdict = oracle.judge(dump(elastic), dead_messages(home))
    oracle.balance(found.verdict, ledger_of(server))
    assert found.verdict.issued == oracle.issued(HTTP)
    server.stop()
    return found


def _counts(server: Server) -> tuple[int, int, int]:
    ledger = ledger_of(server)
    accepted, delivered, dead, waiting = (int(str(ledger[n])) for n in ("accepted", "delivered", "dead", "waiting"))
    return accepted, delivered + dead, waiting


def _catch_up(server: Server) -> tuple[int, float, float]:
    """The backlog, the seconds from its first delivery until it is gone, and the speed over that of the intake."""
    _, settled, backlog = _counts(server)
    while _counts(server)[1] == settled:
        time.sleep(0.02)
    accepted, settled, _ = _counts(server)
    began, mark = time.monotonic(), accepted
    while (now := _counts(server))[1] < mark and time.monotonic() - began < 300:
        time.sleep(0.1)
    took_s = time.monotonic() - began
    return backlog, took_s, (now[1] - settled) / max(now[0] - accepted, 1)


def _refused(elastic: ElasticServer) -> int:
    """Bulks that Elasticsearch has refused since its start: no room in its queue, or too many bytes in flight."""
    nodes = ask(elastic, "GET", "/_nodes/stats/thread_pool,indexing_pressure")["nodes"]
    refused = 0
    for node in nodes.values():  # type: ignore[attr-defined]
        refused += node["thread_pool"]["write"]["rejected"]
        total = node["indexing_pressure"]["memory"]["total"]
        refused += sum(count for name, count in total.items() if name.endswith("_rejections"))
    return refused


def _disorder(elastic: ElasticServer) -> int:
    """The most by which a sequence lies below one that Elasticsearch took earlier."""
    query: dict[str, object] = {"size": PAGE, "sort": ["_seq_no"], "_source": False}
    query |= {"docvalue_fields": ["sentinel.sequence"], "track_total_hits": False}
    highest = worst = 0
    while True:
        hits = ask(elastic, "POST", f"/{INDEX}-events-*/_search", query)["hits"]["hits"]  # type: ignore[index]
        if not hits:
            return worst
        for hit in hits:
            (sequence,) = hit["fields"]["sentinel.sequence"]
            highest, worst = max(highest, sequence), max(worst, highest - sequence)
        query["search_after"] = hits[-1]["sort"]


@dataclass
class Start:
    """Starts of the server with a backlog and, on the same machine, with an empty home."""

    waiting: int = 0
    spool_mib: float = 0.0
    ready_s: list[float] = field(default_factory=list)
    ready_empty_s: list[float] = field(default_factory=list)
    rss_empty_mb: float = 0.0
    rss_most_mb: float = 0.0  # until some seconds after the last start, the store away and then back
    delivered: int = 0  # by then

    def figures(self) -> dict[str, object]:
        """All figures as plain values."""
        return dict(vars(self))


def start_with(folder: Path, *, mib: int) -> Start:
    """Start on an empty home, and on one whose spool holds `mib` MiB that wait; Elasticsearch away, then back."""
    found = Start()
    with FakeElastic() as fake:
        empty = Server(Home(folder / "empty", elastic_url=fake.url))
        found.rss_empty_mb, _ = _starts(empty, fake)
        found.ready_empty_s = empty.ready_s
        home = Home(folder / "full", elastic_url=fake.url, settings={"LOG_SENTINEL_SPOOL_MAX_MB": 4 * mib})
        found.waiting = fill(home.home / "spool", mib)
        found.spool_mib = sum(file.stat().st_size for file in (home.home / "spool").iterdir()) / MIB
        server = Server(home)
        found.rss_most_mb, found.delivered = _starts(server, fake)
        found.ready_s = server.ready_s
    return found


def _starts(server: Server, fake: FakeElastic) -> tuple[float, int]:
    """Start a few times, killed in between; the most memory of the last, and what was delivered in the end."""
    fake.down()
    for _ in range(STARTS):
        server.kill()
        server.start()
        server.wait_ready()
    assert server.process is not None
    time.sleep(WATCHED_S / 2)
    fake.up()
    time.sleep(WATCHED_S / 2)
    most_mb = rss_mb(server.process.pid, most=True)
    server.stop()
    return most_mb, fake.stats()["created"]


def fill(folder: Path, mib: int) -> int:
    """Append records to the spool in `folder` until it holds `mib` MiB; how many records that were."""
    folder.mkdir(parents=True)
    now, count, first = datetime.now(UTC), 0, secrets.token_hex(5)
    with Spool.open(folder, max_bytes=8 * mib * MIB, min_free_bytes=1) as spool:
        while sum(file.stat().st_size for file in folder.iterdir()) < mib * MIB:
            with spool.transaction() as tx:
                tx.append(_records(FILL_RECORDS, first, count, now))
            count += FILL_RECORDS
    return count


def _records(count: int, first: str, start: int, now: datetime) -> pl.DataFrame:
    columns: dict[str, list[object]] = {
        "event_id": [f"{first}{start + row:012d}" for row in range(count)],
        "partition": [now.strftime("%Y.%m")] * count,
        "timestamp": [now] * count,
        "received": [now] * count,
        "source": [f"app-{row % 20}" for row in range(count)],
        "host": ["machine"] * count,
        "message": [secrets.token_hex(MESSAGE_HEX) for _ in range(count)],
    }
    return pl.DataFrame({name: columns.get(name, [None] * count) for name in RECORD_SCHEMA}, schema=RECORD_SCHEMA)
