"""Incidents in Elasticsearch: one document each in `<index>-incidents`, replaced by id under an external version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from sentinel.errors import TransientError
from sentinel.store.answers import mapped_errors, reason_of

__all__ = ["find_incidents", "prune_incidents", "put_incidents"]

DONE = (200, 201, 409)  # 409: a version as new or newer is there


def put_incidents(client: Elasticsearch, index: str, documents: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
    """As the store's contract says."""
    operations: list[Mapping[str, Any]] = []
    for id_, version, document in documents:
        operations.append({"index": {"_id": id_, "version": version, "version_type": "external"}})
        operations.append({**document, "@timestamp": document["last"]})
    with mapped_errors(f"write incidents to {index}"):
        items = client.bulk(index=index, operations=operations)["items"]
    refused = [item["index"] for item in items if item["index"]["status"] not in DONE]
    if refused:
        raise TransientError(
            f"write incidents to {index}: {len(refused)} of {len(items)} refused, the first: {reason_of(refused[0])}; "
            "they are offered again"
        )


def find_incidents(client: Elasticsearch, index: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """As the store's contract says."""
    with mapped_errors(f"read incidents of {index}"):
        docs = client.options(ignore_status=404).mget(index=index, ids=list(ids)).body.get("docs", [])
    return {
        doc["_id"]: {name: value for name, value in doc["_source"].items() if name != "@timestamp"}
        for doc in docs
        if doc.get("found")
    }


def prune_incidents(client: Elasticsearch, index: str, before: datetime) -> int:
    """As the store's contract says."""
    query = {"range": {"last": {"lt": before.isoformat()}}}
    with mapped_errors(f"prune incidents of {index}"):
        answer = client.delete_by_query(
            index=index, query=query, conflicts="proceed", ignore_unavailable=True, allow_no_indices=True
        )
    return int(answer["deleted"])
