"""Bulk answers, scripted: what is done, what is sent again, what is dead, and what is asked how often."""

import json
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from sentinel.errors import TransientError
from sentinel.store import Outcome
from sentinel.store.bulk import BULK_BYTES, BULK_RECORDS, MAX_CULPRITS, WARY_BULKS, BulkWriter, _cuts
from sentinel.store.connection import connect
from sentinel.store.digests import digests_of
from tests.store.scripted_server import Answer, Asked, Scripted, bulk_answer, error, item, scripted_server
from tests.store.store_records import records

Write = Callable[[int], Outcome]
POISON = ("document_parsing_exception", "failed to parse field [message]")


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def server(running: Scripted) -> Scripted:
    fresh = Scripted()
    running.bulk, running.other = fresh.bulk, fresh.other
    running.asked.clear()
    return running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def write(server: Scripted, pauses: list[float]) -> Iterator[Write]:
    client = connect(server.url, timeout_s=5)
    writer = BulkWriter(client, sleep=pauses.append, jitter=lambda most_s: most_s)
    yield lambda count: writer.write(records(count), "logs-events-2026.11")
    writer.close()
    client.close()


def answering(*statuses: tuple[int, str, str] | tuple[int]) -> Callable[[Asked], Answer]:
    """Item by item, these statuses in turn."""
    return lambda asked: bulk_answer([item(name, *statuses[n % len(statuses)]) for n, name in enumerate(asked.ids)])


def test_all_good_is_asked_once_the_quick_way(server: Scripted, write: Write) -> None:
    """Where nothing is refused, one request with a short answer is all, as create with our ids, without credentials."""
    server.bulk = lambda _: Answer({"errors": False, "took": 1})

    outcome = write(10)

    assert outcome.delivered.all()
    assert [asked.is_quick for asked in server.bulks] == [True]
    assert server.bulks[0].ids == records(10)["event_id"].to_list()
    assert server.bulks[0].path == "/logs-events-2026.11/_bulk"
    assert server.bulks[0].headers["accept"].endswith("compatible-with=8")
    assert "authorization" not in server.bulks[0].headers


def looking(digests: dict[str, str | None]) -> Callable[[Asked], Answer | None]:
    """Answers mgets: under these ids lie documents with these digests (None: without one)."""

    def answer(asked: Asked) -> Answer | None:
        if not asked.path.endswith("/_mget"):
            return None
        docs = [
            {
                "_id": name,
                "found": name in digests,
                "_source": {"labels": {"digest": digests[name]} if digests.get(name) else {}},
            }
            for name in json.loads(asked.body)["ids"]
        ]
        return Answer({"docs": docs})

    return answer


def test_conflict_is_looked_at_once_a_bulk(server: Scripted, write: Write) -> None:
    """409 says that something is there: one request for one field tells whether it is the same record."""
    sent = records(5)
    digests = dict(zip(sent["event_id"], digests_of(sent), strict=True))
    other, gone = sent["event_id"][1], sent["event_id"][3]
    server.bulk = answering((409, "version_conflict_engine_exception", "exists"))
    server.other = looking({**digests, other: "ls1:" + "0" * 32} | {gone: digests[gone]})

    outcome = write(5)

    looks = [asked for asked in server.asked if asked.path.endswith("/_mget")]
    assert outcome.delivered.tolist() == [True, False, True, True, True]
    assert outcome.dead == {1: f"id_conflict: logs-events-2026.11 holds another record under the id {other}"}
    assert [look.query for look in looks] == [{"_source_includes": ["labels.digest"]}]
    assert len(server.bulks) == 2  # the quick one, then the one that tells


def test_nothing_is_looked_at_while_nothing_conflicts(server: Scripted, write: Write) -> None:
    """The proof costs a request only where there is something to prove."""
    assert write(3_000).delivered.all()

    assert not [asked for asked in server.asked if asked.path.endswith("/_mget")]


def test_conflict_that_cannot_be_looked_at_waits(server: Scripted, write: Write) -> None:
    """Without the right to read, or while the document is not to be seen, nothing is delivered and nothing is dead."""
    there = set(records(4)["event_id"][::2])
    server.bulk = lambda asked: bulk_answer([item(name, 409 if name in there else 201) for name in asked.ids])
    server.other = lambda asked: error(403, "security_exception", "no read") if "_mget" in asked.path else None
    refused = write(4)
    server.other = looking({})
    unseen = write(4)

    for outcome in (refused, unseen):
        assert outcome.delivered.tolist() == [False, True, False, True]
        assert outcome.retry.tolist() == [True, False, True, False]
        assert outcome.dead == {}
    assert "a privilege is missing" in str(refused.error)
    assert "is not found" in str(unseen.error)


def test_mixed_answer_is_read_item_by_item(server: Scripted, write: Write, pauses: list[float]) -> None:
    """Good ones are done, poison is dead with its reason, only the refused are sent again."""
    tries = Counter[str]()

    def bulk(asked: Asked) -> Answer:
        busy, poison = records(10)["event_id"][3], records(10)["event_id"][7]
        tries.update(asked.ids)
        items = {busy: item(busy, 429, "es_rejected_execution_exception", "busy"), poison: item(poison, 400, *POISON)}
        if tries[busy] > 2:
            items.pop(busy)
        return bulk_answer([items.get(name, item(name, 409)) for name in asked.ids])

    server.bulk = bulk

    outcome = write(10)

    assert outcome.delivered.sum() == 9
    assert list(outcome.dead) == [7]
    assert POISON[1] in outcome.dead[7]
    assert (outcome.retry.any(), outcome.error) == (False, None)
    assert [len(asked.ids) for asked in server.bulks] == [10, 10, 1]
    assert pauses == [0.5]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "es_rejected_execution_exception"),
        (429, "cluster_block_exception"),
        (403, "cluster_block_exception"),
        (403, "security_exception"),
        (503, "unavailable_shards_exception"),
        (500, "whatever"),
        (404, "index_not_found_exception"),
        (400, "index_closed_exception"),
        (400, "validation_exception"),
    ],
)
def test_refused_for_now_stays_to_be_offered_again(
    server: Scripted, write: Write, pauses: list[float], status: int, kind: str
) -> None:
    """What is not the document's fault is tried three times within two seconds, then left to the spool."""
    refused = set(records(4)["event_id"].gather([1, 3]))
    later = (status, kind, "not now")
    server.bulk = lambda asked: bulk_answer([item(n, *later) if n in refused else item(n, 409) for n in asked.ids])

    outcome = write(4)

    assert outcome.delivered.tolist() == [True, False, True, False]
    assert outcome.retry.tolist() == [False, True, False, True]
    assert outcome.dead == {}
    assert kind in str(outcome.error)
    assert sum(pauses) <= 2
    assert [len(asked.ids) for asked in server.bulks] == [4, 4, 2, 2]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_fault_of_the_document_is_dead(server: Scripted, write: Write, status: int) -> None:
    """Any other 4xx of an item is final."""
    server.bulk = answering((status, *POISON))

    outcome = write(30)

    assert len(outcome.dead) == 30
    assert str(status) in outcome.dead[0]


def test_refusals_make_the_next_bulks_be_read_at_once(server: Scripted, write: Write) -> None:
    """After a refusal a bulk is not sent twice any more, for a while."""
    server.bulk = answering((400, *POISON), (201,))
    write(2)
    server.asked.clear()

    for _ in range(3):
        write(2)

    assert [asked.is_quick for asked in server.bulks] == [False, False, False]
    assert WARY_BULKS > 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 401, 403, 404, 405])
def test_whole_refusal_is_transient(server: Scripted, write: Write, status: int) -> None:
    """A request that is refused as a whole for whatever but its content leaves everything in the spool."""
    server.bulk = lambda _: error(status, "some_exception", "not now")

    with pytest.raises(TransientError, match="10 records stay in the spool"):
        write(10)
    assert len(server.bulks) == 1


def test_wrong_key_is_named(server: Scripted, write: Write) -> None:
    """401 says which settings to look at; 403 gives Elasticsearch's own words on the privilege."""
    server.bulk = lambda _: error(401, "security_exception", "unable to authenticate")
    with pytest.raises(TransientError, match="ELASTIC_API_KEY"):
        write(1)

    server.bulk = lambda _: error(403, "security_exception", "granted by the index privileges [create_doc]")
    with pytest.raises(TransientError, match=r"privilege is missing.*create_doc"):
        write(1)


def test_too_large_request_is_halved(server: Scripted, write: Write) -> None:
    """413 halves the bulk until it fits; nothing is lost, nothing is dead."""
    small = answering((201,))
    server.bulk = lambda asked: error(413, "too_large") if len(asked.ids) > 3 else small(asked)

    assert write(40).delivered.all()


def test_too_large_document_is_dead_alone(server: Scripted, write: Write) -> None:
    """A document that is too large by itself is dead; its neighbours are delivered."""
    culprit, small = records(9)["event_id"][4], answering((201,))
    server.bulk = lambda asked: error(413, "too_large") if culprit in asked.ids else small(asked)

    outcome = write(9)

    assert list(outcome.dead) == [4]
    assert "413" in outcome.dead[4]
    assert outcome.delivered.sum() == 8


@pytest.mark.parametrize("culprits", [{0}, {8}, {0, 8}, {2, 3}, set(range(9))])
def test_whole_400_is_bisected_to_the_culprits(server: Scripted, write: Write, culprits: set[int]) -> None:
    """A request refused for one document is halved until it stands alone."""
    names = {records(9)["event_id"][row] for row in culprits}
    good = answering((201,))
    server.bulk = lambda asked: error(400, "illegal_argument_exception") if names & set(asked.ids) else good(asked)

    outcome = write(9)

    assert set(outcome.dead) == culprits
    assert outcome.delivered.sum() == 9 - len(culprits)


def test_many_culprits_at_the_head_do_not_block_the_rest(server: Scripted, write: Write) -> None:
    """Before so many are given up, a harmless request tells that the server takes requests."""
    names = set(records(40)["event_id"][: 2 * MAX_CULPRITS])
    good = answering((201,))

    def bulk(asked: Asked) -> Answer:
        if b'"delete"' in asked.body:
            return Answer({"errors": False, "items": [{"delete": {"_id": "x", "status": 404}}]})
        return error(400, "illegal_argument_exception") if names & set(asked.ids) else good(asked)

    server.bulk = bulk

    outcome = write(40)

    assert len(outcome.dead) == 2 * MAX_CULPRITS
    assert outcome.delivered.sum() == 40 - 2 * MAX_CULPRITS


def test_server_that_refuses_everything_kills_no_record(server: Scripted, write: Write) -> None:
    """400 to whatever is sent is a fault of the server, or of what stands before it."""
    server.bulk = lambda _: error(400, "bad_request", "the proxy does not like you")

    with pytest.raises(TransientError, match=r"refuses every request.*the proxy does not like you"):
        write(200)
    assert len(server.bulks) < 4 * MAX_CULPRITS


@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: Answer(b'{"errors":tr'),
        lambda asked: Answer(b""),
        lambda asked: Answer(b"<html>", headers={"Content-Type": "text/html"}),
        lambda asked: Answer([1, 2]),
        lambda asked: Answer({"errors": True, "items": [item(asked.ids[0])]}, cut=5),
        lambda asked: Answer({"took": 1}),
        lambda asked: Answer({"errors": True, "items": [item(name) for name in asked.ids[:-1]]}),
        lambda asked: Answer({"errors": True, "items": [item(name) for name in asked.ids[::-1]]}),
        lambda asked: Answer({"errors": True, "items": [item("of another") for _ in asked.ids]}),
        lambda asked: Answer({"errors": True, "items": [{"index": {"status": 201}} for _ in asked.ids]}),
        lambda asked: Answer({"errors": True, "items": [7 for _ in asked.ids]}),
        lambda asked: Answer({"errors": True, "items": "all"}),
    ],
    ids=[
        "cut",
        "empty",
        "html",
        "list",
        "short",
        "nothing",
        "fewer",
        "swapped",
        "strangers",
        "index",
        "numbers",
        "text",
    ],
)
def test_answer_that_is_not_about_what_was_sent_is_unknown(
    server: Scripted, write: Write, answer: Callable[[Asked], Answer]
) -> None:
    """An answer that is cut or does not fit settles nothing: all is offered again."""
    server.bulk = answer

    with pytest.raises(TransientError, match="6 records stay in the spool"):
        write(6)


@pytest.mark.parametrize(
    "result",
    [{}, {"status": "201"}, {"status": None}, {"status": 400, "error": "text"}, {"status": 302}],
    ids=["none", "text", "null", "error", "redirect"],
)
def test_item_without_a_clear_status_is_offered_again(
    server: Scripted, write: Write, result: dict[str, object]
) -> None:
    """An item that does not say what became of it counts as refused for now."""
    server.bulk = lambda asked: Answer({"errors": True, "items": [{"create": {"_id": n} | result} for n in asked.ids]})

    assert write(3).retry.all()


def test_unreachable_server_is_transient(write: Write, server: Scripted) -> None:
    """Nobody at the port: everything stays in the spool, and the message asks the right question."""
    client = connect("http://127.0.0.1:9", timeout_s=1)
    writer = BulkWriter(client)

    with pytest.raises(TransientError, match="is ELASTIC_ADDR right"):
        writer.write(records(3), "x")
    writer.close()
    client.close()


def test_some_bulks_get_through_when_others_do_not(server: Scripted, write: Write) -> None:
    """What got through is delivered, the rest is offered again."""
    marked = records(BULK_RECORDS + 10)["event_id"][BULK_RECORDS]
    good = answering((201,))
    server.bulk = lambda asked: error(503, "unavailable") if marked in asked.ids else good(asked)

    outcome = write(BULK_RECORDS + 10)

    assert np.flatnonzero(outcome.retry).tolist() == list(range(BULK_RECORDS, BULK_RECORDS + 10))
    assert "503" in str(outcome.error)


def test_cuts_keep_the_bounds() -> None:
    """A bulk has at most so many records and bytes; a record above the bound goes alone."""
    sizes = np.array([10] * (BULK_RECORDS + 1) + [BULK_BYTES + 1, 5, BULK_BYTES - 5, 1], np.uint32)

    cuts = _cuts(sizes)

    start = BULK_RECORDS
    assert cuts == [0, start, start + 1, start + 2, start + 4, start + 5]
    assert _cuts(np.array([3], np.uint32)) == [0, 1]
