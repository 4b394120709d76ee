"""Requests become records: grouped into one commit, answered one by one, once each."""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from sentinel.errors import SpoolFullError
from sentinel.parse import decode_body
from sentinel.pipeline import Answer, Intake, Sentinel, Submission
from sentinel.pipeline.batch import event_id_prefix
from sentinel.pipeline.ingest import KeyReusedError
from sentinel.records import EVENTS
from sentinel.spool import Spool


@pytest.fixture
def intake(sentinel: Sentinel) -> Iterator[Intake]:
    taking = Intake(sentinel.spool, period="month")
    yield taking
    taking.close()


def submit(intake: Intake, text: bytes, key: str | None = None, client: str = "ann") -> Answer:
    kind = "application/json" if text[:1] in b"{[" else "text/plain"
    future: Future[Answer] = intake.submit(Submission(decode_body(text, kind), client, key, str(hash(text))))
    return future.result(10)


def messages(spool: Spool) -> list[str]:
    return spool.read(EVENTS, 0, 1_000)["message"].to_list()


def test_documents_are_in_the_spool_when_answered(intake: Intake, sentinel: Sentinel) -> None:
    """The answer comes after the commit; equal documents are events of their own."""
    answer = submit(intake, b'[{"message": "a"}, {"message": "a"}]')

    assert (answer.accepted, list(answer.rejected)) == (2, [])
    assert messages(sentinel.spool) == ["a", "a"]
    assert sentinel.spool.read(EVENTS, 0, 10)["event_id"].n_unique() == 2


def test_bad_document_is_rejected_alone(intake: Intake, sentinel: Sentinel) -> None:
    """What is bad is named by its index, the rest is accepted, and the books balance."""
    answer = submit(intake, b'[{"message": "a"}, {"level": "info"}, 7, {"message": "b"}]')

    ledger = sentinel.spool.ledger()
    assert [one["index"] for one in answer.rejected] == [1, 2]
    assert all(one["reason"] for one in answer.rejected)
    assert messages(sentinel.spool) == ["a", "b"]
    assert (ledger.received, ledger.rejected, ledger.accepted) == (4, 2, 2)


def test_lines_are_taken_in_without_the_blank_ones(intake: Intake, sentinel: Sentinel) -> None:
    """Text is one event a line; a blank line is none and is not counted."""
    answer = submit(intake, b"one\n\ntwo\n")

    assert (answer.accepted, sentinel.spool.ledger().received) == (2, 2)
    assert messages(sentinel.spool) == ["one", "two"]


def test_requests_that_come_together_get_answers_of_their_own(intake: Intake, sentinel: Sentinel) -> None:
    """However they are grouped, each answer is about its own body, and each span holds its own records."""
    bodies = [f'[{{"message": "m{i}"}}, {{"level": "x{i}"}}]'.encode() for i in range(40)]
    lines = [f"line {i}\nmore {i}\n".encode() for i in range(40)]
    futures = [
        intake.submit(Submission(decode_body(body, None), f"client {i % 3}")) for i, body in enumerate(bodies + lines)
    ]
    answers = [future.result(10) for future in futures]

    assert [(a.accepted, [r["index"] for r in a.rejected]) for a in answers[:40]] == [(1, [1])] * 40
    assert [(a.accepted, len(a.rejected)) for a in answers[40:]] == [(2, 0)] * 40
    for i, answer in enumerate(answers):
        assert answer.span is not None
        found = sentinel.spool.read(EVENTS, answer.span.first - 1, answer.accepted)["message"].to_list()
        assert found == ([f"m{i}"] if i < 40 else [f"line {i - 40}", f"more {i - 40}"])


def test_repeated_key_gets_the_first_answer(intake: Intake, sentinel: Sentinel) -> None:
    """The same key and body a second time changes nothing; from another client it is another key."""
    first = submit(intake, b'{"message": "a"}', key="k")
    again = submit(intake, b'{"message": "a"}', key="k")
    other = submit(intake, b'{"message": "a"}', key="k", client="bob")

    assert (first.accepted, again.accepted, again.span, other.accepted) == (1, 1, None, 1)
    assert messages(sentinel.spool) == ["a", "a"]


def test_repeated_key_with_another_body_is_refused(intake: Intake, sentinel: Sentinel) -> None:
    """A key stands for one body."""
    submit(intake, b'{"message": "a"}', key="k")

    with pytest.raises(KeyReusedError, match="another body"):
        submit(intake, b'{"message": "b"}', key="k")
    assert messages(sentinel.spool) == ["a"]


def test_full_spool_refuses_and_keeps_what_it_has(tmp_path: object, sentinel: Sentinel) -> None:
    """At the bound the offer fails as a whole and may be made again."""
    spool = Spool.open(sentinel.home / "small", max_bytes=20_000)
    intake = Intake(spool, period="month")
    try:
        submit(intake, b'{"message": "fits"}')
        with pytest.raises(SpoolFullError):
            submit(intake, b"\n".join(b"%d some line of text" % i for i in range(50_000)))
        assert messages(spool) == ["fits"]
    finally:
        intake.close()
        spool.close()


def test_ids_are_fixed_by_key_and_ordered_by_time_without() -> None:
    """With a key the prefix repeats; without, later requests sort after earlier ones and no two are equal."""
    assert event_id_prefix("ann", "k", 1.0) == event_id_prefix("ann", "k", 2.0) != event_id_prefix("bob", "k", 1.0)
    assert event_id_prefix("ann", None, 1.0) < event_id_prefix("ann", None, 2.0)
    assert len({event_id_prefix("ann", None, 1.0) for _ in range(100)}) == 100
    assert len(event_id_prefix("ann", "k", 1.0)) == len(event_id_prefix("ann", None, 1.0)) == 16
