"""R4 on the whole server: its disk fails or is full; it says so, acknowledges nothing, and recovers by itself."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.control import Control, Failure
from tests.faults.disk import SECTOR
from tests.faults.load import Link
from tests.faults.oracle import HTTP, Oracle, Verdict, body_of
from tests.faults.processes import Home, Server, run_verb
from tests.faults.stored import documents
from tests.faults.trace import Operation, build_shim, read_trace, shim_environment

__all__ = ["FAILURES", "Trial", "acks_follow_syncs", "full_disk", "run", "tmpfs"]

FAILURES = (
    Failure("sync", "EIO", is_sticky=True, match="-wal"),
    Failure("write", "ENOSPC", is_sticky=True, match="-wal"),
    Failure("write", "EIO", is_sticky=True, match="spool"),
    Failure("write", "short", is_sticky=True, match="-wal"),
    Failure("open", "EMFILE", is_sticky=True, match="spool"),
    Failure("sync", "EIO", match="-wal"),
)
REACT_S = 15.0


@dataclass
class Trial:
    """What a server did while its disk failed."""

    during: list[int | str] = field(default_factory=list)  # answers to POST /logs
    ready: list[int] = field(default_factory=list)  # answers of /ready
    recovered_s: float = -1.0  # until a POST was answered 202 again; −1: never
    slowest_s: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)


def post(server: Server, oracle: Oracle, count: int = 20) -> int | str:
    """Send some events; acknowledged where the answer is 202."""
    numbers = oracle.issue(HTTP, count)
    link = Link(server.port)
    try:
        status, _ = link.post("/logs", body_of([oracle.event(HTTP, number) for number in numbers], None), None)
    finally:
        link.close()
    if status == 202:
        oracle.acknowledge(HTTP, numbers)
    return status


def watch(server: Server, oracle: Oracle, trial: Trial, *, rounds: int) -> None:
    """Send and ask /ready while the disk fails."""
    for _ in range(rounds):
        began = time.monotonic()
        trial.during.append(post(server, oracle))
        trial.ready.append(server.get("/ready", timeout_s=REACT_S)[0])
        trial.slowest_s = max(trial.slowest_s, time.monotonic() - began)
        time.sleep(0.4)


def recover(server: Server, oracle: Oracle, trial: Trial) -> None:
    """The disk is well again: how long until the server is too."""
    began = time.monotonic()
    while time.monotonic() - began < REACT_S:
        if post(server, oracle) == 202 and server.get("/ready")[0] == 200:
            trial.recovered_s = time.monotonic() - began
            return
        time.sleep(0.2)


def run(folder: Path, failures: tuple[Failure, ...] = FAILURES) -> list[Trial]:
    """One server under the shim, one failure after the other; the verdict of each is that of all at the end."""
    folder = Path(os.path.realpath(folder))
    control, oracle, trials = Control(folder / "control"), Oracle(23, poison_every=0), list[Trial]()
    home = Home(folder, settings=shim_environment(build_shim(folder), folder / "var", control=control.path))
    server = Server(home)
    server.start()
    server.wait_ready()
    for failure in failures:
        trial = Trial()
        trials.append(trial)
        assert post(server, oracle) == 202, home.log_tail()
        control.arm(failure)
        watch(server, oracle, trial, rounds=5)
        control.disarm()
        recover(server, oracle, trial)
    server.stop()
    settle(home, oracle, trials)
    return trials


def settle(home: Home, oracle: Oracle, trials: list[Trial]) -> None:
    """Deliver what waits on a disk that is well, and judge."""
    home.environment.pop("LD_PRELOAD", None)
    code, _ = run_verb(home, "load")
    assert code == 0, home.log_tail()
    verdict = oracle.judge(documents(home, None), [])
    for trial in trials:
        trial.verdict = verdict


@contextlib.contextmanager
def tmpfs(folder: Path, size_mb: int) -> Iterator[Path]:
    """A file system of its own in memory, of this size. Raises PermissionError where this user may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise PermissionError(f"this user may not mount a tmpfs at {folder}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def full_disk(folder: Path) -> Trial:
    """A disk that is really full, down to its last block; then there is room again."""
    trial, oracle = Trial(), Oracle(29, poison_every=0)
    with tmpfs(folder / "disk", 48) as disk:
        home = Home(folder, settings={"LOG_SENTINEL_HOME": disk / "var"})
        home.home = disk / "var"
        server = Server(home)
        server.start()
        server.wait_ready()
        assert post(server, oracle) == 202, home.log_tail()
        for number in range(4):  # what the spool had set aside for this day is eaten too
            eat(disk / f"ballast{number}")
            watch(server, oracle, trial, rounds=3)
        for ballast in disk.glob("ballast*"):
            ballast.unlink()
        recover(server, oracle, trial)
        server.stop()
        settle(home, oracle, [trial])
    return trial


def eat(ballast: Path) -> None:
    """Write until nothing more goes in."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (2**16, SECTOR, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def acks_follow_syncs(folder: Path, *, requests: int, runner: tuple[str, ...] = ("-m",)) -> tuple[int, list[str]]:
    """One request after the other to a server under the shim: how many were answered 202, and which of these answers
    were sent before a write of the log that came after the question had been synced."""
    folder = Path(os.path.realpath(folder))
    trace, oracle = folder / "trace", Oracle(31, poison_every=0)
    environment = shim_environment(build_shim(folder), folder / "var", trace=trace)
    server = Server(Home(folder, settings=environment, runner=runner))
    server.start()
    server.wait_ready()
    for _ in range(requests):
        assert post(server, oracle) == 202
    server.stop()
    return judge_trace(list(read_trace(trace)))


def judge_trace(operations: list[Operation]) -> tuple[int, list[str]]:
    """Acknowledgements (H) in the trace, and those without write and sync of the log since their question (Q)."""
    answered, wrong, is_written, is_safe = 0, list[str](), False, False
    for number, operation in enumerate(operations):
        if operation.kind == "Q":
            is_written = is_safe = False
        elif operation.kind == "W" and operation.path.endswith("-wal"):
            is_written = True
        elif operation.kind == "S" and operation.path.endswith("-wal"):
            is_safe = is_written
        elif operation.kind == "H":
            answered += 1
            if not is_safe:
                wrong.append(f"operation {number}: answered 202 before the log was synced")
    return answered, wrong
