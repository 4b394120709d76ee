"""What stands under the ids that Elasticsearch answers 409 to: the same records, others, or none that can be seen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from elasticsearch import Elasticsearch

from sentinel.errors import TransientError
from sentinel.store.answers import mapped_errors
from sentinel.store.digests import digests_of
from sentinel.store.documents import DIGEST_FIELD, digest_of, frame_of

__all__ = ["LookUp", "look_up_in"]

HEADERS = {
    "content-type": "application/vnd.elasticsearch+json; compatible-with=8",
    "accept": "application/vnd.elasticsearch+json; compatible-with=8",
}

LookUp = Callable[[Sequence[str]], Mapping[str, str]]
"""Ids → the digests of the documents that stand under them; those that cannot be seen now are left out."""


def look_up_in(client: Elasticsearch, index: str, stream: str) -> LookUp:
    """A look at an index: one request, and a second one for documents of a version that wrote no digest.

    Raises TransientError where Elasticsearch does not say, also where the key may not read.
    """

    def look(ids: Sequence[str]) -> Mapping[str, str]:
        hits = _get(client, index, ids, DIGEST_FIELD)
        digests = {name: digest_of(source) for name, source in hits.items()}
        bare = [name for name, digest in digests.items() if digest is None]
        found = {name: digest for name, digest in digests.items() if digest is not None}
        return found | (_recomputed(client, index, bare, stream) if bare else {})

    return look


def _recomputed(client: Elasticsearch, index: str, ids: Sequence[str], stream: str) -> dict[str, str]:
    """Digests of whole documents, made anew from their fields."""
    hits = _get(client, index, ids, None)
    if not hits:
        return {}
    frame: pl.DataFrame = frame_of([{"_index": index, "_source": source} for source in hits.values()], stream)
    return dict(zip(hits, digests_of(frame).to_list(), strict=True))


def _get(client: Elasticsearch, index: str, ids: Sequence[str], field: str | None) -> dict[str, Mapping[str, Any]]:
    """The documents under these ids, as far as they are there; with `field` only that of each."""
    with mapped_errors(f"look at documents of {index}"):
        content = client.perform_request(
            "POST",
            f"/{index}/_mget",
            params={"_source_includes": field} if field else None,
            headers=HEADERS,
            body={"ids": list(ids)},
        ).body
    docs = content.get("docs") if isinstance(content, dict) else None
    if not isinstance(docs, list):
        raise TransientError(f"look at documents of {index}: the answer tells none; it is asked again")
    return {str(doc.get("_id")): doc.get("_source") or {} for doc in docs if isinstance(doc, dict) and doc.get("found")}
