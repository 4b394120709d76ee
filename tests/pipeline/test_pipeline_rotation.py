"""Random histories of a folder through the collector that the server runs: every line once, whatever happens to files.

`ROTATIONS=5000 python -m pytest tests/pipeline/test_pipeline_rotation.py` walks more histories.
"""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from sentinel.collect import Watched, poll
from sentinel.errors import TransientError
from sentinel.pipeline import collector as room
from sentinel.pipeline.collector import Collector
from sentinel.records import Checkpoint
from tests.collect.test_collect_model import NAMES, Folder

SEQUENCES = int(os.environ.get("ROTATIONS", "25"))


class MemorySpool:
    """What the collector needs of a spool: a transaction is kept whole, or, when told to fail, not at all."""

    def __init__(self) -> None:
        self.kept: dict[str, Checkpoint] = {}
        self.messages: list[str] = []
        self.token = 0
        self.holder = ""
        self.fails = False

    @contextlib.contextmanager
    def lease(self, reader: str, *, holder: str, wait_s: float) -> Iterator[Any]:
        self.token += holder != self.holder
        self.holder = holder
        yield SimpleNamespace(token=self.token)

    def checkpoints(self) -> list[Checkpoint]:
        return list(self.kept.values())

    def blob(self, name: str) -> bytes | None:
        return None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Any]:
        kept, messages = dict(self.kept), list[str]()

        def forget(generations: tuple[str, ...]) -> None:
            for generation in generations:
                del kept[generation]

        def put(checkpoints: tuple[Checkpoint, ...]) -> None:
            kept.update({one.generation: one for one in checkpoints})

        def append(records: pl.DataFrame) -> None:
            messages.extend(records["message"])

        def count(counts: Mapping[tuple[str, str], int]) -> None:
            raise AssertionError(counts)

        yield SimpleNamespace(
            append=append,
            put_checkpoints=put,
            forget_checkpoints=forget,
            count_rejected=count,
            put_blob=lambda name, content: None,
        )
        if self.fails:
            raise TransientError("the disk")
        self.kept = kept
        self.messages += messages


class Followed(Folder):
    """The same folder, its events joined, the last one of a file held; restarts and failing commits at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.spool = MemorySpool()
        self.offset_s = 0.0
        self.collector = self.started()

    def started(self) -> Collector:
        clock = lambda: time.time() + self.offset_s  # noqa: E731
        return Collector(self.spool, Watched.under(self.root), period="month", clock=clock)  # type: ignore[arg-type]

    @rule(name=st.sampled_from(NAMES), frames=st.integers(1, 5))
    def append_trace(self, name: str, frames: int) -> None:
        head = self.fresh(3) + b" ERROR\n"
        self.write(name, head + b"".join(b"\tat " + self.fresh(1) + b"\n" for _ in range(frames)))

    @rule()
    def restart(self) -> None:
        self.collector.close()
        self.collector = self.started()

    @rule()
    def fail(self) -> None:
        """A commit that fails keeps nothing of its round."""
        self.spool.fails = True
        with contextlib.suppress(TransientError):
            self.collector.round(wait_s=0.0, max_s=0.0)
        self.spool.fails = False

    def poll(self, **limits: float) -> bool:
        """A round; `quiet_s` 0 means that all files have been silent for long."""
        self.offset_s = 0.0 if limits.get("quiet_s") else 100.0
        turn = self.collector.round(wait_s=0.0, max_s=0.0)
        assert turn is not None
        assert not turn.problems
        self.got = Counter(line.strip().encode() for text in self.spool.messages for line in text.split("\n"))
        real_s = time.time()  # the files' clock does not jump: what is written next must not look older than this round
        self.spool.kept = {
            generation: replace(one, updated_s=min(one.updated_s, real_s))
            for generation, one in self.spool.kept.items()
        }
        self.kept = self.spool.kept
        return turn.is_more

    def teardown(self) -> None:
        for lives in (self.sure, self.maybe):
            found = Counter({line.strip(): count for line, count in lives.items()})
            lives.clear()
            lives.update(found)
        for life in self.files.values():
            life.lines = [line.strip() for line in life.lines]
            life.half = life.half.strip()
        super().teardown()
        self.collector.close()

    def offsets_lie_behind_a_newline(self) -> None:
        """Held events make it true of all offsets that their line begins there; the base class sees to the rest."""


@pytest.fixture(autouse=True, scope="module")
def _unfinished_lines_wait() -> Iterator[None]:
    """The end of a line may come at any time here."""
    before = room.poll
    room.poll = partial(poll, idle_s=1e12, max_bytes=20_000, turn_bytes=5_000)  # type: ignore[assignment]
    room.CHUNK_BYTES = 20_000
    yield
    room.poll = before
    room.CHUNK_BYTES = 3 * 1024 * 1024


def test_new_file_of_the_old_size_on_its_inode_is_read() -> None:
    """However old it looks, since the clock was set back: the name that the inode had has changed, so its bytes are
    asked."""
    folder = Followed()
    folder.create_with_header("a.log")
    folder.copytruncate(is_polled=False, name="a.log")
    folder.delete(caught_up=False, name="a.log", number=0, suffix="")
    folder.compress(is_polled=True, name="a.log", number=1)
    folder.spool.kept = {
        generation: replace(one, updated_s=one.updated_s + 100) for generation, one in folder.spool.kept.items()
    }
    folder.create_with_header("a.log")

    folder.teardown()


def test_new_file_of_the_old_name_and_size_on_its_inode_is_read() -> None:
    """However far our clock is ahead of that of the files: its time of change is not the one that was seen."""
    folder = Followed()
    for _ in range(3):  # not every file system gives the inode to the next file
        folder.append_trace("a.log", 5)
        folder.delete(caught_up=True, name="a.log", number=0, suffix="")
        folder.poll(quiet_s=1e6)
        folder.append_trace("a.log", 5)
        folder.drain()
        folder.poll(quiet_s=1e6)
        folder.delete(caught_up=True, name="a.log", number=0, suffix="")

    folder.teardown()


def test_archive_on_the_inode_of_another_is_read_when_a_commit_failed() -> None:
    """An archive was begun in a round whose commit failed: what is open of it tells nothing of whose file it is, which
    the checkpoints of before say of the file that had its inode; found by the walk above."""
    folder = Followed()
    folder.append_trace("b.log", 4)
    folder.append("a.log", 15, 56)
    folder.copytruncate("a.log", is_polled=True)
    folder.rename("b.log", is_made_again=False)
    folder.append("b.log", 5, 31)
    folder.copytruncate("a.log", is_polled=False)
    folder.rename("a.log", is_made_again=False)
    folder.copytruncate("b.log", is_polled=True)
    folder.compress("a.log", 3, is_polled=False)  # not every file system gives the inode to the next file
    folder.compress("b.log", 2, is_polled=False)
    folder.fail()

    folder.teardown()


TestFollowed = Followed.TestCase
TestFollowed.pytestmark = [pytest.mark.timeout(60 + SEQUENCES * 3)]
TestFollowed.settings = settings(
    max_examples=SEQUENCES,
    derandomize="ROTATIONS" not in os.environ,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
