"""R3: the power is cut at every kind of moment of a history; what the disk may keep must open as one of two states.

The two states are those of the last acknowledged step and of the step under way. `letters` changes two things in two
transactions, so a step may also be seen half done: every state between is allowed as long as the books balance.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from sentinel.errors import SentinelError
from sentinel.spool import Spool
from tests.faults import histories
from tests.faults.disk import Disk, unsynced_writes, write_out
from tests.faults.processes import ROOT
from tests.faults.trace import Operation, build_shim, read_trace, shim_environment

__all__ = ["Findings", "record", "run"]

STEPS = 14
CHUNK = 25  # histories a process


@dataclass
class Findings:
    """How much was tried, and what was wrong."""

    histories: int = 0
    operations: int = 0
    syncs: int = 0
    states: int = 0
    acknowledgements: int = 0
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """All figures as plain values."""
        return vars(self) | {"wrong": len(self.wrong)}


def record(folder: Path, library: Path, first: int, count: int, *, runner: tuple[str, ...] = ("-m",)) -> Path:
    """Run histories under the shim and return the trace. Raises RuntimeError when they fail by themselves."""
    root, trace = folder / f"root-{first}", folder / f"{first}.trace"
    root.mkdir()
    environment = os.environ | shim_environment(library, root, trace=trace) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *runner, "tests.faults.histories", str(root), str(first), str(count), str(STEPS)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"histories {first}…: {done.stderr[-2000:]}")
    return trace


def run(folder: Path, *, seed: int, count: int, cuts: int, runner: tuple[str, ...] = ("-m",)) -> Findings:
    """`count` histories from `seed` on, the power cut `cuts` times in each."""
    folder = Path(os.path.realpath(folder))
    library, findings = build_shim(folder), Findings()
    for first in range(seed, seed + count, CHUNK):
        chunk = min(CHUNK, seed + count - first)
        trace = record(folder, library, first, chunk, runner=runner)
        root = folder / f"root-{first}"
        for name, operations in groupby(read_trace(trace), key=lambda one: history_of(one, root)):
            if name is not None:
                judge(name, root, list(operations), findings, cuts)
        trace.unlink()
        shutil.rmtree(root)
    return findings


def history_of(operation: Operation, root: Path) -> str | None:
    """The history that an operation belongs to."""
    first = operation.path.removeprefix(f"{root}/").partition("/")[0].removesuffix(".acks")
    return first if first.isdigit() else None


def judge(name: str, root: Path, operations: list[Operation], findings: Findings, cuts: int) -> None:
    """Cut the power at `cuts` moments of one history and look at what is left."""
    dice = random.Random(int(name))
    changes = [n for n, one in enumerate(operations) if one.kind != "A" and not one.path.endswith(".acks")]
    moments = sorted(dice.choices(changes, k=cuts))
    acknowledged = [json.loads(one.data)["seen"] for one in operations if one.kind == "A"]
    findings.histories += 1
    findings.operations += len(operations)
    findings.syncs += sum(one.kind in "SD" for one in operations)
    findings.acknowledgements += len(acknowledged)
    findings.wrong += [f"history {name}: {what}" for what in unsynced_writes(operations, suffix="-wal")]
    disk, done = Disk(), 0
    for given in (str(root), str(root / name)):  # made by the harness, and long there
        disk.live[given] = disk.safe[given] = None
    for number, operation in enumerate(operations):
        disk.replay(operation)
        done += operation.kind == "A"
        while moments and moments[0] == number:
            moments.pop(0)
            findings.states += 1
            wrong = look(disk, dice, root, name, acknowledged[max(done - 1, 0) : done + 1] if done else [], done)
            findings.wrong += [f"history {name}, cut after operation {number}: {what}" for what in wrong]


def look(
    disk: Disk, dice: random.Random, root: Path, name: str, allowed: list[dict[str, object]], done: int
) -> list[str]:
    """What is wrong with one state of the disk after a cut."""
    with tempfile.TemporaryDirectory(dir=root.parent) as place:
        left = {path: data for path, data in disk.after_cut(dice).items() if not path.endswith("-shm")}
        write_out(left, str(root), Path(place))
        folder = Path(place) / name
        if dice.random() < 0.3 and (shm := folder / "var/spool/spool.db").exists():
            shm.with_name("spool.db-shm").write_bytes(dice.randbytes(32768))
        return examine(folder, allowed, is_acknowledged=done > 0)


def examine(folder: Path, allowed: list[dict[str, object]], *, is_acknowledged: bool) -> list[str]:
    """Open the spool as a server would, compare with the allowed states, and go on working with it."""
    history = histories.History(folder, 0, lambda _: None)
    try:
        seen = {"spool": histories.observe(history.spool), "files": histories.observe_files(folder)}
        wrong = [] if not is_acknowledged else differences(seen, allowed)
        history.take(history.append)
        history.take(history.deliver)
        again = histories.observe(history.spool)["events"]
        if not isinstance(again, dict) or not again["balanced"]:
            wrong.append(f"the books do not balance: {again}")
    except (SentinelError, OSError, AssertionError) as exc:
        return [f"{type(exc).__name__}: {exc}"]
    finally:
        history.close()
    return wrong + damage(folder)


def damage(folder: Path) -> list[str]:
    """What SQLite itself finds wrong with the file."""
    import sqlite3

    connection = sqlite3.connect(folder / "var/spool/spool.db")
    try:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
    finally:
        connection.close()
    return [] if verdict == "ok" else [f"integrity_check: {verdict}"]


def differences(seen: dict[str, object], allowed: list[dict[str, object]]) -> list[str]:
    """Nothing where each part equals that part of an allowed state; else what was seen and what was allowed."""
    found = []
    for part in ("spool", "files"):
        mine = normal(seen[part])
        options = [normal(state[part]) for state in allowed]
        if mine in options or (part == "spool" and is_between(mine, options)):
            continue
        keys = [key for key in mine if all(mine[key] != option.get(key) for option in options)] or ["a mixture"]
        told = {key: (short(mine.get(key)), [short(option.get(key)) for option in options]) for key in keys}
        found.append(f"{part} is in no allowed state: {told}")
    return found


def normal(value: object) -> dict[str, object]:
    """As JSON would give it back."""
    result: dict[str, object] = json.loads(json.dumps(value))
    return result


def short(value: object) -> str:
    """A value, cut to be read."""
    return str(value)[:300]


def is_between(mine: dict[str, object], options: list[dict[str, object]]) -> bool:
    """Whether a step of several transactions was caught half done: only letters and books differ, and they balance."""
    loose = {"events", "events letters", "anomalies", "anomalies letters"}
    books = mine["events"]
    assert isinstance(books, dict)
    rest = {key: value for key, value in mine.items() if key not in loose}
    return books["balanced"] and any(rest == {k: v for k, v in one.items() if k not in loose} for one in options)


assert Spool.open  # the histories are those of the real spool
