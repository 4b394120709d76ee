"""File → real Elasticsearch: collect, parse, spool and deliver, against `parallel_bulk` with two threads."""

import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

from benchmarks.lines import syslog_bytes
from benchmarks.measure import Figure, alone, pair, timed
from benchmarks.servers import elastic
from sentinel.pipeline import collect, deliver
from sentinel.settings import load_settings
from sentinel.wiring import opened

LINES = int(os.environ.get("BENCH_LINES", "200000"))
SYSLOG = re.compile(r"(\w{3} +\d+ \d\d:\d\d:\d\d) (\S+) ([^\s\[:]+)(?:\[(\d+)\])?: (.*)")


def run(rounds: int) -> list[Figure]:
    content = syslog_bytes(LINES)
    with elastic() as url:
        client = Elasticsearch(url, request_timeout=60)
        ours_s, ours_cpu, peer_s, peer_cpu = [], [], [], []
        for _ in range(rounds + 1):  # the first round warms both up
            wall, cpu = _ours(url, client, content)
            ours_s.append(LINES / wall)
            ours_cpu.append(cpu / LINES * 1e6)
            wall, cpu = _peer(client, content)
            peer_s.append(LINES / wall)
            peer_cpu.append(cpu / LINES * 1e6)
    return [
        pair("file → Elasticsearch", "lines/s", ours_s[1:], peer_s[1:], "parallel_bulk", "≥ 1.5 × peer"),
        pair("  CPU of our own", "µs/line", ours_cpu[1:], peer_cpu[1:], "parallel_bulk", "≤ 15 µs"),
        alone("  lines measured", "lines", [float(LINES)]),
    ]


def _ours(url: str, client: Elasticsearch, content: bytes) -> tuple[float, float]:
    """Collect and deliver one file; the count is checked after the clock has stopped."""
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

            def work() -> None:
                collect(sentinel)
                deliver(sentinel)

            figures = timed(work)
    _check(client, f"{index}-events-*")
    drop(client, index)
    return figures


def _peer(client: Elasticsearch, content: bytes) -> tuple[float, float]:
    """What one would write otherwise: read, match, parallel_bulk, on the mapping of our index template."""
    from sentinel.store.schema import events_mapping

    index = f"bench-{secrets.token_hex(4)}"
    client.indices.create(index=index, mappings=events_mapping(), settings={"number_of_replicas": 0})

    def actions() -> Iterator[dict[str, object]]:
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

    def work() -> None:
        for ok, _ in parallel_bulk(client, actions(), thread_count=2, chunk_size=2000):
            assert ok

    figures = timed(work)
    _check(client, index)
    client.indices.delete(index=index)
    return figures


def drop(client: Elasticsearch, index: str) -> None:
    """Remove all indices of ours; by name, since a cluster may refuse wildcards."""
    for name in client.indices.get(index=f"{index}-*").body:
        client.indices.delete(index=name)
    for template in client.indices.get_index_template(name=f"{index}*").body["index_templates"]:
        client.indices.delete_index_template(name=template["name"])


def _check(client: Elasticsearch, index: str) -> None:
    client.indices.refresh(index=index)
    count = client.count(index=index)["count"]
    assert count == LINES, f"{count} of {LINES} lines arrived"
