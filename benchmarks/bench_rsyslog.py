"""File → real Elasticsearch beside rsyslog's omelasticsearch: the same file, mapping and machine, in turn.

Nothing is installed here: without rsyslog and its module (Debian: rsyslog, rsyslog-elasticsearch) it is left out.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from elasticsearch import Elasticsearch

from benchmarks.bench_elastic import LINES, WARM_UP, Run, check, figures, server_cpu_s, through_server, through_us
from benchmarks.lines import syslog_bytes
from benchmarks.measure import Figure, Skipped, cpu_s_of, pair
from benchmarks.servers import elastic
from sentinel.store.schema import events_mapping

WITH_IDS = ' bulkid="id" dynbulkid="on" writeoperation="create"'  # a line that is sent again is no second document
PATIENCE_S = 300.0
POLL_S = 0.05
CONFIG = """
global(workDirectory="{folder}")
module(load="imfile")
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host.name" name="hostname" format="jsonf")
  property(outname="event.dataset" name="syslogtag" format="jsonf")
  property(outname="log.file.path" name="$!metadata!filename" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
template(name="id" type="string" string="%$!metadata!filename%-%$!metadata!fileoffset%")
ruleset(name="ship" queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="2000"
        queue.workerThreads="2" queue.workerThreadMinimumMessages="2000") {{
  action(type="omelasticsearch" server="{host}" serverport="{port}" searchIndex="{index}" searchType=""
         template="document" bulkmode="on" maxbytes="16m" action.resumeRetryCount="-1"{ids})
}}
input(type="imfile" File="{file}" Tag="messages" Ruleset="ship" freshStartTail="off" addMetadata="on")
"""


def run(rounds: int) -> list[Figure]:
    daemon = _daemon()
    content = syslog_bytes(LINES)
    ours: list[Run] = []
    peer: list[Run] = []
    alike: list[Run] = []
    live: list[float] = []
    with elastic() as url:
        client = Elasticsearch(url, request_timeout=60)
        for _ in range(rounds + WARM_UP):
            ours.append(through_us(url, client, content))
            live.append(through_server(url, client, content))
            peer.append(_through_rsyslog(daemon, url, client, content))
            alike.append(_through_rsyslog(daemon, url, client, content, ids=WITH_IDS))
    beside = [run.rate for run in peer[WARM_UP:]]
    rates = [[run.rate for run in runs[WARM_UP:]] for runs in (ours, alike)]
    return [
        pair(
            "file → server → Elasticsearch, as in service",
            "lines/s",
            live[WARM_UP:],
            beside,
            "omelasticsearch",
            "≥ 1 × peer",
        ),
        pair(
            "file → Elasticsearch, each line once in both", "lines/s", *rates, "omelasticsearch with ids", "≥ 1 × peer"
        ),
        *figures(
            "file → Elasticsearch, beside rsyslog", ours[WARM_UP:], peer[WARM_UP:], "omelasticsearch", "≥ 1 × peer"
        ),
    ]


def _daemon() -> str:
    """The path of rsyslogd. Raises Skipped where it or its module is missing."""
    found = shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if found is None or not any(Path("/usr").glob("lib*/**/rsyslog/omelasticsearch.so")):
        raise Skipped("rsyslog with omelasticsearch is absent (on Debian: rsyslog, rsyslog-elasticsearch)")
    return found


def _through_rsyslog(daemon: str, url: str, client: Elasticsearch, content: bytes, *, ids: str = "") -> Run:
    """From the start of rsyslogd until Elasticsearch has counted the last line."""
    index = f"bench-{secrets.token_hex(4)}"
    client.indices.create(index=index, mappings=events_mapping(), settings={"number_of_replicas": 0})
    parts = urlsplit(url)
    with tempfile.TemporaryDirectory() as folder:
        file, config = Path(folder) / "messages.log", Path(folder) / "rsyslog.conf"
        file.write_bytes(content)
        names = {"folder": folder, "host": parts.hostname, "port": parts.port, "index": index, "file": file, "ids": ids}
        config.write_text(CONFIG.format(**names))
        before_s, start = server_cpu_s(client), time.perf_counter()
        process = subprocess.Popen(
            [daemon, "-n", "-f", str(config), "-i", str(Path(folder) / "pid")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(client, index, start + PATIENCE_S)
            wall_s = time.perf_counter() - start
            used_s = server_cpu_s(client) - before_s
            cpu_s = cpu_s_of(process.pid)
        finally:
            process.terminate()
            process.wait(20)
    check(client, index)
    client.indices.delete(index=index)
    return Run(LINES / wall_s, cpu_s / LINES * 1e6, used_s / LINES * 1e6)


def _await(client: Elasticsearch, index: str, end: float) -> None:
    while True:
        total = client.indices.stats(index=index, metric="indexing")["_all"]["primaries"]["indexing"]["index_total"]
        if total >= LINES:
            return
        if time.perf_counter() > end:
            raise RuntimeError(f"rsyslog delivered {total} of {LINES} lines in {PATIENCE_S:.0f} s")
        time.sleep(POLL_S)
