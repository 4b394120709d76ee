"""A real Elasticsearch is killed, refuses documents, is set read-only; in the end it holds what the oracle issued."""

import http.client
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from tests.elastic_server import ElasticServer
from tests.faults.bulk_matrix import throughput
from tests.faults.kill import Verbs, dead_messages, drain, ledger_of
from tests.faults.load import Clients, Writer
from tests.faults.oracle import Oracle, Verdict
from tests.faults.processes import Home, Server

__all__ = ["Outcome", "cost_of_poison", "run"]

INDEX = "faults"
PAGE = 10_000
EVENTS_A_SECOND = 1500.0


@dataclass
class Outcome:
    """Figures and verdict."""

    events: int = 0
    kills: int = 0
    blocks: int = 0
    took_s: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)

    def figures(self) -> dict[str, object]:
        """All figures as plain values."""
        return vars(self) | {"verdict": self.verdict.counts()}


def ask(server: ElasticServer, method: str, path: str, body: object = None) -> dict[str, object]:
    """One request to Elasticsearch, past the product. Raises RuntimeError for an error status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else orjson.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        found: dict[str, object] = orjson.loads(content)
        return found
    finally:
        connection.close()


def dump(server: ElasticServer) -> list[list[object]]:
    """Every event in Elasticsearch: [index, id, message, timestamp, level, source, host]."""
    pattern = f"{INDEX}-events-*"
    ask(server, "POST", f"/{pattern}/_refresh")
    pit = ask(server, "POST", f"/{pattern}/_pit?keep_alive=5m")["id"]
    names = ("message", "@timestamp", "log.level", "event.dataset", "host.name")
    query = {"size": PAGE, "pit": {"id": pit, "keep_alive": "5m"}, "sort": ["_shard_doc"], "track_total_hits": False}
    rows: list[list[object]] = []
    while True:
        hits = ask(server, "POST", "/_search", query)["hits"]["hits"]  # type: ignore[index]
        if not hits:
            return rows
        rows += [[hit["_index"], hit["_id"], *(value(hit["_source"], name) for name in names)] for hit in hits]
        query["search_after"] = hits[-1]["sort"]


def value(source: dict[str, object], name: str) -> object:
    """A field of a document, dotted or nested."""
    if name in source:
        return source[name]
    first, _, rest = name.partition(".")
    inner = source.get(first)
    return value(inner, rest) if rest and isinstance(inner, dict) else None


def block(server: ElasticServer, *, is_on: bool) -> None:
    """Set or lift the block that Elasticsearch itself sets when a disk is nearly full."""
    settings = {"index.blocks.read_only_allow_delete": True if is_on else None}
    ask(server, "PUT", f"/{INDEX}-events-*/_settings", settings)


def conflict(server: ElasticServer, partition: str, index: str = INDEX) -> None:
    """Make an index with a mapping of somebody else: hosts are numbers there, so that poison conflicts."""
    properties = {"host": {"properties": {"name": {"type": "long"}}}}
    ask(server, "PUT", f"/{index}-events-{partition}", {"mappings": {"properties": properties}})


def cost_of_poison(server: ElasticServer, folder: Path, *, rows: int, readings: int) -> dict[str, float]:
    """R6: records a second without poison and with 1 %, the best of some readings taken in turns."""
    found: dict[int, list[float]] = {0: [], 100: []}
    for number in range(readings):
        for every, speeds in found.items():
            index = f"speed-{every}-{number}"
            conflict(server, "2026.11", index)
            place = folder / index
            speeds.append(throughput(server.url, place, rows=rows, poison_every=every, index=index))
            ask(server, "DELETE", f"/{index}-events-2026.11")
    clean, poisoned = max(found[0]), max(found[100])
    return {"clean_per_s": round(clean), "poisoned_per_s": round(poisoned), "kept": round(poisoned / clean, 2)}


def run(folder: Path, elastic: ElasticServer, *, seed: int, events: int, kills: int) -> Outcome:
    """Half of the events over HTTP, half as lines of files; `kills` of Elasticsearch and one block meanwhile."""
    dice, oracle, outcome, began = random.Random(seed), Oracle(seed), Outcome(events), time.monotonic()
    home = Home(folder, elastic_url=elastic.url, settings={"ELASTIC_INDEX": INDEX})
    server, verbs = Server(home), Verbs(home)
    server.start()
    server.wait_ready()
    conflict(elastic, datetime.now(UTC).strftime("%Y.%m"))
    clients = Clients(oracle, server.port, total=events // 2, rate=lambda: EVENTS_A_SECOND)
    writer = Writer(oracle, home.watched, total=events // 2, per_second=EVENTS_A_SECOND)
    for part in (clients, writer, verbs):
        part.start()
    try:
        harm(dice, elastic, oracle, outcome, kills)
    finally:
        clients.join()
        writer.join()
        verbs.stop()
    assert not clients.failures, clients.failures
    drain(home, server, None)
    outcome.verdict = oracle.judge(dump(elastic), dead_messages(home))
    oracle.balance(outcome.verdict, ledger_of(server))
    server.stop()
    outcome.took_s = time.monotonic() - began
    return outcome


def harm(dice: random.Random, elastic: ElasticServer, oracle: Oracle, outcome: Outcome, kills: int) -> None:
    """Kill and start Elasticsearch, then set the block and lift it."""
    while sum(oracle.issued(kind) for kind in ("H", "F")) < 500:
        time.sleep(0.1)
    for _ in range(kills):
        time.sleep(dice.uniform(1.0, 4.0))
        elastic.kill9()
        outcome.kills += 1
        time.sleep(dice.uniform(0.0, 3.0))
        elastic.start()
    for _ in range(100):  # the index may be there only now
        try:
            block(elastic, is_on=True)
            break
        except RuntimeError:
            time.sleep(0.2)
    outcome.blocks += 1
    time.sleep(4.0)
    block(elastic, is_on=False)
