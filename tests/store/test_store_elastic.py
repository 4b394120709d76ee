"""What only Elasticsearch can do to us, on a real one: blocks, closed indices, foreign indices, mappings."""

from collections.abc import Iterator
from pathlib import Path

import elastic_transport
import polars as pl
import pytest
from elasticsearch import ApiError, Elasticsearch
from polars.testing import assert_frame_equal

from sentinel.errors import TerminalError
from sentinel.records import ANOMALIES
from sentinel.store import Store, open_store, schema
from sentinel.store.digests import digests_of
from tests.store.store_records import anomalies, records
from tests.store.test_store_contract import remove_indices


@pytest.fixture
def client(elastic_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elastic_url) as client:
        yield client


@pytest.fixture
def store(elastic_url: str, elastic_index: str, tmp_path: Path) -> Iterator[Store]:
    store = open_store(addr=elastic_url, index=elastic_index, folder=tmp_path)
    yield store
    store.close()
    remove_indices(elastic_url, elastic_index)


def test_alias_reads_events_by_their_ecs_names(store: Store, client: Elasticsearch, elastic_index: str) -> None:
    """Under the alias lie the events of all partitions, searchable by ECS names, and no anomaly."""
    store.write(pl.concat([records(6), records(6, first=7, partition="2026.12")]))
    store.write(anomalies(3), stream=ANOMALIES)
    store.refresh()

    query = {"bool": {"filter": [{"term": {"event.dataset": "sshd"}}, {"term": {"labels.pid": "7"}}]}}
    found = client.search(index=elastic_index, query=query)["hits"]["hits"]
    names = client.indices.get_alias(name=elastic_index).body

    assert [hit["_id"] for hit in found] == [records(7)["event_id"][6]]
    assert found[0]["_index"] == f"{elastic_index}-events-2026.12"
    assert sorted(names) == [f"{elastic_index}-events-2026.11", f"{elastic_index}-events-2026.12"]
    assert client.count(index=elastic_index, q='message:"failed password"')["count"] == 12
    assert client.count(index=f"{elastic_index}-anomalies", q="anomaly.kind:brute_force")["count"] == 3


def test_mapping_does_not_grow(store: Store, client: Elasticsearch, elastic_index: str) -> None:
    """Whatever attributes come, the mapping stays as the template has it."""
    store.write(records(1))
    name = f"{elastic_index}-events-2026.11"
    before = client.indices.get_mapping(index=name).body

    for first in range(10, 2010, 500):
        names = "{" + ",".join(f'"name_{first + number}":"v"' for number in range(500)) + "}"
        store.write(records(1, first=first).with_columns(attributes=pl.lit(names)))

    assert client.indices.get_mapping(index=name).body == before
    store.refresh()
    assert client.count(index=elastic_index, query={"term": {"labels.name_777": "v"}})["count"] == 1


def test_foreign_index_of_the_alias_name_is_reported(store: Store, client: Elasticsearch, elastic_index: str) -> None:
    """An index that has the name of the alias is never written into; the message tells the way out."""
    client.index(index=elastic_index, document={"not": "ours"}, refresh=True)

    with pytest.raises(TerminalError, match="ELASTIC_INDEX"):
        store.setup()
    with pytest.raises(TerminalError):
        store.write(records(3))

    assert client.count(index=elastic_index)["count"] == 1
    client.indices.delete(index=elastic_index)
    assert store.write(records(3)).delivered.all()


@pytest.mark.parametrize("block", ["index.blocks.write", "index.blocks.read_only_allow_delete"])
def test_blocked_index_takes_all_when_the_block_is_lifted(
    store: Store, client: Elasticsearch, elastic_index: str, block: str
) -> None:
    """A read-only index (by hand, or at the flood stage of its disk) refuses for now; nothing is dead."""
    name = f"{elastic_index}-events-2026.11"
    store.write(records(5))
    client.indices.put_settings(index=name, settings={block: True})

    refused = store.write(records(10))
    client.indices.put_settings(index=name, settings={block: None})
    taken = store.write(records(10))

    assert refused.dead == {}
    assert refused.retry.sum() >= 5
    assert "block" in str(refused.error)
    assert taken.delivered.all()


def test_closed_index_refuses_for_now(store: Store, client: Elasticsearch, elastic_index: str) -> None:
    """A closed index is opened again some day; until then all waits."""
    store.write(records(5))
    client.indices.close(index=f"{elastic_index}-events-2026.11")

    refused = store.write(records(5))

    assert refused.retry.all()
    assert "closed" in str(refused.error)
    client.indices.open(index=f"{elastic_index}-events-2026.11")


def test_mapping_conflict_kills_only_the_documents_it_concerns(
    store: Store, client: Elasticsearch, elastic_index: str
) -> None:
    """In an index with a foreign mapping the documents it cannot take are dead with the reason, the others are in."""
    store.setup()
    mapping = {"dynamic": False, "properties": {"message": {"type": "long"}}}
    client.indices.create(index=f"{elastic_index}-events-2030.01", mappings=mapping)
    message = pl.when(pl.col("sequence") == 3).then(pl.lit("text")).otherwise(pl.lit("17"))

    outcome = store.write(records(5, partition="2030.01").with_columns(message=message))

    assert list(outcome.dead) == [2]
    assert "document_parsing_exception" in outcome.dead[2]
    assert "message" in outcome.dead[2]
    assert outcome.delivered.sum() == 4


def test_id_cannot_break_out_of_its_place(store: Store, client: Elasticsearch, elastic_index: str) -> None:
    """An id with quotes and newlines stays an id; one of 512 bytes is taken, a longer one is dead alone."""
    ids = pl.Series(['"}}\n{"delete":{"_id":"x', "é" * 256, "é" * 256 + "x"])

    outcome = store.write(records(3).with_columns(event_id=ids))

    assert list(outcome.dead) == [2]
    store.refresh()
    assert store.existing_ids(ids.to_list()) == set(ids[:2])
    assert store.count() == 2


def test_older_template_is_replaced_and_its_indices_learn_the_new_fields(
    store: Store, client: Elasticsearch, elastic_index: str
) -> None:
    """Setup after an upgrade changes the template and adds the missing fields to the indices that are there."""
    store.setup()
    name = f"{elastic_index}-events"
    old = schema.events_template(elastic_index)
    del old["template"]["mappings"]["properties"]["log.offset"]
    client.indices.put_index_template(name=name, **(old | {"meta": {"digest": "older"}}))
    store.write(records(1))

    done = store.setup()

    assert done == [f"index template {name}", f"mapping of {name}-*"]
    mapping = client.indices.get_mapping(index=f"{name}-2026.11")[f"{name}-2026.11"]["mappings"]["properties"]
    assert mapping["log"]["properties"]["offset"] == schema.events_mapping()["properties"]["log.offset"]
    assert store.setup() == []


def test_scan_goes_on_without_a_point_in_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no point in time is to be had, the pages come from the indices as they are; slices too."""
    written = records(2500)
    store.write(written)
    meta = elastic_transport.ApiResponseMeta(
        405, "1.1", elastic_transport.HttpHeaders(), 0.0, elastic_transport.NodeConfig("http", "x", 1)
    )

    def refuse(*_: object, **__: object) -> None:
        raise ApiError("no", meta, {})

    monkeypatch.setattr(Elasticsearch, "open_point_in_time", refuse)

    assert_frame_equal(pl.concat(store.scan()), written)
    parts = [pl.concat(store.scan(slice_of=(part, 2))) for part in range(2)]
    assert_frame_equal(pl.concat(parts).sort("sequence"), written)


def test_pages_follow_the_size_of_what_is_read(store: Store) -> None:
    """Long messages make shorter pages; all come back."""
    written = records(1200).with_columns(message=pl.lit("word " * 6_000))
    store.write(written)

    assert_frame_equal(pl.concat(store.scan()), written)


def test_scan_that_is_left_closes_its_point_in_time(store: Store, client: Elasticsearch) -> None:
    """A reader that stops half-way leaves nothing open behind it."""
    store.write(records(3000))

    frames = store.scan(batch_rows=100)
    next(frames)
    opened = open_contexts(client)
    frames.close()  # type: ignore[attr-defined]

    assert open_contexts(client) < opened


def open_contexts(client: Elasticsearch) -> int:
    """How many points in time and scrolls the cluster keeps open."""
    return int(client.indices.stats(metric="search")["_all"]["total"]["search"]["open_contexts"])


def test_same_ids_in_a_changed_document_are_not_replaced(
    store: Store, client: Elasticsearch, elastic_index: str
) -> None:
    """`create` never replaces: the version of the document stays 1."""
    store.write(records(3))
    store.write(records(3).with_columns(message=pl.lit("other")))

    got = client.get(index=f"{elastic_index}-events-2026.11", id=records(1)["event_id"][0])

    assert (got["_version"], got["_source"]["message"]) == (1, records(1)["message"][0])


def test_document_without_a_digest_is_compared_by_its_fields(
    store: Store, client: Elasticsearch, elastic_index: str
) -> None:
    """What a version before digests wrote, and what calls a label of its own `digest`, is known again all the same."""
    own = records(4).with_columns(attributes=pl.lit('{"digest":"sha256:abc"}'))
    store.write(own)
    name = f"{elastic_index}-events-2026.11"
    assert client.get(index=name, id=own["event_id"][0])["_source"]["labels"] == {"digest": "sha256:abc"}

    offered = own.with_columns(raw=pl.Series(["another", *own["raw"][1:]]))

    assert sorted(store.write(offered).dead) == [0]


def test_document_is_what_the_docs_say(store: Store, client: Elasticsearch, elastic_index: str) -> None:
    """One document, field by field."""
    store.write(records(5))

    source = client.get(index=f"{elastic_index}-events-2026.11", id=records(5)["event_id"][4])["_source"]

    assert source == {
        "@timestamp": "2026-11-01T12:00:00.005000000Z",
        "message": "Failed password for root from 10.0.0.5",
        "log": {"level": None, "offset": 500, "file": {"path": "/var/log/auth.log"}},
        "event": {
            "created": 1_793_538_000_005,
            "dataset": "sshd",
            "id": "0123456789000000000005",
            "original": "raw 5",
        },
        "host": {"name": "web-1"},
        "labels": {"digest": digests_of(records(5))[4], "pid": "5", "user": "röot"},
        "sentinel": {"spool": "0123456789abcdef", "sequence": 5, "generation": "abcdefghij"},
    }
