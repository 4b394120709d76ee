"""Log files outside the spool: the records are those that `collect` makes of the same file."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sentinel.collect import whole
from sentinel.errors import TerminalError
from sentinel.pipeline.collect import collect
from sentinel.pipeline.log_files import read_log_file
from sentinel.pipeline.parts import Sentinel
from sentinel.records import EVENTS

NOW = datetime(2036, 11, 23, 12, tzinfo=UTC)  # long after the files were written
TEXT = (
    "2026-11-23 10:00:00,120 ERROR [main] shop.Pay: declined\n"
    "java.lang.IllegalStateException: no money\n\tat shop.Pay.take(Pay.java:4)\n"
    "a line of its own\n\n2026-11-23 10:00:01,000 WARN [main] shop.Pay: slow"
)
SHOWN = ["timestamp", "level", "source", "host", "message", "attributes", "origin", "offset", "raw"]


def records_of(path: Path) -> pl.DataFrame:
    return pl.concat([piece.records for piece in read_log_file(path, now=NOW, period="day")])


@pytest.mark.parametrize("name", ["shop.log", "shop.log.1.gz", "wide.log"])
def test_records_are_those_of_collect(sentinel: Sentinel, name: str) -> None:
    """Time, level, source, message, marks and places agree, in archives and UTF-16 too."""
    path = sentinel.home / "in" / name
    raw = TEXT.encode("utf-16" if name == "wide.log" else "utf-8")
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)

    found = records_of(path)
    collect(sentinel, clock=NOW.timestamp, sleep=lambda _: None)

    kept = sentinel.spool.read(EVENTS, 0, 100)
    assert found.select(SHOWN).rows() == kept.select(SHOWN).rows()
    assert [int(event_id) for event_id in found["event_id"]] == [1, 6]


def test_event_across_pieces_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the pieces of a file end makes no difference."""
    path = tmp_path / "shop.log"
    path.write_text(TEXT * 3)
    expected = records_of(path).rows()

    monkeypatch.setattr(whole, "PIECE_BYTES", 40)

    assert records_of(path).rows() == expected


def test_damaged_archive_says_so_behind_what_is_sound(tmp_path: Path) -> None:
    """The records before the damage come first, then the reason."""
    path = tmp_path / "shop.log.gz"
    packed = gzip.compress("".join(f"line {n} {n * 7919 % 10007}\n" for n in range(200_000)).encode())
    path.write_bytes(packed[: len(packed) // 2])

    frames = list[pl.DataFrame]()
    with pytest.raises(TerminalError, match="what came before it was read"):
        frames.extend(piece.records for piece in read_log_file(path, now=NOW))

    assert frames[0]["message"][:2].to_list() == ["line 0 0", "line 1 7919"]


def test_records_keep_the_period_and_pass_over_blank_lines(tmp_path: Path) -> None:
    """Records carry the partition of the period asked for, and the number of their line."""
    path = tmp_path / "app.log"
    path.write_text("one\n\n\n\n\n\ntwo\n")

    found = records_of(path)

    assert found.select("message", "partition").rows() == [("one", "2036.11.23"), ("two", "2036.11.23")]
    assert [int(event_id) for event_id in found["event_id"]] == [1, 7]


def test_format_and_confidence_are_told(tmp_path: Path) -> None:
    """Each event's format, behind its frame's; the confidence is the share of the file's events that it reads."""
    path = tmp_path / "app.log"
    framed = '2026-11-23T10:00:00Z stdout F {"msg": "x", "level": "info"}'
    path.write_text("\n".join([*["2026-11-23 10:00:00,120 WARN [main] shop.Pay: slow"] * 3, framed]) + "\n")

    rows = [row for piece in read_log_file(path, now=NOW) for row in piece.formats.iter_rows()]

    assert rows == [("log4j", 0.75)] * 3 + [("cri/json", 0.25)]
