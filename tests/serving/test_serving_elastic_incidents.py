"""Incidents in a real Elasticsearch, end to end: an attack opens one, which grows over a kill and is resolved."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.serving.server_process import Server, eventually, orders_until, serving
from tests.store.test_store_contract import remove_indices

NOW = datetime.now(UTC)
USUAL = orders_until(NOW)


def guesses(first: int, count: int) -> list[dict[str, str]]:
    start = NOW - timedelta(seconds=120)
    return [
        {
            "timestamp": (start + timedelta(seconds=n / 5)).isoformat(),
            "message": f"Failed password for root from 203.0.113.9 port {40_000 + n} ssh2",
            "source": "sshd",
            "host": "web-1",
        }
        for n in range(first, first + count)
    ]


@pytest.fixture
def client(elastic_url: str, elastic_index: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elastic_url) as made:
        yield made
    remove_indices(elastic_url, elastic_index)


def the_incident(server: Server) -> dict[str, Any]:
    (found,) = server.client.get("/incidents", params={"actor": "203.0.113.9"}).json()
    return dict(found)


def test_incident_is_one_document_that_follows_it(
    client: Elasticsearch, elastic_url: str, elastic_index: str, tmp_path: Path
) -> None:
    """Opened, grown, resolved: one document of its id, the newest version, searchable, outside the books."""
    settings = {"ELASTIC_ADDR": elastic_url, "ELASTIC_INDEX": elastic_index}
    index = f"{elastic_index}-incidents"

    def stored(server: Server, **wanted: object) -> dict[str, Any] | None:
        """The document where it is the incident as the server shows it, and as wanted."""
        shown = the_incident(server)
        found = client.options(ignore_status=404).get(index=index, id=shown["id"], realtime=True).body
        document = {name: value for name, value in found.get("_source", {}).items() if name != "@timestamp"}
        is_it = document == shown and found["_version"] == shown["version"]
        return found if is_it and all(document[name] == value for name, value in wanted.items()) else None

    with serving(tmp_path / "home", **settings) as server:
        server.client.timeout = 300
        server.client.post("/train", json=USUAL)
        server.client.post("/logs", json=[*USUAL[-20:], *guesses(0, 40)])
        eventually(lambda: server.client.get("/incidents", params={"actor": "203.0.113.9"}).json())
        eventually(lambda: stored(server, state="open"))
        opened = the_incident(server)
        server.kill()
    with serving(tmp_path / "home", **settings) as server:
        server.client.post("/logs", json=guesses(40, 80))
        eventually(lambda: the_incident(server)["lines"] >= opened["lines"] + 60)
        eventually(lambda: stored(server, state="open"))
        grown = the_incident(server)
        server.client.post(f"/incidents/{grown['id']}", json={"state": "resolved"})
        eventually(lambda: stored(server, state="resolved"))
        resolved = the_incident(server)
        books = server.client.get("/status").json()["ledger"]

    client.indices.refresh(index=index)
    query = {"bool": {"filter": [{"term": {"actors": "203.0.113.9"}}, {"term": {"state": "resolved"}}]}}
    hits = client.search(index=index, query=query, sort="@timestamp", version=True)["hits"]["hits"]
    assert [(hit["_id"], hit["_version"]) for hit in hits] == [(opened["id"], resolved["version"])]
    assert opened["id"] == grown["id"] == resolved["id"]
    assert opened["version"] < grown["version"] < resolved["version"]
    assert hits[0]["_source"]["explanation"]["line_odd"][0] == "203.0.113.9"
    assert books["accepted"] == books["delivered"] + books["waiting"] + books["dead"]
