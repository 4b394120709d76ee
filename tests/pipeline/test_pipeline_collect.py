"""Collecting: each complete line of the watched folder once, with the checkpoint in the same commit."""

import gzip
import os

import pytest

from sentinel.collect import Watched
from sentinel.errors import SpoolFullError
from sentinel.pipeline import Sentinel, collect
from sentinel.pipeline.collector import Collector
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
