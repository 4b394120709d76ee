"""The books against a model: whatever is done in whatever order, they say exactly what is there."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sentinel.records import EVENTS
from sentinel.spool import Spool

SOURCES = ("a", "b", "c")


class Books(RuleBasedStateMachine):
    """A spool, and beside it a dictionary that says what each record should be."""

    make_records = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="spool-"))
        self.spool = Spool.open(self.folder, min_free_bytes=0)
        self.state: dict[int, str] = {}  # sequence → waiting, delivered, dead, replaying or dropped
        self.source: dict[int, str] = {}
        self.rejected = 0
        self.position = 0

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.folder)

    def _add(self, first: int, n: int) -> None:
        for sequence in range(first, first + n):
            self.state[sequence] = "waiting"
            self.source[sequence] = SOURCES[(sequence - first) % 3]

    @rule(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=3), is_kept=st.booleans())
    def append(self, sizes: list[int], is_kept: bool) -> None:
        """Several frames in one transaction, which may be undone."""
        try:
            with self.spool.transaction() as tx:
                spans = [(tx.append(self.make_records(n, sources=SOURCES)), n) for n in sizes]
                if not is_kept:
                    raise InterruptedError
        except InterruptedError:
            return
        for span, n in spans:
            assert span.last - span.first + 1 == n
            self._add(span.first, n)

    @rule(n=st.integers(1, 9))
    def reject(self, n: int) -> None:
        """Lines that were not accepted."""
        with self.spool.transaction() as tx:
            tx.count_rejected({("x", "bad"): n})
        self.rejected += n

    @rule(step=st.integers(1, 25), poison=st.sets(st.integers(0, 5), max_size=3))
    def deliver(self, step: int, poison: set[int]) -> None:
        """Read on, and move over a part of it, some of which dies."""
        with self.spool.lease("deliver") as lease:
            frame = self.spool.read(EVENTS, self.position, 25)
            waiting = [n for n in sorted(self.state) if n > self.position and self.state[n] == "waiting"]
            assert frame["sequence"].to_list() == waiting[:25]
            passed = waiting[: min(step, 25)]
            if not passed:
                return
            dead = {passed[i]: "poison" for i in poison if i < len(passed)}
            with self.spool.transaction() as tx:
                tx.move(lease, passed[-1], dead=dead)
        for sequence in passed:
            self.state[sequence] = "dead" if sequence in dead else "delivered"
        self.position = passed[-1]

    def _any(self, data: st.DataObject, state: str) -> list[int]:
        found = sorted(n for n, is_now in self.state.items() if is_now == state)
        return sorted(data.draw(st.sets(st.sampled_from(found), max_size=5))) if found else []

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Somebody asks for dead letters to be offered again."""
        chosen = self._any(data, "dead")
        assert self.spool.replay(EVENTS, chosen) == len(chosen)
        self.state.update(dict.fromkeys(chosen, "replaying"))

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Replayed letters are delivered, or die again."""
        offered = self.spool.replays(EVENTS, 100)["sequence"].to_list()
        assert offered == sorted(n for n, is_now in self.state.items() if is_now == "replaying")
        chosen = self._any(data, "replaying")
        delivered, dead = chosen[::2], chosen[1::2]
        with self.spool.lease("deliver") as lease, self.spool.transaction() as tx:
            tx.settle_replay(lease, delivered=delivered, dead=dict.fromkeys(dead, "again"))
        self.state.update(dict.fromkeys(delivered, "delivered") | dict.fromkeys(dead, "dead"))

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Somebody gives dead letters up."""
        chosen = self._any(data, "dead")
        assert self.spool.drop(EVENTS, chosen) == len(chosen)
        self.state.update(dict.fromkeys(chosen, "dropped"))

    @rule(keep_bytes=st.sampled_from([0, 5_000, 10**9]))
    def prune(self, keep_bytes: int) -> None:
        """What is delivered may go."""
        self.spool.prune(keep_bytes=keep_bytes, now_s=2e9)

    @rule()
    def detect(self) -> None:
        """Another reader moves on; the books do not care."""
        with self.spool.lease("detect") as lease, self.spool.transaction() as tx:
            tx.move(lease, self.spool.last_sequence(EVENTS))

    @precondition(lambda self: self.state)
    @rule(data=st.data())
    def corrupt(self, data: st.DataObject) -> None:
        """A batch goes bad on the disk, and is found so by a read."""
        with self.spool._database.writing("test") as connection:
            rows = connection.execute("SELECT id, first, last FROM batches WHERE last > ?", (self.position,)).fetchall()
            if not rows:
                return
            key, first, last = data.draw(st.sampled_from(rows))
            connection.execute("UPDATE batches SET blob = x'00' WHERE id = ?", (key,))
        self.spool.read(EVENTS, first - 1, last - first + 1)
        for sequence in range(first, last + 1):
            if self.state[sequence] == "waiting":
                self.state[sequence] = "dropped"
        self.position = self.spool.position("deliver").sequence

    @rule()
    def reopen(self) -> None:
        """A restart forgets nothing."""
        self.spool.close()
        self.spool = Spool.open(self.folder, min_free_bytes=0)

    @invariant()
    def books_say_what_is_there(self) -> None:
        """Totals and sources, counted from the model."""
        books, states = self.spool.ledger(), Counter(self.state.values())
        assert books.is_balanced
        assert books.received == len(self.state) + self.rejected
        assert books.delivered == states["delivered"]
        assert books.waiting == states["waiting"] + states["replaying"]
        assert books.dead == states["dead"] + states["dropped"]
        accepted = Counter(self.source.values())
        waiting = Counter(self.source[n] for n, is_now in self.state.items() if is_now in ("waiting", "replaying"))
        for row in books.by_source:
            assert (row.accepted, row.waiting) == (accepted[row.source], waiting[row.source])
        assert [text for text in self.spool.verify() if "quarantine" not in text] == []


def test_books_hold_whatever_happens(make_records):
    """Appends, moves, deaths, replays, drops, prunes, damage and restarts in any order leave exact books."""
    Books.make_records = staticmethod(make_records)
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
