"""The server follows files: as they grow, are rotated and deleted, beside other collectors, and through kill -9."""

import gzip
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel.errors import SpoolFullError, TerminalError
from sentinel.pipeline.collector import Gathered
from sentinel.pipeline.votes import Change
from sentinel.records import EVENTS
from sentinel.settings import load_settings
from sentinel.spool import Spool
from sentinel.wiring import watched_of
from serving.follow import GAP_S, LEASE_WAIT_S, LIVELY_S, LOOK_S, TROUBLE_S, FollowReader, Hints
from tests.serving.server_process import Server, serving

PATIENCE_S = 60.0


class Scripted:
    """A collector that gives what it is told to, one round after the other."""

    def __init__(self, *rounds: Gathered | Exception | None) -> None:
        self.rounds = list(rounds)
        self.waits: list[float] = []

    def round(self, *, wait_s: float) -> Gathered | None:
        self.waits.append(wait_s)
        told = self.rounds.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    def close(self) -> None:
        """Nothing is open."""


def brought(lines: int, **more: bool) -> Gathered:
    return Gathered(counts=Counter(accepted=lines), **more)


def test_pause_follows_what_a_round_brought() -> None:
    """A big backlog is gone through at once, a lively folder looked at often, a silent one now and then."""
    told: list[int] = []
    now_s = [0.0]
    collector = Scripted(brought(5, is_more=True), brought(2), brought(0), brought(0), brought(0, is_held=True))
    reader = FollowReader(collector, notify=lambda: told.append(1), clock=lambda: now_s[0])

    pauses = [reader.turn(), reader.turn(), reader.turn()]
    now_s[0] += 60
    pauses += [reader.turn(), reader.turn()]

    assert pauses == [GAP_S, LIVELY_S, LIVELY_S, LOOK_S, LIVELY_S]
    assert (len(told), reader.lines) == (2, 7)


def test_trouble_is_told_until_it_is_over() -> None:
    """A full spool, or folders that are not there, are waited for; another collector's lease is no trouble."""
    collector = Scripted(SpoolFullError("no room"), TerminalError("no folder"), None, brought(1))
    reader = FollowReader(collector)
    seen = []
    for _ in range(4):
        pause = reader.turn()
        seen.append((pause, reader.error))

    assert seen == [(TROUBLE_S, "no room"), (TROUBLE_S, "no folder"), (LIVELY_S, None), (LIVELY_S, None)]
    assert set(collector.waits) == {LEASE_WAIT_S}


def test_what_is_not_read_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each file that is left alone is named in the log at the first round that meets it, and never again."""
    found = {("/logs/a", "a pipe is not read"): None}
    more = found | {("/logs/b", "a pipe is not read"): None}
    reader = FollowReader(Scripted(*(Gathered(problems=dict(told)) for told in (found, found, more, more))))
    for _ in range(4):
        reader.turn()

    assert [record.getMessage() for record in caplog.records] == [
        "not read /logs/a: a pipe is not read",
        "not read /logs/b: a pipe is not read",
    ]


def test_change_of_a_format_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """In a line of its own, with what it was and what it is."""
    change = Change("/logs/a", "combined", "json", 0.98)
    reader = FollowReader(Scripted(Gathered(changes=[change]), Gathered()))
    for _ in range(2):
        reader.turn()

    assert [record.getMessage() for record in caplog.records] == [
        "format changed /logs/a: its lines were combined, and are json now (98%)"
    ]


def test_hint_wakes_for_a_change_in_any_folder(tmp_path: Path) -> None:
    """A line that is written below a watched folder wakes the reader; stopping ends the thread."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    woken: list[int] = []
    hints = Hints([str(tmp_path)])
    hints.start(lambda: woken.append(1))
    deadline = time.monotonic() + PATIENCE_S
    while not woken and time.monotonic() < deadline:
        with (tmp_path / "deep" / "er" / "app.log").open("a") as file:
            file.write("line\n")
        time.sleep(0.05)
    hints.stop()

    assert woken


def test_roots_of_what_is_watched(tmp_path: Path) -> None:
    """Hints are asked for below the places and the folders of links, never for the whole machine."""
    settings = load_settings(
        log_sentinel_home=tmp_path,
        log_sentinel_dir="/srv/*/log:/var/log/app:/*/log",
        log_sentinel_links="/var/log/pods",
    )

    assert watched_of(settings).roots() == ["/srv", "/var/log/app", "/var/log/pods"]


def until(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def received(server: Server) -> int:
    return int(server.client.get("/status").json()["ledger"]["received"])


def messages(home: Path) -> list[str]:
    with Spool.open(home / "spool", min_free_bytes=1) as spool:
        return [text for frame in spool.export(EVENTS) for text in frame["message"]]


def test_server_reads_files_as_they_grow(tmp_path: Path) -> None:
    """Lines go from a file into the spool while the server runs, each once, also beside `sentinel collect`."""
    folder = tmp_path / "home" / "in"
    folder.mkdir(parents=True)
    with serving(tmp_path / "home") as server:
        for number in range(5):
            with (folder / "app.log").open("a") as file:
                file.write(f"line {number}\n")
            until(lambda count=number + 1: received(server) == count, "the line was never read")  # type: ignore[misc]
        state = server.client.get("/status").json()["readers"]["follow"]
        assert server.stop() == 0

    assert state == {"state": "following", "lines": 5, "error": None}
    assert messages(tmp_path / "home") == [f"line {number}" for number in range(5)]


def test_server_leaves_files_alone_when_told_to(tmp_path: Path) -> None:
    """With LOG_SENTINEL_FOLLOW=false the server reads no file, and shows no such reader."""
    folder = tmp_path / "home" / "in"
    folder.mkdir(parents=True)
    (folder / "app.log").write_text("line\n")
    with serving(tmp_path / "home", LOG_SENTINEL_FOLLOW="false") as server:
        readers = server.client.get("/status").json()["readers"]
        assert server.client.post("/logs", json={"message": "over HTTP"}).status_code == 202
        assert received(server) == 1

    assert "follow" not in readers


class Rotating:
    """A program that writes numbered lines, and a logrotate that renames, copies, packs what it wrote."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.written: list[str] = []
        self.rotated = 0

    def write(self) -> None:
        name = self.random.choice(("a.log", "b.log"))
        lines = [f"{name} {len(self.written) + n:06d}" for n in range(self.random.randint(1, 40))]
        self.written += lines
        with (self.folder / name).open("a") as file:
            for line in lines:
                file.write(line[:5])
                file.flush()
                file.write(line[5:] + "\n")

    def rotate(self) -> None:
        name = self.random.choice(("a.log", "b.log"))
        if not (self.folder / name).exists():
            return
        self.rotated += 1
        (self.folder / name).rename(self.folder / f"{name}.{self.rotated}")
        if self.random.random() < 0.5:
            (self.folder / name).touch()

    def pack(self) -> None:
        plain = [path for path in self.folder.iterdir() if path.suffix[1:].isdigit()]
        if plain:
            victim = self.random.choice(plain)
            victim.with_name(victim.name + ".gz").write_bytes(gzip.compress(victim.read_bytes()))
            victim.unlink()


@pytest.mark.slow
@pytest.mark.faults
def test_nothing_is_lost_or_doubled_when_the_server_is_killed_under_rotation(tmp_path: Path) -> None:
    """kill -9 of the following server at random, while files grow, are renamed and packed: every line once."""
    home, folder = tmp_path / "home", tmp_path / "home" / "in"
    folder.mkdir(parents=True)
    program = Rotating(folder, seed=20261127)
    for _ in range(5):
        with serving(home) as server:
            ends_s = time.monotonic() + program.random.uniform(0.5, 2.5)
            while time.monotonic() < ends_s:
                act = program.random.choices((program.write, program.rotate, program.pack), (20, 2, 1))[0]
                act()
                time.sleep(program.random.uniform(0, 0.01))
            server.kill()
        program.write()
    with serving(home) as server:
        until(lambda: received(server) >= len(program.written), "lines are missing")
        server.stop()

    assert Counter(messages(home)) == Counter(program.written)
