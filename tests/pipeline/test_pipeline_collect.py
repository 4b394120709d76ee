"""Collecting: each complete line of the watched folder once, with the checkpoint in the same commit."""

import gzip
import os
import shutil

import pytest

from sentinel.collect import Watched
from sentinel.errors import SpoolFullError
from sentinel.pipeline.collect import collect
from sentinel.pipeline.collector import Collector
from sentinel.pipeline.parts import Sentinel
from sentinel.records import EVENTS
from tests.pipeline.conftest import Clock


def messages(sentinel: Sentinel) -> list[str]:
    return sentinel.spool.read(EVENTS, 0, 100_000)["message"].to_list()


def test_file_is_collected_once_also_when_it_grows(sentinel: Sentinel, clock: Clock) -> None:
    """A second run changes nothing; a half line waits for its end; what is added is added."""
    file = sentinel.home / "in" / "app.log"
    file.write_text("one\ntwo\nhal")
    first = collect(sentinel, clock=clock)
    again = collect(sentinel, clock=clock)
    with file.open("a") as more:
        more.write("f\nthree\n")
    last = collect(sentinel, clock=clock)

    assert [run.counts["accepted"] for run in (first, again, last)] == [2, 0, 2]
    assert messages(sentinel) == ["one", "two", "half", "three"]


def test_more_than_a_chunk_is_collected_in_one_run(sentinel: Sentinel, clock: Clock) -> None:
    """A run goes on until nothing is left, over as many commits as it takes, also past a line that is skipped."""
    huge = "x" * (5 * 1024 * 1024)
    lines = [f"line {i} " + "y" * 200 for i in range(40_000)]
    (sentinel.home / "in" / "big.log").write_text("\n".join([*lines[:100], huge, *lines[100:]]) + "\n")

    report = collect(sentinel, clock=clock)

    found = messages(sentinel)
    assert report.counts["accepted"] == 40_001
    assert found[:100] == lines[:100]
    assert found[101:] == lines[100:]
    assert found[100].startswith("xxx")


def test_line_that_was_cut_is_marked(sentinel: Sentinel, clock: Clock) -> None:
    """What is odd about a line's end stands in its attributes."""
    (sentinel.home / "in" / "big.log").write_text("x" * (2 * 1024 * 1024) + "\nnext\n")

    collect(sentinel, clock=clock)

    marks = sentinel.spool.read(EVENTS, 0, 10)["attributes"].to_list()
    assert '"mark":"cut"' in marks[0]
    assert marks[1] is None


def test_archive_of_many_chunks_is_read_once(sentinel: Sentinel, clock: Clock) -> None:
    """A compressed file is read to its end, and not again when old entries are pruned."""
    lines = [f"line {i} of an archive " + "z" * 100 for i in range(60_000)]
    archive = sentinel.home / "in" / "old.log.gz"
    archive.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 1))
    clock.now_s = archive.stat().st_ctime + 3_600  # one that may still be written is left alone

    collect(sentinel, clock=clock)
    clock.now_s += 60 * 86_400
    sentinel.spool.prune(now_s=clock.now_s)
    again = collect(sentinel, clock=clock)

    assert messages(sentinel) == lines
    assert again.counts["accepted"] == 0


def test_two_collectors_take_turns_round_by_round(sentinel: Sentinel, clock: Clock) -> None:
    """A collector that kept its checkpoints reads them anew when another one had the lease in between."""
    file = sentinel.home / "in" / "app.log"
    with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as kept:
        for number in range(6):
            with file.open("a") as more:
                more.write(f"line {number}\n")
            if number % 2:
                collect(sentinel, clock=clock)
            else:
                kept.round(wait_s=0.0)

    assert messages(sentinel) == [f"line {number}" for number in range(6)]


def test_round_that_failed_is_taken_again(sentinel: Sentinel, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failed commit would have moved stays where it was, in memory as well."""
    (sentinel.home / "in" / "app.log").write_text("one\ntwo\n")

    def fail(*_: object) -> None:
        raise SpoolFullError("no room")

    with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as collector:
        with monkeypatch.context() as broken:
            broken.setattr(Collector, "_commit", fail)
            with pytest.raises(SpoolFullError):
                collector.round(wait_s=0.0)
        collector.round(wait_s=0.0)
        collector.round(wait_s=0.0)

    assert messages(sentinel) == ["one", "two"]


def test_idle_round_looks_at_names_alone(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """While no file changes nothing is opened and nothing is written; a change is seen at once."""
    file = sentinel.home / "in" / "app.log"
    file.write_text("one\n")
    os.utime(file, (1, 1))
    later = Clock(file.stat().st_ctime + 10)
    with Collector(sentinel.spool, sentinel.watched, period="month", clock=later) as collector:
        collector.round(wait_s=0.0)
        with monkeypatch.context() as counted:
            counted.setattr("sentinel.pipeline.collector.poll", lambda *_, **__: pytest.fail("polled"))
            collector.round(wait_s=0.0)
        with file.open("a") as more:
            more.write("two\n")
        collector.round(wait_s=0.0)

    assert messages(sentinel) == ["one", "two"]


def test_reading_begins_now_at_the_first_start_alone(sentinel: Sentinel, clock: Clock) -> None:
    """Old files are passed by once; what is found later, also by another process, is read whole."""
    folder = sentinel.home / "in"
    (folder / "old.log").write_text("old\n")
    watched = Watched((str(folder),), begins_now=True)
    with Collector(sentinel.spool, watched, period="month", clock=clock) as first:
        first.round(wait_s=0.0)
    (folder / "new.log").write_text("new\n")
    with Collector(sentinel.spool, watched, period="month", clock=clock) as second:
        second.round(wait_s=0.0)

    assert messages(sentinel) == ["new"]


def test_what_is_not_read_is_told_by_reason(sentinel: Sentinel, clock: Clock) -> None:
    """A report names the first files for each reason, and how many more there are."""
    for number in range(9):
        (sentinel.home / "in" / f"{number}.log").symlink_to("/etc/hostname")
    os.mkfifo(sentinel.home / "in" / "pipe")

    notes = collect(sentinel, clock=clock).notes

    assert len(notes) == 2
    assert "/0.log, " in notes[0]
    assert "and 6 more: a link is not followed" in notes[0]
    assert notes[1].endswith("/pipe: a pipe is not read")


TRACE = '2026-03-02T08:00:00Z ERROR lost\nTraceback (most recent call last):\n  File "a.py", line 1\n'


def test_event_waits_for_its_end_and_is_over_when_its_file_is_silent(sentinel: Sentinel) -> None:
    """A trace that is written in three goes is one record, also when another collector reads in between."""
    file = sentinel.home / "in" / "app.log"
    seen = []
    for part in ("2026-03-02T08:00:00Z INFO first\n" + TRACE[:60], TRACE[60:], "KeyError: 1\n", None):
        if part is not None:
            with file.open("a") as more:
                more.write(part)
        clock = Clock(file.stat().st_ctime + (0.5 if part is not None else 1.5))
        with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as collector:
            turn = collector.round(wait_s=0.0)
        assert turn is not None
        seen.append((turn.counts["accepted"], turn.is_held))

    assert seen == [(1, True), (0, True), (0, True), (1, False)]
    assert messages(sentinel) == [
        "first",
        "lost" + (TRACE + "KeyError: 1").removeprefix(TRACE.split("\n", maxsplit=1)[0]),
    ]


def test_next_event_ends_the_one_before(sentinel: Sentinel) -> None:
    """While a file goes on growing, each event comes when the next one begins."""
    file = sentinel.home / "in" / "app.log"
    counts = []
    for number in range(3):
        with file.open("a") as more:
            more.write(f"2026-03-02T08:00:0{number}Z ERROR lost\n\tat x.y\n")
        with Collector(
            sentinel.spool, sentinel.watched, period="month", clock=Clock(file.stat().st_ctime + 0.1)
        ) as collector:
            turn = collector.round(wait_s=0.0)
        counts.append(turn.counts["accepted"] if turn else None)

    assert counts == [0, 1, 1]


def test_collect_waits_for_the_silence_of_a_file(sentinel: Sentinel) -> None:
    """A run right behind the last write gives the event a moment, and then has it."""
    file = sentinel.home / "in" / "app.log"
    file.write_text(TRACE)
    clock = Clock(file.stat().st_ctime + 0.1)

    report = collect(sentinel, clock=clock, sleep=clock.sleep)

    assert report.counts["accepted"] == 1
    assert len(messages(sentinel)) == 1


def test_events_over_many_turns_stay_whole(sentinel: Sentinel, clock: Clock) -> None:
    """Chunks and turns end anywhere in an event; each is one record."""
    trace = "ERROR {} lost\n" + "\tat com.acme.Stock.take(Stock.java:41)\n" * 200
    (sentinel.home / "in" / "big.log").write_text(
        "".join("2026-03-02T08:00:00Z " + trace.format(n) for n in range(900))
    )

    collect(sentinel, clock=clock)

    found = messages(sentinel)
    assert [int(text.split()[0]) for text in found] == list(range(900))
    assert {text.count("\n") for text in found} == {200}


def test_held_event_is_kept_when_its_file_goes(sentinel: Sentinel) -> None:
    """What was read of an event that may go on is a record also when its file is deleted or emptied meanwhile, once."""
    folder = sentinel.home / "in"
    for name in ("deleted", "emptied", "copied"):
        (folder / f"{name}.log").write_text(f"2026-03-02T08:00:00Z ERROR {name} {'x' * 80}\n\tat a.b\n")
    clock = Clock((folder / "copied.log").stat().st_ctime + 0.2)
    with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as collector:
        first = collector.round(wait_s=0.0)
        (folder / "deleted.log").rename(folder.parent / "deleted.log")
        (folder / "emptied.log").write_text("")
        shutil.copy(folder / "copied.log", folder / "copied.log.1")
        (folder / "copied.log").write_text("")
        clock.now_s += 60
        collector.round(wait_s=0.0)
        (folder.parent / "deleted.log").rename(folder / "deleted.log")
        collector.round(wait_s=0.0)
        collector.round(wait_s=0.0)

    assert first is not None
    assert first.counts["accepted"] == 0
    assert sorted(text.split()[0] for text in messages(sentinel)) == ["copied", "deleted", "emptied"]
    assert {text.partition("\n")[2] for text in messages(sentinel)} == {"\tat a.b"}


def test_look_at_quiet_files_opens_none_of_them(
    sentinel: Sentinel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 files in two folders of which nothing is new each look opens and lists the folders, and nothing else; what
    a file system tells of without a hint is seen all the same: a line, a new file, one that is gone."""
    places = [sentinel.home / "in", sentinel.home / "in" / "deeper"]
    places[1].mkdir()
    files = [place / f"app{number}.log" for place in places for number in range(100)]
    for file in files:
        file.write_text("a line\n")
        os.utime(file, (clock.now_s - 3_600, clock.now_s - 3_600))
    clock.now_s = files[-1].stat().st_ctime + 600
    opened, listed = list[str](), list[object]()
    open_, scandir = os.open, os.scandir

    def noted(path: str, *given: int, **named: int) -> int:
        opened.append(os.fspath(path))
        return open_(path, *given, **named)

    with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as collector:
        for _ in range(3):
            collector.round(wait_s=0)
            clock.now_s += 1
        monkeypatch.setattr(os, "open", noted)
        monkeypatch.setattr(os, "scandir", lambda place: listed.append(place) or scandir(place))
        for _ in range(10):
            collector.round(wait_s=0)
            clock.now_s += 1
        looks, folders = [path for path in opened if path.endswith((".log", "in", "deeper"))], len(listed)
        with files[7].open("a") as more:
            more.write("another\n")
        (places[1] / "new.log").write_text("first\n")
        files[150].unlink()
        found = collector.round(wait_s=0)

    assert [path.rpartition("/")[2] for path in looks] == ["in", "deeper"] * 10
    assert folders == 20
    assert found is not None
    assert found.counts["accepted"] == 2
    assert messages(sentinel)[200:] == ["another", "first"]
