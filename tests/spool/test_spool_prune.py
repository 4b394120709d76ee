"""Pruning takes what nobody needs, leaves what somebody does, and gives the room back."""

import os

import pytest

from sentinel.errors import TransientError
from sentinel.records import ANOMALIES, EVENTS, Checkpoint
from sentinel.spool import Spool


def test_waiting_batches_are_never_pruned(spool, make_records, append, deliver):
    """What deliver has not passed stays, whatever the other bounds say."""
    for first in range(0, 50, 10):
        append(spool, make_records(10, first=first))
    deliver(spool, 50, reader="detect")
    deliver(spool, 25)

    assert spool.prune(keep_bytes=0) == 20
    assert spool.read(EVENTS, 0, 100)["sequence"].to_list() == list(range(21, 51))
    assert spool.verify() == []


def test_batches_wait_for_detect_within_their_bound(spool, make_records, append, deliver):
    """Delivered events that detect has not seen stay up to `keep_bytes`; beyond it the oldest go."""
    for first in range(0, 50, 10):
        append(spool, make_records(10, first=first))
    size = spool.ledger().bytes // 5
    deliver(spool, 50)

    assert spool.prune() == 0
    assert spool.prune(keep_bytes=int(size * 2.5)) == 30
    assert spool.read(EVENTS, 0, 100)["sequence"].to_list() == list(range(31, 51))
    deliver(spool, 50, reader="detect")
    assert spool.prune() == 20
    assert spool.read(EVENTS, 0, 100).is_empty()


def test_sequences_go_on_after_everything_was_pruned(folder, make_records, append, deliver):
    """An empty spool never gives a sequence out again, not even after a restart."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        append(spool, make_records(30))
        deliver(spool, 30)
        deliver(spool, 30, reader="detect")
        assert spool.prune() == 30

    with Spool.open(folder, min_free_bytes=0) as spool:
        assert append(spool, make_records(1)).first == 31


def test_newest_anomalies_stay_after_delivery(spool, make_anomalies, append, deliver):
    """The newest anomalies can be shown though they are long delivered."""
    for first in range(0, 100, 10):
        append(spool, make_anomalies(10, first=first), ANOMALIES)
    deliver(spool, 100, reader="deliver-anomalies")

    assert spool.prune(keep_anomalies=25) == 70
    found = spool.anomalies(limit=1_000)
    assert found["sequence"].to_list() == list(range(100, 70, -1))
    assert spool.anomalies(limit=7)["sequence"].to_list() == list(range(100, 93, -1))


def test_anomalies_since_a_time(spool, make_anomalies, append):
    """`since_s` leaves out what happened before it."""
    frame = make_anomalies(20)
    append(spool, frame, ANOMALIES)

    since_s = frame["timestamp"][15].timestamp()

    assert spool.anomalies(since_s=since_s)["sequence"].to_list() == [20, 19, 18, 17, 16]
    assert spool.anomalies(limit=2, since_s=since_s)["sequence"].to_list() == [20, 19]
    assert spool.anomalies(limit=0).is_empty()


def test_old_answers_go_and_checkpoints_stay(spool):
    """Answers older than a day go. A checkpoint stays however old: without it a file would be read anew."""
    now_s = 1_000_000.0
    with spool.transaction() as tx:
        tx.put_checkpoints([Checkpoint("gen000000a", "/a", 1, 1, 9, 1, "h", 1, "g", "done", 100.0)])
        tx.remember_answer("c", "old", "d", b"", now_s - 90_000)
        tx.remember_answer("c", "new", "d", b"", now_s - 80_000)

    spool.prune(now_s=now_s)

    assert [row.path for row in spool.checkpoints()] == ["/a"]
    assert spool.answer("c", "old", 0.0) is None
    assert spool.answer("c", "new", 0.0) is not None


def test_checkpoints_go_when_they_are_forgotten(spool):
    """Whoever reads the files says which are gone for good."""
    kept = [Checkpoint(f"gen000000{name}", f"/{name}", 1, 1, 9, 1, "h", 1, "g", "done", 1.0) for name in "abc"]
    with spool.transaction() as tx:
        tx.put_checkpoints(kept)

    with spool.transaction() as tx:
        tx.forget_checkpoints(["gen000000a", "gen000000c", "gen000000x"])

    assert [row.path for row in spool.checkpoints()] == ["/b"]


def test_room_goes_back_to_the_disk(folder, make_records, append, deliver):
    """After a backlog was delivered and pruned the files are small again."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        for first in range(0, 10_000, 1_000):
            append(spool, make_records(1_000, first=first, message=os.urandom(2_000).hex()))
        deliver(spool, 10_000)
        deliver(spool, 10_000, reader="detect")
        full = (folder / "spool.db").stat().st_size
        spool.prune()
        assert spool.verify() == []
    assert full > 0
    assert (folder / "spool.db").stat().st_size < 10 * 2**20


def test_closed_spool_says_so(folder):
    """Using a spool after its end is an error, not a hang."""
    spool = Spool.open(folder)
    spool.close()

    with pytest.raises(TransientError, match="closed"):
        spool.last_sequence(EVENTS)
    with pytest.raises(TransientError, match="closed"), spool.transaction():
        pass
