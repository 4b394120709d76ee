"""Collecting: each complete line of the watched folder once, with the checkpoint in the same commit."""

import gzip

from sentinel.pipeline import Sentinel, collect
from sentinel.records import EVENTS
from tests.pipeline.conftest import Clock


def messages(sentinel: Sentinel) -> list[str]:
    return sentinel.spool.read(EVENTS, 0, 100_000)["message"].to_list()


def test_file_is_collected_once_also_when_it_grows(sentinel: Sentinel, clock: Clock) -> None:
    """A second run changes nothing; a half line waits for its end; what is added is added."""
    file = sentinel.watched / "app.log"
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
    (sentinel.watched / "big.log").write_text("\n".join([*lines[:100], huge, *lines[100:]]) + "\n")

    report = collect(sentinel, clock=clock)

    found = messages(sentinel)
    assert report.counts["accepted"] == 40_001
    assert found[:100] == lines[:100]
    assert found[101:] == lines[100:]
    assert found[100].startswith("xxx")


def test_line_that_was_cut_is_marked(sentinel: Sentinel, clock: Clock) -> None:
    """What is odd about a line's end stands in its attributes."""
    (sentinel.watched / "big.log").write_text("x" * (2 * 1024 * 1024) + "\nnext\n")

    collect(sentinel, clock=clock)

    marks = sentinel.spool.read(EVENTS, 0, 10)["attributes"].to_list()
    assert '"mark":"cut"' in marks[0]
    assert marks[1] is None


def test_archive_of_many_chunks_is_read_once(sentinel: Sentinel, clock: Clock) -> None:
    """A compressed file is read to its end, and not again when old entries are pruned."""
    lines = [f"line {i} of an archive " + "z" * 100 for i in range(60_000)]
    archive = sentinel.watched / "old.log.gz"
    archive.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 1))
    clock.now_s = archive.stat().st_ctime + 3_600  # one that may still be written is left alone

    collect(sentinel, clock=clock)
    clock.now_s += 60 * 86_400
    sentinel.spool.prune(now_s=clock.now_s)
    again = collect(sentinel, clock=clock)

    assert messages(sentinel) == lines
    assert again.counts["accepted"] == 0
