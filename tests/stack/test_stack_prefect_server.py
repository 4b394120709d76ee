"""Prefect's server with its garbage in a thread of its own: nothing that it drops waits on the thread of its loop."""

import gc
import runpy
import sqlite3
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import prefect
import pytest

from sentinel.stack import prefect_server
from sentinel.stack.prefect_server import ALL_EVERY, collect_garbage
from tests.serving.server_process import eventually


@pytest.fixture
def own_collector() -> Iterator[None]:
    yield
    gc.enable()


class Cycle:
    """Garbage that only the collector finds; `held` goes with it."""

    def __init__(self, held: object = None) -> None:
        self.itself, self.held = self, held


def test_command_is_prefects() -> None:
    """What comes behind it are the arguments of `prefect`."""
    command = [sys.executable, "-m", "sentinel.stack.prefect_server", "--no-prompt", "version"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    assert prefect.__version__ in done.stdout


def test_no_garbage_is_collected_on_the_thread_of_the_command(
    monkeypatch: pytest.MonkeyPatch, own_collector: None
) -> None:
    """While the command runs, cycles are found by the other thread, at once where they are new."""
    seen: dict[str, object] = {}

    def command(name: str, **_: object) -> None:
        by: list[int] = []
        weakref.finalize(Cycle(), lambda: by.append(threading.get_ident()))
        eventually(lambda: by)
        seen.update(name=name, is_automatic=gc.isenabled(), is_elsewhere=by[0] != threading.get_ident())

    monkeypatch.setattr(runpy, "run_module", command)
    monkeypatch.setattr(prefect_server, "YOUNG_S", 0.01)

    prefect_server.main()

    assert seen == {"name": "prefect", "is_automatic": False, "is_elsewhere": True}


def test_garbage_of_a_waiting_connection_halts_the_collector_alone(tmp_path: Path, own_collector: None) -> None:
    """A connection waits for the lock that this thread holds, a lost cursor for the connection: this thread goes on."""
    gc.disable()
    ours, theirs = (sqlite3.connect(tmp_path / "db", isolation_level=None, check_same_thread=False) for _ in range(2))
    theirs.execute("PRAGMA busy_timeout = 100000")
    ours.execute("CREATE TABLE t (a)")
    Cycle(theirs.execute("SELECT 1"))
    ours.execute("BEGIN IMMEDIATE")
    waiting = threading.Thread(target=theirs.execute, args=("BEGIN IMMEDIATE",))
    collecting = threading.Thread(target=collect_garbage, args=(ALL_EVERY,))

    begun = threading.Event()
    theirs.set_trace_callback(lambda _: begun.set())  # from here on it holds its mutex until it has the lock
    waiting.start()
    begun.wait()
    collecting.start()
    collecting.join(0.2)
    was_held = waiting.is_alive() and collecting.is_alive()
    ours.execute("COMMIT")
    for thread in (waiting, collecting):
        thread.join()

    assert was_held
    ours.close()
    theirs.close()
