"""Group commit: many callers, one COMMIT, and an answer only after it."""

import asyncio
import threading
from functools import partial

import pytest

from sentinel import failpoints
from sentinel.errors import TransientError
from sentinel.records import EVENTS
from sentinel.spool import Committer, Spool


def test_works_of_many_threads_are_committed_once_each(spool, make_records):
    """Every submitted work is done once, and its future has the span it was given."""
    committer = Committer(spool)
    spans = []

    def append_it(frame, tx):
        return tx.append(frame)

    def write(i: int) -> None:
        for n in range(20):
            work = partial(append_it, make_records(1, first=i * 100 + n))
            spans.append(committer.submit(work).result(30))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    committer.close()

    assert sorted(span.first for span in spans) == list(range(1, 81))
    assert spool.read(EVENTS, 0, 1_000)["event_id"].n_unique() == 80


def test_waiting_works_share_one_commit(spool, make_records):
    """What is queued while a commit runs goes into the next one together."""
    started, go_on, commits = threading.Event(), threading.Event(), []

    def block(_tx) -> None:
        started.set()
        go_on.wait(30)

    committer = Committer(spool)
    first = committer.submit(block)
    started.wait(30)
    futures = [committer.submit(lambda tx: tx.append(make_records(1))) for _ in range(50)]
    failpoints.arm("spool.after-commit", lambda: commits.append(1), nth=2)
    go_on.set()
    spans = [future.result(30) for future in [first, *futures]][1:]
    committer.close()

    assert [span.first for span in spans] == list(range(1, 51))
    assert commits == [1]
    assert failpoints._armed["spool.after-commit"].left == 0


def test_failing_work_spoils_no_other(spool, make_records):
    """A work that raises is undone alone; those before and after it in the same commit stay."""
    started, go_on = threading.Event(), threading.Event()
    committer = Committer(spool)

    def block(_tx) -> None:
        started.set()
        go_on.wait(30)

    def fail(tx) -> None:
        tx.append(make_records(5))
        raise ValueError("mine alone")

    committer.submit(block)
    started.wait(30)
    before = committer.submit(lambda tx: tx.append(make_records(1)))
    failing = committer.submit(fail)
    after = committer.submit(lambda tx: tx.append(make_records(1)))
    go_on.set()

    assert before.result(30).first == 1
    with pytest.raises(ValueError, match="mine alone"):
        failing.result(30)
    assert after.result(30).first == 2
    committer.close()
    assert spool.verify() == []


def test_no_future_succeeds_when_the_commit_fails(spool, make_records):
    """Where the commit itself fails, all who wait for it hear of it, and nothing is there."""
    failpoints.arm_from_text("spool.before-commit:raise")
    committer = Committer(spool)

    future = committer.submit(lambda tx: tx.append(make_records(3)))

    with pytest.raises(TransientError, match="commit to the spool"):
        future.result(30)
    assert spool.last_sequence(EVENTS) == 0
    assert committer.submit(lambda tx: tx.append(make_records(1))).result(30).first == 1
    committer.close()


def test_future_is_done_only_after_the_commit(folder, spool, make_records):
    """What a future promises, another process can read."""
    committer = Committer(spool)
    with Spool.open(folder) as other:
        for n in range(1, 20):
            committer.submit(lambda tx: tx.append(make_records(1))).result(30)
            assert other.last_sequence(EVENTS) == n
    committer.close()


def test_close_commits_what_was_submitted(spool, make_records):
    """Closing drains the queue; afterwards nothing is taken."""
    committer = Committer(spool)
    futures = [committer.submit(lambda tx: tx.append(make_records(1))) for _ in range(100)]
    committer.close()
    committer.close()

    assert all(future.done() for future in futures)
    assert spool.last_sequence(EVENTS) == 100
    with pytest.raises(TransientError, match="closing"):
        committer.submit(lambda tx: None)


def test_full_queue_refuses_at_once(spool):
    """When too many wait for the disk the next one is refused instead of piling up."""
    started, go_on = threading.Event(), threading.Event()

    def block(_tx) -> None:
        started.set()
        go_on.wait(30)

    committer = Committer(spool, max_queued=2)
    committer.submit(block)
    started.wait(30)
    waiting = [committer.submit(lambda tx: None) for _ in range(2)]
    with pytest.raises(TransientError, match="2 works wait"):
        committer.submit(lambda tx: None)
    go_on.set()
    assert [future.result(30) for future in waiting] == [None, None]
    committer.close()


async def test_asyncio_waits_for_a_commit(spool, make_records):
    """A future of the committer can be awaited."""
    committer = Committer(spool)
    spans = await asyncio.gather(
        *(asyncio.wrap_future(committer.submit(lambda tx: tx.append(make_records(2)))) for _ in range(5))
    )
    committer.close()

    assert sorted(span.last for span in spans) == [2, 4, 6, 8, 10]
