"""Random histories of a folder against an oracle: every line once, whatever was done to its file between two polls."""

import gzip
import os
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sentinel.collect import Watched, poll
from sentinel.records import Checkpoint

NAMES = ("a.log", "b.log")
HISTORIES = int(os.environ.get("HISTORIES", "60"))
"""How many; a number of one's own (`HISTORIES=3000`) looks for new ones, else they are the same each time."""
HEADER = b"# a header that all files share, longer than the first KiB\n" * 20


@dataclass
class Life:
    """One file of the oracle: its whole lines, and the beginning of one that is not finished."""

    lines: list[bytes] = field(default_factory=list)
    half: bytes = b""


class Folder(RuleBasedStateMachine):
    """A folder under log rotation of every kind, and a reader that restarts at every poll."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.kept: dict[str, Checkpoint] = {}
        self.got: Counter[bytes] = Counter()
        self.sure: Counter[bytes] = Counter()
        self.maybe: Counter[bytes] = Counter()
        self.files: dict[str, Life] = {}
        self.number = 0

    def teardown(self) -> None:
        for _ in range(3):
            self.drain()
        wanted = self.sure + Counter(line for life in self.files.values() for line in life.lines)
        wanted += Counter(life.half for name, life in self.files.items() if name not in NAMES and life.half)
        missing = wanted - self.got
        surplus = self.got - wanted - self.maybe
        shutil.rmtree(self.root)
        assert not missing, f"lost: {missing}"
        assert not surplus, f"doubled or made up: {surplus}"

    # What a writer does

    def write(self, name: str, data: bytes) -> None:
        with (self.root / name).open("ab") as file:
            file.write(data)
        life = self.files.setdefault(name, Life())
        *whole, life.half = (life.half + data).split(b"\n")
        life.lines += whole

    def fresh(self, width: int) -> bytes:
        self.number += 1
        return b"%06d " % self.number + b"x" * width

    @rule(name=st.sampled_from(NAMES), count=st.integers(1, 30), width=st.integers(0, 60))
    def append(self, name: str, count: int, width: int) -> None:
        self.write(name, b"".join(self.fresh(width) + b"\n" for _ in range(count)))

    @rule(name=st.sampled_from(NAMES))
    def append_half(self, name: str) -> None:
        self.write(name, self.fresh(5))

    @rule(name=st.sampled_from(NAMES))
    def create_with_header(self, name: str) -> None:
        if name not in self.files:
            self.write(name, HEADER + self.fresh(3) + b"\n")

    @rule(name=st.sampled_from(NAMES))
    def create_empty(self, name: str) -> None:
        if name not in self.files:
            self.write(name, b"")

    # What a rotation does

    def shift(self, name: str) -> str:
        """Make room for `name`.1 as logrotate does, and return that name."""
        for number in range(9, 0, -1):
            for suffix in ("", ".gz"):
                old, new = f"{name}.{number}{suffix}", f"{name}.{number + 1}{suffix}"
                if old in self.files:
                    (self.root / old).rename(self.root / new)
                    self.files[new] = self.files.pop(old)
        return f"{name}.1"

    @rule(name=st.sampled_from(NAMES), is_made_again=st.booleans())
    def rename(self, name: str, is_made_again: bool) -> None:
        if name in self.files and f"{name}.9" not in self.files and f"{name}.9.gz" not in self.files:
            new = self.shift(name)
            (self.root / name).rename(self.root / new)
            self.files[new] = self.files.pop(name)
            if is_made_again:
                self.write(name, b"")

    @rule(name=st.sampled_from(NAMES), is_polled=st.booleans())
    def copytruncate(self, name: str, is_polled: bool) -> None:
        if name in self.files and f"{name}.9" not in self.files and f"{name}.9.gz" not in self.files:
            new = self.shift(name)
            shutil.copy(self.root / name, self.root / new)
            if is_polled:
                self.poll(quiet_s=1e6)
            self.files[new] = self.files.pop(name)
            (self.root / name).write_bytes(b"")
            self.files[name] = Life()

    @rule(name=st.sampled_from(NAMES), number=st.integers(1, 3), is_polled=st.booleans())
    def compress(self, name: str, number: int, is_polled: bool) -> None:
        old = f"{name}.{number}"
        if old in self.files and (self.files[old].lines or self.files[old].half):
            packed = self.root / f"{old}.gz"
            packed.write_bytes(gzip.compress((self.root / old).read_bytes()))
            if is_polled:
                self.poll(quiet_s=0.0)
            (self.root / old).unlink()
            self.files[packed.name] = self.files.pop(old)

    @rule(
        name=st.sampled_from(NAMES),
        number=st.integers(0, 3),
        suffix=st.sampled_from(["", ".gz"]),
        caught_up=st.booleans(),
    )
    def delete(self, name: str, number: int, suffix: str, caught_up: bool) -> None:
        victim = f"{name}.{number}{suffix}" if number else name
        if victim not in self.files:
            return
        if caught_up:
            self.drain()
        life = self.files.pop(victim)
        (self.root / victim).unlink()
        ended = [life.half] if life.half and number else []
        (self.sure if caught_up else self.maybe).update(life.lines + ended)

    # What the reader does

    @rule(max_bytes=st.integers(1, 2000), turn_bytes=st.integers(16, 1000), quiet_s=st.sampled_from([0.0, 1e6]))
    def read(self, max_bytes: int, turn_bytes: int, quiet_s: float) -> None:
        self.poll(max_bytes=max_bytes, turn_bytes=turn_bytes, quiet_s=quiet_s)

    def poll(self, **limits: float) -> bool:
        got = poll(Watched.under(self.root), list(self.kept.values()), now_s=time.time(), idle_s=1e6, **limits)  # type: ignore[arg-type]
        self.got.update(got.lines["line"].to_list())
        self.kept.update({one.generation: one for one in got.checkpoints})
        for generation in got.forgotten:
            del self.kept[generation]
        assert got.problems == ()
        return got.is_more

    def drain(self) -> None:
        time.sleep(0.011)  # the clock that stamps files ticks every few milliseconds
        for _ in range(2):
            while self.poll(quiet_s=0.0):
                pass

    @invariant()
    def offsets_lie_behind_a_newline(self) -> None:
        for one in self.kept.values():
            if one.state in {"live", "rotated"} and one.offset and not one.path.endswith(".gz"):
                path = Path(one.path)
                if path.exists() and path.stat().st_ino == one.inode and path.stat().st_size >= one.offset:
                    assert path.read_bytes()[one.offset - 1 : one.offset] == b"\n" or path.name in self.files


def test_copy_of_a_neighbour_is_not_taken_for_what_was_truncated() -> None:
    """Two files that begin alike, read as far: each goes on in the copy of its own name, found by the walk above."""
    folder = Folder()
    folder.create_with_header("a.log")
    folder.create_with_header("b.log")
    folder.read(max_bytes=119, turn_bytes=118, quiet_s=0.0)
    folder.copytruncate("b.log", is_polled=False)
    folder.copytruncate("a.log", is_polled=True)

    folder.teardown()


def test_new_file_on_the_inode_of_one_that_was_never_read_is_no_rotated_one() -> None:
    """A last line without its end waits in it: it goes by its own name, found by the walk above."""
    folder = Folder()
    folder.append_half("a.log")
    folder.append_half("b.log")
    folder.rename(is_made_again=True, name="a.log")
    folder.compress(is_polled=True, name="a.log", number=1)
    folder.delete(caught_up=False, name="a.log", number=0, suffix="")
    folder.append_half("a.log")
    folder.rename(is_made_again=True, name="b.log")
    folder.copytruncate(is_polled=True, name="a.log")
    folder.append_half("b.log")

    folder.teardown()


def test_living_file_is_not_taken_for_the_rotated_one_that_was_packed() -> None:
    """They begin alike: what was rotated goes on in its archive, and the new file's last line waits for its end."""
    folder = Folder()
    folder.create_with_header("a.log")
    folder.rename("a.log", is_made_again=False)
    folder.read(max_bytes=1, turn_bytes=59, quiet_s=0.0)
    folder.create_with_header("a.log")
    folder.compress(is_polled=False, name="a.log", number=1)
    folder.append_half("a.log")

    folder.teardown()


TestFolder = Folder.TestCase
TestFolder.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=30,
    deadline=None,
    derandomize="HISTORIES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
