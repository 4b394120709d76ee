"""Work for a process under the shim: seeded histories of a spool, a folder of small files, each step acknowledged.

`python -m tests.faults.histories ROOT FIRST_SEED COUNT` makes ROOT/<seed>/ for each seed. After every step that
returned, one line in ROOT/<seed>.acks tells what an observer sees then: after a power cut an observer must see the
state of the last acknowledged step, or of the one that was under way.
"""

import contextlib
import json
import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sentinel.durable import make_private_dir, write_file
from sentinel.errors import SentinelError
from sentinel.records import ANOMALIES, ANOMALY_COLUMNS, EVENTS, RECORD_SCHEMA, Checkpoint
from sentinel.spool import Spool

__all__ = ["History", "observe", "records"]

READERS = {"deliver": EVENTS, "deliver-anomalies": ANOMALIES, "detect": EVENTS}
FREE_BYTES = 10**12
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def records(dice: random.Random, count: int, prefix: str, stream: str = EVENTS) -> pl.DataFrame:
    """Some records of a stream, with ids of this prefix."""
    columns = RECORD_SCHEMA | (ANOMALY_COLUMNS if stream == ANOMALIES else {})
    rows = {
        "event_id": [f"{prefix}-{row:04d}" for row in range(count)],
        "partition": ["2026.11"] * count,
        "timestamp": [NOW] * count,
        "received": [NOW] * count,
        "source": [f"source-{dice.randint(0, 3)}" for _ in range(count)],
        "message": [dice.randbytes(dice.choice((4, 20, 400))).hex() for _ in range(count)],
    }
    return pl.DataFrame({name: rows.get(name, [None] * count) for name in columns}, schema=columns)


def observe(spool: Spool) -> dict[str, object]:
    """All that a user of this spool can see, as plain values."""
    seen: dict[str, object] = {"id": spool.id}
    for stream in (EVENTS, ANOMALIES):
        books = spool.ledger(stream)
        counts = ("received", "rejected", "accepted", "delivered", "waiting", "dead")
        seen[stream] = {name: getattr(books, name) for name in counts} | {"balanced": books.is_balanced}
        counting = next(reader for reader, read in READERS.items() if read == stream)
        after = spool.position(counting).sequence
        seen[f"{stream} waiting"] = spool.read(stream, after, 10**6, 2**40)["event_id"].to_list()
        seen[f"{stream} last"] = spool.last_sequence(stream)
        seen[f"{stream} letters"] = [
            [letter.sequence, letter.state, letter.reason] for letter in spool.dead_letters(stream, limit=10**6)
        ]
    positions = [spool.position(reader) for reader in READERS]
    seen["positions"] = [[one.sequence, one.attempts, one.next_attempt_s, one.error] for one in positions]
    seen["checkpoints"] = sorted([one.generation, one.offset] for one in spool.checkpoints())
    seen["scored"] = [list(one) for one in spool.scored()]
    blobs = [spool.blob(f"state-{number}") for number in range(3)]
    seen["blobs"] = [blob.hex() if blob is not None else None for blob in blobs]
    return seen


def observe_files(folder: Path) -> dict[str, object]:
    """The small files written beside the spool."""
    kept = sorted(path for path in (folder / "files").glob("*.json") if not path.name.startswith("."))
    return {path.name: path.read_bytes().hex() for path in kept}


class History:
    """One seeded history; every step is a method that returns when its work is durable."""

    def __init__(self, folder: Path, seed: int, acks: Callable[[bytes], None]) -> None:
        self.folder, self._dice, self._acks, self._step = folder, random.Random(seed), acks, 0
        self._spool: Spool | None = None
        self._now_s = 1_790_000_000.0
        self._offsets: dict[str, int] = {}

    @property
    def spool(self) -> Spool:
        """The open spool."""
        if self._spool is None:
            self._spool = Spool.open(
                self.folder / "var" / "spool",
                max_bytes=2**30,
                min_free_bytes=1,
                free=lambda _: FREE_BYTES,
                clock=lambda: self._now_s,
            )
        return self._spool

    def run(self, steps: int) -> None:
        """Take seeded steps; a step that raises SentinelError or OSError acknowledges nothing."""
        choices = [self.append] * 6 + [self.collect] * 3 + [self.deliver] * 5 + [self.detect] * 2
        choices += [self.remember, self.prune, self.reopen, self.write, self.letters, self.fail]
        for _ in range(steps):
            self.take(self._dice.choice(choices))
        self.close()

    def take(self, step: Callable[[], None]) -> None:
        """One step and its acknowledgement."""
        self._step += 1
        self._now_s += 1.0
        step()
        self.acknowledge()

    def acknowledge(self) -> None:
        """Tell what is to be seen now."""
        seen = {"spool": observe(self.spool), "files": observe_files(self.folder)}
        self._acks(json.dumps({"step": self._step, "seen": seen}).encode() + b"\n")

    def close(self) -> None:
        """Close the spool."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def append(self) -> None:
        """Some events, sometimes anomalies, sometimes rejections."""
        stream = ANOMALIES if self._dice.random() < 0.2 else EVENTS
        with self.spool.transaction() as tx:
            frame = records(self._dice, self._dice.choice((1, 3, 40, 400)), f"s{self._step}", stream)
            tx.append(frame, stream=stream)
            if self._dice.random() < 0.3:
                tx.count_rejected({("source-0", "empty"): self._dice.randint(1, 5)})

    def collect(self) -> None:
        """Lines and the checkpoints that cover them."""
        with self.spool.transaction() as tx:
            tx.append(records(self._dice, self._dice.randint(1, 200), f"s{self._step}"))
            name = f"generation{self._dice.randint(0, 2)}"
            self._offsets[name] = self._offsets.get(name, 0) + 1000
            tx.put_checkpoints(
                [Checkpoint(name, "/a", 1, 2, self._offsets[name], 0, "", 0, "", "live", self._now_s)],
            )

    def deliver(self) -> None:
        """Move a reader, with dead letters, or postpone it."""
        reader = self._dice.choice(("deliver", "deliver", "deliver-anomalies"))
        with self.spool.lease(reader) as lease:
            assert lease is not None
            position = self.spool.position(reader)
            last = self.spool.last_sequence(READERS[reader])
            with self.spool.transaction() as tx:
                if last == position.sequence or self._dice.random() < 0.2:
                    tx.postpone(lease, position.attempts + 1, self._now_s + 3, "store away")
                    return
                target = self._dice.randint(position.sequence + 1, last)
                poison = self._dice.sample(range(position.sequence + 1, target + 1), 1)
                tx.move(lease, target, dead=dict.fromkeys(poison, "mapping conflict"))

    def detect(self) -> None:
        """State, scored ranges and the reader's position in one transaction."""
        with self.spool.lease("detect") as lease:
            assert lease is not None
            position, last = self.spool.position("detect").sequence, self.spool.last_sequence(EVENTS)
            with self.spool.transaction() as tx:
                tx.put_blob(f"state-{self._dice.randint(0, 2)}", self._dice.randbytes(self._dice.choice((10, 20_000))))
                if last > position:
                    tx.add_scored("model", position + 1, last)
                    tx.move(lease, last)

    def remember(self) -> None:
        """An answer to an Idempotency-Key."""
        with self.spool.transaction() as tx:
            tx.append(records(self._dice, 1, f"s{self._step}"))
            tx.remember_answer("client", f"key{self._step}", "digest", b"{}", self._now_s)

    def prune(self) -> None:
        """Delete what is delivered."""
        self.spool.prune(now_s=self._now_s, keep_bytes=0, keep_anomalies=5)

    def reopen(self) -> None:
        """Close and open again: SQLite checkpoints its log and removes it."""
        self.close()
        assert self.spool.id

    def write(self) -> None:
        """Replace a small file."""
        make_private_dir(self.folder / "files")
        content = self._dice.randbytes(self._dice.choice((3, 900, 9000)))
        write_file(self.folder / "files" / f"{self._dice.randint(0, 1)}.json", content)

    def letters(self) -> None:
        """Replay, settle, drop dead letters."""
        dead = [one.sequence for one in self.spool.dead_letters(EVENTS, state="dead", limit=3)]
        if not dead:
            return
        self.spool.replay(EVENTS, dead[:1])
        with self.spool.lease("deliver") as lease, self.spool.transaction() as tx:
            assert lease is not None
            tx.settle_replay(lease, delivered=dead[:1])

    def fail(self) -> None:
        """A transaction that is rolled back leaves nothing."""
        with contextlib.suppress(SentinelError), self.spool.transaction() as tx:
            tx.append(records(self._dice, 20, f"s{self._step}"))
            raise SentinelError("rolled back on purpose")


def main(root: Path, first: int, count: int, steps: int) -> None:
    """Make the histories."""
    for seed in range(first, first + count):
        folder = root / str(seed)
        folder.mkdir()
        fd = os.open(root / f"{seed}.acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        History(folder, seed, lambda line, fd=fd: os.write(fd, line) and None).run(steps)
        os.close(fd)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
