"""One mover at a time: leases, fencing tokens, positions and the books that a move changes."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sentinel.errors import TerminalError
from sentinel.records import EVENTS
from sentinel.spool import LeaseLostError, Spool, readers

ROOT = Path(__file__).parents[2]

HOLD = """
import sys
from pathlib import Path
from sentinel.spool import Spool
spool = Spool.open(Path(sys.argv[1]), min_free_bytes=0)
with spool.lease("deliver") as lease:
    print("held" if lease else "busy", flush=True)
    sys.stdin.read()
"""

TAKE_TURNS = """
import sys
from pathlib import Path
from sentinel.spool import Spool
spool = Spool.open(Path(sys.argv[1]), min_free_bytes=0)
while True:
    with spool.lease("deliver", wait_s=20) as lease:
        at = spool.position("deliver").sequence
        if at >= int(sys.argv[2]):
            break
        frame = spool.read("events", at, 7)
        with open(sys.argv[3], "a") as log:
            log.write("".join(f"{n}\\n" for n in frame["sequence"]))
        with spool.transaction() as tx:
            tx.move(lease, int(frame["sequence"][-1]))
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_lease_is_held_by_one_thread_at_a_time(spool):
    """A second thread gets None while the first holds the lease, and the lease afterwards."""
    found = []

    def try_it() -> None:
        with spool.lease("deliver") as lease:
            found.append(lease is not None)

    with spool.lease("deliver"), spool.lease("detect") as other:
        assert other is not None
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    try_it()

    assert found == [False, True]


def test_lease_is_free_at_once_when_its_holder_is_killed(folder, spool):
    """While another process lives its lease is refused; after SIGKILL it is given."""
    holder = start(HOLD, folder)
    assert holder.stdout.readline() == "held\n"
    with spool.lease("deliver", wait_s=0.05) as lease:
        assert lease is None

    holder.kill()
    holder.wait()
    with spool.lease("deliver") as lease:
        assert lease is not None
    holder.stdin.close()
    holder.stdout.close()


def test_waiting_for_a_lease_ends_when_it_is_given_back(spool):
    """Who waits gets the lease as soon as the holder lets go."""
    taken, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with spool.lease("deliver"):
            taken.set()
            let_go.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(30)
    threading.Timer(0.05, let_go.set).start()
    with spool.lease("deliver", wait_s=30) as lease:
        assert lease is not None
    thread.join()


def test_two_processes_take_turns_and_read_everything_once(folder, spool, make_records, append, tmp_path):
    """Contending processes pass each record exactly once, in order."""
    append(spool, make_records(700))

    rivals = [start(TAKE_TURNS, folder, 700, tmp_path / "log") for _ in range(2)]
    codes = [rival.wait(60) for rival in rivals]

    for rival in rivals:
        rival.stdin.close()
        rival.stdout.close()
    assert codes == [0, 0]
    assert (tmp_path / "log").read_text().split() == [str(n) for n in range(1, 701)]
    assert spool.ledger().delivered == 700


def test_move_is_refused_when_the_lock_was_taken_over(folder, spool, make_records, append):
    """Who still believes to hold a lease whose lock file was replaced cannot move; the new holder can."""
    append(spool, make_records(5))
    with Spool.open(folder, min_free_bytes=0) as other, spool.lease("deliver") as old:
        (folder / "reader-deliver.lock").unlink()
        with other.lease("deliver") as new:
            assert new.token > old.token
            with pytest.raises(LeaseLostError, match="take a new"), spool.transaction() as tx:  # noqa: PT012 append is undone
                tx.append(make_records(1))
                tx.move(old, 5)
            with other.transaction() as tx:
                tx.move(new, 3)

    assert spool.position("deliver").sequence == 3
    assert spool.last_sequence(EVENTS) == 5


def test_lock_file_replaced_while_it_is_taken_is_not_the_lock(folder, spool, monkeypatch):
    """Who locks a file that is no longer the one in the folder has locked nothing, and tries again."""
    lock, taken = readers.fcntl.flock, []

    def replace_first(fd: int, how: int) -> None:
        if not taken:
            (folder / "reader-deliver.lock").unlink()
        taken.append(fd)
        lock(fd, how)

    monkeypatch.setattr(readers.fcntl, "flock", replace_first)
    with spool.lease("deliver", wait_s=10) as lease:
        assert lease is not None
        assert len(taken) == 2
        assert (folder / "reader-deliver.lock").exists()


def test_move_is_refused_when_the_lease_was_given_back(spool, make_records, append):
    """A lease is of no use after its block, for moves, postponements and replays alike."""
    append(spool, make_records(5))
    with spool.lease("deliver") as lease:
        pass

    for use in (
        lambda tx: tx.move(lease, 2),
        lambda tx: tx.postpone(lease, 1, 0, ""),
        lambda tx: tx.settle_replay(lease),
    ):
        with pytest.raises(LeaseLostError), spool.transaction() as tx:
            use(tx)


def test_idle_reader_writes_nothing(spool):
    """Taking the same lease again and again by one process leaves its token alone."""
    tokens = set()
    for _ in range(3):
        with spool.lease("deliver") as lease:
            tokens.add(lease.token)

    assert len(tokens) == 1


def test_positions_are_apart_and_survive_a_restart(folder, make_records, append, deliver):
    """Each reader has its own place, and finds it again."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        append(spool, make_records(10))
        deliver(spool, 7)
        deliver(spool, 4, reader="detect")

    with Spool.open(folder, min_free_bytes=0) as spool:
        assert spool.position("deliver").sequence == 7
        assert spool.position("detect").sequence == 4
        assert spool.position("alert").sequence == 0
        assert spool.ledger().delivered == 7


def test_move_counts_by_source_when_it_ends_inside_batches(spool, make_records, append, deliver):
    """Moves that begin and end in the middle of batches deliver exactly what they pass."""
    append(spool, make_records(6, sources=("a", "b")))
    append(spool, make_records(6, sources=("b", "c", "c")))

    deliver(spool, 3)
    deliver(spool, 8, {4: "poison", 7: "too long"})

    books = {row.source: (row.accepted, row.delivered, row.waiting, row.dead) for row in spool.ledger().by_source}
    assert books == {"a": (3, 3, 0, 0), "b": (5, 2, 1, 2), "c": (4, 1, 3, 0)}
    assert spool.verify() == []


def test_move_back_changes_nothing(spool, make_records, append, deliver):
    """A reader never goes back, and what it passed is not counted twice."""
    append(spool, make_records(5))
    deliver(spool, 4)
    deliver(spool, 2, {1: "late"})

    assert spool.position("deliver").sequence == 4
    assert spool.ledger().delivered == 4
    assert spool.dead_letters() == []


def test_move_past_the_end_is_refused(spool, make_records, append, deliver):
    """Nobody passes what does not exist; and a lock without a position is not moved."""
    append(spool, make_records(5))

    with pytest.raises(TerminalError, match="the last sequence is 5"):
        deliver(spool, 6)
    with pytest.raises(TerminalError, match="no position"):
        deliver(spool, 1, reader="collect")
    with pytest.raises(TerminalError, match="name"), spool.lease("../up"):
        pass


def test_failed_attempts_stand_in_the_spool_until_the_reader_moves(folder, spool, make_records, append, deliver):
    """Attempts, the next one's time and the reason are seen by every process, and forgotten by a move."""
    append(spool, make_records(5))
    with spool.lease("deliver") as lease, spool.transaction() as tx:
        tx.postpone(lease, 3, 1234.5, "503 from the store")

    with Spool.open(folder, min_free_bytes=0) as other:
        position = other.position("deliver")
        assert (position.sequence, position.attempts, position.next_attempt_s) == (0, 3, 1234.5)
        assert position.error == "503 from the store"
        deliver(spool, 1)
        assert (other.position("deliver").attempts, other.position("deliver").error) == (0, None)


def test_oldest_waiting_record_is_known(spool, make_records, append, deliver):
    """The ledger says since when the oldest waiting record waits, and nothing when none waits."""
    assert spool.ledger().oldest_waiting_s is None
    frame = make_records(20)
    append(spool, frame.head(10))
    append(spool, frame.tail(10))
    deliver(spool, 10)

    assert spool.ledger().oldest_waiting_s == frame["received"][10].timestamp()
    deliver(spool, 20)
    assert spool.ledger().oldest_waiting_s is None
