"""Requests become records: grouped into one commit, answered one by one, once each."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from sentinel.errors import SpoolFullError
from sentinel.parse import decode_body
from sentinel.pipeline.batch import Answer, Batch, Submission, event_id_prefix
from sentinel.pipeline.ingest import Intake, KeyReusedError
from sentinel.pipeline.parts import Sentinel
from sentinel.records import EVENTS
from sentinel.spool import Span, Spool, Transaction
from tests.pipeline.conftest import Clock


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
    assert [one.index for one in answer.rejected] == [1, 2]
    assert all(one.reason for one in answer.rejected)
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

    assert [(a.accepted, [r.index for r in a.rejected]) for a in answers[:40]] == [(1, [1])] * 40
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


def test_ids_are_random_and_ordered_by_time() -> None:
    """Later requests sort after earlier ones, chance tells those of one moment apart."""
    assert event_id_prefix(1.0, 7) < event_id_prefix(2.0, 0)
    assert len({event_id_prefix(1.0, chance) for chance in range(100)}) == 100
    assert len(event_id_prefix(1.0, 2**35 - 1)) == 16


def test_key_that_comes_again_after_its_day_is_a_new_request(sentinel: Sentinel, clock: Clock) -> None:
    """Its records are new ones with ids of their own, whatever the key was before."""
    intake = Intake(sentinel.spool, period="month", clock=clock)
    try:
        submit(intake, b'[{"message": "a"}]', key="k")
        clock.sleep(86_401)
        submit(intake, b'[{"message": "b"}]', key="k")
    finally:
        intake.close()

    assert messages(sentinel.spool) == ["a", "b"]
    assert sentinel.spool.read(EVENTS, 0, 10)["event_id"].n_unique() == 2


def test_key_answered_by_another_server_meanwhile_is_not_taken_in_twice(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is looked up again under the writer's lock: a body parsed at two servers at once is kept once."""
    monkeypatch.setattr(Intake, "_known", _blind_before_the_lock(Intake._known))
    first, second = (Intake(sentinel.spool, period="month") for _ in range(2))
    try:
        answers = [submit(first, b'{"message": "a"}', key="k"), submit(second, b'{"message": "a"}', key="k")]
        with pytest.raises(KeyReusedError):
            submit(second, b'{"message": "b"}', key="k")
        neighbours = [second.submit(Submission(decode_body(b'{"message": "n"}', None), "bob")) for _ in range(3)]
        assert [future.result(10).accepted for future in neighbours] == [1, 1, 1]
    finally:
        first.close()
        second.close()

    assert [answer.accepted for answer in answers] == [1, 1]
    assert messages(sentinel.spool) == ["a", "n", "n", "n"]


def _blind_before_the_lock(known: Callable[..., Any]) -> Callable[..., Any]:
    """As if the other server's commit came just after the first look."""

    def look(self: Intake, submission: Submission, where: object) -> Any:
        return known(self, submission, where) if isinstance(where, Transaction) else None

    return look


def test_one_key_with_two_bodies_in_one_group_is_refused(sentinel: Sentinel) -> None:
    """The second one is 422 to its client, and none of its records are kept."""
    intake = Intake(sentinel.spool, period="month")
    try:
        with sentinel.spool.transaction():  # both wait for the disk, and so go together
            bodies = (b'{"message": "a"}', b'{"message": "b"}', b'{"message": "a"}')
            futures = [
                intake.submit(Submission(decode_body(body, None), "ann", "k", str(hash(body)))) for body in bodies
            ]
        assert [futures[0].result(10).accepted, futures[2].result(10).accepted] == [1, 1]
        with pytest.raises(KeyReusedError):
            futures[1].result(10)
    finally:
        intake.close()

    assert messages(sentinel.spool) == ["a"]


def test_kept_answer_has_the_first_reasons_only(intake: Intake, sentinel: Sentinel) -> None:
    """A repeat tells the counts and ten reasons: 3,000 refusals cost no more disk than ten."""
    body = b"[" + b",".join([b"{}"] * 3_000 + [b'{"message": "a"}']) + b"]"
    first = submit(intake, body, key="k")
    again = submit(intake, body, key="k")

    kept = sentinel.spool.answer("ann", "k", 0.0)
    assert (len(first.rejected), first.rejected_count) == (3_000, 3_000)
    assert (again.accepted, list(again.rejected), again.rejected_count) == (1, list(first.rejected[:10]), 3_000)
    assert kept is not None
    assert len(kept.answer) < 2_500


def test_keys_are_refused_alone_when_their_answers_have_no_room(sentinel: Sentinel) -> None:
    """At the bound a request with a key is to come later; one without goes through, and so does a known key."""
    spool = Spool.open(sentinel.home / "small", max_bytes=30_000)
    intake = Intake(spool, period="month")
    try:
        with spool.transaction() as tx, contextlib.suppress(SpoolFullError):
            for number in range(1_000):
                tx.remember_answer("bob", str(number), "d", b"", time.time())
        waiting = intake.submit(Submission(decode_body(b'{"message": "a"}', None), "ann"))
        with pytest.raises(SpoolFullError, match="Idempotency-Key"):
            submit(intake, b'{"message": "b"}', key="k")
        assert waiting.result(10).accepted == 1
        assert submit(intake, b'{"message": "c"}').accepted == 1
    finally:
        intake.close()
        messages_kept = messages(spool)
        spool.close()

    assert messages_kept == ["a", "c"]


def test_big_body_lets_others_go_between_its_slices(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes while a big body is parsed is committed before it, after one slice at most; the big one is whole."""
    monkeypatch.setattr("sentinel.pipeline.batch.SLICE_ITEMS", 100)
    order: list[str] = []
    step, started, go_on = Batch.step, threading.Event(), threading.Event()

    def watched_step(self: Batch) -> None:
        is_big = self.submissions[0].is_big
        order.append("slice" if is_big else "small")
        if order.count("slice") == 2 and is_big:
            started.set()
            assert go_on.wait(30)
        step(self)

    monkeypatch.setattr(Batch, "step", watched_step)
    intake = Intake(sentinel.spool, period="month")
    try:
        body = b"[" + b",".join(b'{"message": "m%d"}' % i for i in range(1_000)) + b"]"
        big = intake.submit(Submission(decode_body(body, None), "evil", "k", "d", len(body)))
        assert started.wait(30)
        small = intake.submit(Submission(decode_body(b'{"message": "small"}', None), "ann"))
        go_on.set()
        assert small.result(30).accepted == 1
        answer = big.result(30)
    finally:
        intake.close()

    assert order == ["slice", "slice", "small", *["slice"] * 8]
    assert (answer.accepted, answer.span) == (1_000, Span(2, 1_001))
    assert messages(sentinel.spool) == ["small", *(f"m{i}" for i in range(1_000))][:1_000]


def test_slices_are_bounded_by_items_and_bytes(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """No slice is longer than the bound, be the logs many or long, and all are there in order."""
    monkeypatch.setattr("sentinel.pipeline.batch.SLICE_ITEMS", 50)
    monkeypatch.setattr("sentinel.pipeline.batch.SLICE_BYTES", 10_000)
    lines = b"\n".join(b"%d %s" % (i, b"x" * 1_000) for i in range(60))
    submissions = [
        Submission(decode_body(b"\n".join(b"l%d" % i for i in range(120)), "text/plain"), "ann", size=500),
        Submission(decode_body(lines, "text/plain"), "bob", size=len(lines)),
    ]
    batch = Batch(submissions, sentinel.spool.pack(), now_s=1.0, period="month")
    counts = []
    while not batch.is_packed:
        before = batch.packed.count
        batch.step()
        counts.append(batch.packed.count - before)

    assert sum(counts) == 180
    assert max(counts) <= 51  # one line may go on in the next slice
    assert max(counts[3:]) <= 11
    assert [answer.accepted for answer in batch.answers(None)] == [120, 60]


@pytest.mark.parametrize("slice_items", [7, 20, 50])
def test_event_of_many_lines_is_one_record_across_slices(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch, slice_items: int
) -> None:
    """Wherever a body is cut, the lines of a stack trace stay together and none is there twice."""
    trace = ["2026-11-01 12:00:00 ERROR boom {}", *(f"    at com.shop.Cart.add(Cart.java:{i})" for i in range(11))]
    lines = [line.format(event) for event in range(30) for line in trace]
    body = decode_body("\n".join(lines).encode(), "text/plain")
    whole = Batch([Submission(body, "ann")], sentinel.spool.pack(), now_s=1.0, period="month")
    whole.step()
    monkeypatch.setattr("sentinel.pipeline.batch.SLICE_ITEMS", slice_items)
    cut = Batch([Submission(body, "ann")], sentinel.spool.pack(), now_s=1.0, period="month")
    while not cut.is_packed:
        cut.step()

    with sentinel.spool.transaction() as tx:
        tx.append(whole.packed)
        tx.append(cut.packed)
    found = messages(sentinel.spool)
    assert cut.answers(None)[0].accepted == 30
    assert found[:30] == found[30:]
