"""File → real Elasticsearch: collect, parse, spool and deliver, against `parallel_bulk` with two threads."""

import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

from benchmarks.lines import syslog_bytes
from benchmarks.measure import Figure, alone, pair, timed
from benchmarks.servers import elastic, our_server
from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver, deliver_round
from sentinel.settings import load_settings
from sentinel.store.schema import events_mapping
from sentinel.wiring import opened

POLL_S = 0.05
LINES = int(os.environ.get("BENCH_LINES", "200000"))
WARM_UP = 2  # rounds that are not counted: Elasticsearch gets faster over its first million lines
SYSLOG = re.compile(r"(\w{3} +\d+ \d\d:\d\d:\d\d) (\S+) ([^\s\[:]+)(?:\[(\d+)\])?: (.*)")


@dataclass(frozen=True)
class Run:
    """One way of one file: lines a second, and CPU a line of the sender and of Elasticsearch, in µs."""

    rate: float
    own_us: float
    server_us: float


def run(rounds: int) -> list[Figure]:
    content = syslog_bytes(LINES)
    ours: list[Run] = []
    peer: list[Run] = []
    with elastic() as url:
        client = Elasticsearch(url, request_timeout=60)
        for _ in range(rounds + WARM_UP):
            ours.append(through_us(url, client, content))
            peer.append(_through_parallel_bulk(client, content))
    return [*figures("file → Elasticsearch", ours[WARM_UP:], peer[WARM_UP:], "parallel_bulk", "≥ 1.5 × peer")]


def figures(what: str, ours: list[Run], peer: list[Run], name: str, goal: str) -> Iterator[Figure]:
    """The rows of the table, from runs taken in turn."""
    yield pair(what, "lines/s", [r.rate for r in ours], [r.rate for r in peer], name, goal)
    yield pair("  CPU of the sender", "µs/line", [r.own_us for r in ours], [r.own_us for r in peer], name, "≤ 15 µs")
    server = ([r.server_us for r in ours], [r.server_us for r in peer])
    yield pair("  CPU of Elasticsearch", "µs/line", *server, name)
    both = ([r.own_us + r.server_us for r in ours], [r.own_us + r.server_us for r in peer])
    yield pair("  CPU of both", "µs/line", *both, name)
    yield alone("  lines measured", "lines", [float(LINES)])


def server_cpu_s(client: Elasticsearch) -> float:
    """CPU seconds that Elasticsearch has used since it started."""
    nodes = client.nodes.stats(metric="process")["nodes"].values()
    return sum(node["process"]["cpu"]["total_in_millis"] for node in nodes) / 1e3


def through_us(url: str, client: Elasticsearch, content: bytes) -> Run:
    """Collect and deliver one file, both at once as in service; all is in Elasticsearch when the clock stops.

    The index is there before the clock starts, as the peer's is: in service one is made once a month.
    """
    index = f"bench-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory() as folder:
        watched = Path(folder) / "in"
        watched.mkdir()
        (watched / "messages.log").write_bytes(content)
        settings = load_settings(
            elastic_addr=url,
            elastic_index=index,
            log_sentinel_home=Path(folder) / "home",
            log_sentinel_dir=watched,
        )
        with opened(settings) as sentinel:
            sentinel.store.setup()
            client.indices.create(index=f"{index}-events-{datetime.now(UTC):%Y.%m}")

            def work() -> None:
                with ThreadPoolExecutor(1) as pool:
                    collecting = pool.submit(collect, sentinel)
                    while not collecting.done():
                        turn = deliver_round(sentinel.spool, sentinel.store, "deliver", now_s=time.time())
                        if not turn.delivered:
                            time.sleep(0.005)
                    collecting.result()
                deliver(sentinel)

            before_s = server_cpu_s(client)
            wall_s, cpu_s = timed(work)
            used_s = server_cpu_s(client) - before_s
    check(client, f"{index}-events-*")
    drop(client, index)
    return Run(LINES / wall_s, cpu_s / LINES * 1e6, used_s / LINES * 1e6)


def through_server(url: str, client: Elasticsearch, content: bytes) -> float:
    """Lines a second as a user has it: the server runs, a file comes into its folder, Elasticsearch has its last line.

    The clock runs from the first byte of the file.
    """
    index = f"bench-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory() as folder:
        watched = Path(folder) / "in"
        watched.mkdir()
        settings = {"ELASTIC_ADDR": url, "ELASTIC_INDEX": index, "LOG_SENTINEL_DIR": str(watched)}
        with our_server(Path(folder) / "home", **settings):
            while not client.indices.exists_index_template(name=f"{index}-events"):
                time.sleep(POLL_S)
            start_s = time.perf_counter()
            (watched / "messages.log").write_bytes(content)
            while _indexed(client, f"{index}-events-*") < LINES:
                time.sleep(POLL_S)
            wall_s = time.perf_counter() - start_s
    check(client, f"{index}-events-*")
    drop(client, index)
    return LINES / wall_s


def _indexed(client: Elasticsearch, index: str) -> int:
    """How many documents were indexed, seen by a search or not; 0 while there is no index."""
    if not client.indices.exists(index=index, allow_no_indices=False):
        return 0
    stats = client.indices.stats(index=index, metric="indexing")["_all"]["primaries"]
    return int(stats.get("indexing", {}).get("index_total", 0))


def _through_parallel_bulk(client: Elasticsearch, content: bytes) -> Run:
    """What one would write otherwise: read, match, parallel_bulk, on the mapping of our index template."""
    index = f"bench-{secrets.token_hex(4)}"
    client.indices.create(index=index, mappings=events_mapping(), settings={"number_of_replicas": 0})

    def work() -> None:
        for ok, _ in parallel_bulk(client, _actions(index, content), thread_count=2, chunk_size=2000):
            assert ok

    before_s = server_cpu_s(client)
    wall_s, cpu_s = timed(work)
    used_s = server_cpu_s(client) - before_s
    check(client, index)
    client.indices.delete(index=index)
    return Run(LINES / wall_s, cpu_s / LINES * 1e6, used_s / LINES * 1e6)


def _actions(index: str, content: bytes) -> Iterator[dict[str, object]]:
    year = datetime.now(UTC).year
    for line in content.decode().splitlines():
        found = SYSLOG.match(line)
        assert found
        at = time.strptime(f"{year} {found[1]}", "%Y %b %d %H:%M:%S")
        yield {
            "_index": index,
            "_source": {
                "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", at),
                "host.name": found[2],
                "event.dataset": found[3],
                "labels": {"pid": found[4]},
                "message": found[5],
            },
        }


def drop(client: Elasticsearch, index: str) -> None:
    """Remove all indices of ours; by name, since a cluster may refuse wildcards."""
    for name in client.indices.get(index=f"{index}-*").body:
        client.indices.delete(index=name)
    for template in client.indices.get_index_template(name=f"{index}*").body["index_templates"]:
        client.indices.delete_index_template(name=template["name"])


def check(client: Elasticsearch, index: str) -> None:
    """All lines are there; asked after the clock has stopped."""
    client.indices.refresh(index=index)
    count = client.count(index=index)["count"]
    assert count == LINES, f"{count} of {LINES} lines arrived"
