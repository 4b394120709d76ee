"""R4: the n-th call to the disk fails, for each n, each kind of call and each error, once and for ever.

`python -m tests.faults.iofaults ROOT CONTROL STRIDE FIRST` is the process under the shim; it prints one JSON line a
sweep. What was acknowledged must be there; what raised may be there wholly or not at all; nothing may raise anything
but SentinelError and OSError; and when the disk is well again, the same open spool works again.
"""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sentinel.errors import SentinelError
from sentinel.records import EVENTS, Checkpoint
from sentinel.spool import Spool
from tests.faults.control import SENSIBLE, Control, Failure
from tests.faults.histories import FREE_BYTES, records
from tests.faults.processes import ROOT
from tests.faults.trace import build_shim, shim_environment

__all__ = ["Sweep", "run", "sweeps"]

MATCHES = {"open": ("",), "write": ("-wal", "spool.db"), "sync": ("-wal", "spool.db"), "read": ("spool.db",)}
MANY = ("write", "read")  # so many sites that a short run takes only some of them
MAX_NTH = 2_000
FORESEEN = (SentinelError, OSError)


@dataclass
class Sweep:
    """One kind of failure at each of its sites."""

    kind: str
    sites: int = 0
    failures: int = 0
    refused_steps: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Work:
    """A spool at work on a failing disk, with what it acknowledged."""

    folder: Path
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    acknowledged: set[str] = field(default_factory=set)
    offered: set[str] = field(default_factory=set)
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    spool: Spool | None = None

    def open(self) -> Spool:
        """The spool, opened when it is not."""
        if self.spool is None:
            self.spool = Spool.open(self.folder / "spool", max_bytes=2**30, min_free_bytes=1, free=lambda _: FREE_BYTES)
        return self.spool

    def step(self, work: Callable[[], None]) -> bool:
        """One step that may fail in the ways that are foreseen; whether it did not."""
        try:
            work()
        except FORESEEN:
            self.refused += 1
            return False
        except Exception as exc:
            self.wrong.append(f"{work.__name__} raised {type(exc).__name__}: {exc}")
            return False
        return True

    def append(self) -> None:
        """Events and a checkpoint, acknowledged when the transaction has ended."""
        frame = records(self.dice, self.dice.choice((1, 30, 300)), f"b{len(self.offered)}")
        ids = frame["event_id"].to_list()
        self.offered.update(ids)
        with self.open().transaction() as tx:
            tx.append(frame)
            tx.put_checkpoints([Checkpoint("g", "/a", 1, 2, len(self.offered), 0, "", 0, "", "live", 1.0)])
        self.acknowledged.update(ids)

    def deliver(self) -> None:
        """Read, move half of the way, with one dead letter."""
        spool = self.open()
        with spool.lease("deliver") as lease:
            if lease is None:
                return
            position = spool.position("deliver").sequence
            frame = spool.read(EVENTS, position, 200)
            if frame.height > 1:
                with spool.transaction() as tx:
                    tx.move(lease, position + frame.height // 2, dead={position + 1: "poison"})

    def tidy(self) -> None:
        """Prune; events that detect has not passed stay."""
        self.open().prune()

    def close(self) -> None:
        """Close the spool."""
        spool, self.spool = self.spool, None
        if spool is not None:
            spool.close()

    def check(self) -> None:
        """All that was acknowledged is there, nothing else but what was offered, and the books balance."""
        spool = self.open()
        there = spool.read(EVENTS, 0, 10**6, 2**40)["event_id"].to_list()
        books = spool.ledger()
        claims = {
            "nothing is twice": len(there) == len(set(there)),
            "nothing acknowledged is lost": self.acknowledged <= set(there),
            "nothing is invented": set(there) <= self.offered,
            "the books balance": books.is_balanced and books.accepted == len(there),
        }
        self.wrong += [f"not so: {claim} ({books})" for claim, holds in claims.items() if not holds]


def attempt(folder: Path, control: Control, failure: Failure, *, before_open: bool) -> tuple[Work, int]:
    """One run with one failure; what it did and how many calls failed."""
    work = Work(folder)
    if not before_open:
        work.step(work.append)
    control.arm(failure)
    for step in (work.append, work.deliver, work.append, work.tidy, work.close, work.append, work.deliver):
        work.step(step)
    failed = control.disarm()
    for step in (work.append, work.deliver, work.check, work.close, work.append, work.check, work.close):
        if not work.step(step):
            work.wrong.append(f"{step.__name__} failed although the disk is well again")
            with contextlib.suppress(Exception):
                step()
    return work, failed


def sweep(root: Path, control: Control, failure: Failure, *, before_open: bool, first: int, stride: int) -> Sweep:
    """The same failure at the `first` site, and on by `stride` until no site is reached any more."""
    found = Sweep(
        f"{failure.operation} {failure.match or '*'} {failure.error} {'sticky' if failure.is_sticky else 'once'}"
    )
    for nth in range(first, MAX_NTH, stride):
        folder = root / "work"
        folder.mkdir()
        one = Failure(failure.operation, failure.error, nth, failure.is_sticky, failure.match)
        work, failed = attempt(folder, control, one, before_open=before_open)
        with contextlib.suppress(Exception):
            work.close()
        shutil.rmtree(folder)
        found.wrong += [f"{one}: {what}" for what in work.wrong]
        if not failed:
            break
        found.sites += 1
        found.failures += failed
        found.refused_steps += work.refused
    return found


def sweeps() -> list[tuple[Failure, bool]]:
    """Every kind of failure, on a spool that is open already and on one that is not yet."""
    return [
        (Failure(operation, error, 1, is_sticky, match), before_open)
        for operation, errors in SENSIBLE.items()
        for match in MATCHES.get(operation, ("",))
        for error in errors
        for is_sticky in (False, True)
        for before_open in (False, True)
    ]


def run(folder: Path, *, stride: int, seed: int) -> list[Sweep]:
    """All sweeps, in one process under the shim. Raises RuntimeError when that process dies or hangs."""
    folder = Path(os.path.realpath(folder))
    root = folder / "io"
    root.mkdir()
    control = Control(folder / "control")
    environment = os.environ | shim_environment(build_shim(folder), root, control=control.path)
    command = [sys.executable, "-m", "tests.faults.iofaults", str(root), str(control.path), str(stride), str(seed)]
    done = subprocess.run(
        command,
        env=environment | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the process on the failing disk ended with {done.returncode}: {done.stderr[-3000:]}")
    return [Sweep(**json.loads(line)) for line in done.stdout.splitlines()]


def main(root: Path, control: Control, stride: int, seed: int) -> None:
    """Sweep and report."""
    dice = random.Random(seed)
    for failure, before_open in sweeps():
        step = stride if failure.operation in MANY else 1
        found = sweep(root, control, failure, before_open=before_open, first=dice.randint(1, step), stride=step)
        sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Control(Path(sys.argv[2])), *map(int, sys.argv[3:5]))
