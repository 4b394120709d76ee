"""Bytes in, records out: what surrounds the formats, and what no input can break."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.parse import Parsed, parse_lines, parse_one
from sentinel.parse.formats import LINE_RULES
from sentinel.parse.lines import HEAD_CHARS, MAX_FOREIGN_BYTES, MAX_LINE_BYTES
from sentinel.parse.rules import FEW_LINES, resolve
from sentinel.records import LEVELS, RECORD_SCHEMA, REJECTED_SCHEMA

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
ReadLine = Callable[..., dict[str, Any]]
ReadLines = Callable[..., Parsed]

PIECES = st.sampled_from(
    [b"<34>", b"Oct 11 22:14:15 ", b"2023-01-01 ", b"12:00:00,123 ", b"INFO ", b"[main] ", b"a.b: ", b'{"message":"x"}',
     b'"', b"a=b ", b"[", b"]", b"1.2.3.4 - - ", b"[10/Oct/2000:13:55:36 +0000] ", b'"GET / HTTP/1.1" 200 1', b"\xff",
     b"\x00", b"\x1b[31m", b"1700000000 ", b"- ", b" ", b"\xe2\x80\xa8", b"99999999999999999999", b"\r", b"{", b"}"]
)  # fmt: skip


def _frame(lines: list[bytes]) -> pl.DataFrame:
    columns = {"line": lines, "origin": ["c"] * len(lines), "event_id": [str(i) for i in range(len(lines))]}
    return pl.DataFrame(columns, schema={"line": pl.Binary, "origin": pl.String, "event_id": pl.String})


@pytest.mark.parametrize(
    ("line", "name", "kept"),
    [
        (b'{"message":"Nov 23 10:00:00 web sshd[123]: bye \\"x\\"","pid":"5","user":"\\u00e9"}', "pid", "5"),
        (b'{"message":"x","timestamp":"soon","timestamp_unreadable":"mine"}', "timestamp_unreadable", "mine"),
        (b'{"message":"x","mark":"mine"}', "mark", "mine"),
    ],
    ids=["inside and outside", "unreadable time", "end of the file"],
)
def test_attribute_stands_once_also_where_two_parts_of_a_line_tell_it(line: bytes, name: str, kept: str) -> None:
    """The outer one is kept: Elasticsearch refuses an object that repeats a name, and the record would die."""
    frame = _frame([line]).with_columns(mark=pl.lit("unterminated"))

    (text,) = parse_lines(frame, now=NOW).records["attributes"]

    pairs = json.loads(text, object_pairs_hook=list)
    assert [value for key, value in pairs if key == name] == [kept]
    assert len(dict(pairs)) == len(pairs)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=80) | st.lists(PIECES, max_size=9).map(b"".join), max_size=40))
def test_any_bytes_become_records_or_blanks(lines: list[bytes]) -> None:
    """Nothing raises, every line that shows anything is one record in order, and the frame keeps its contract."""
    records = parse_lines(_frame(lines), now=NOW).records

    assert dict(records.schema) == RECORD_SCHEMA
    ids = records["event_id"].to_list()
    assert ids == sorted(ids, key=int)
    shown = {i for i, line in enumerate(lines) if line.isascii() and any(33 <= byte < 127 for byte in line)}
    coloured = {i for i in shown if b"\x1b" in lines[i]}  # a colour alone shows nothing
    assert shown - coloured <= {int(i) for i in ids}
    assert records["level"].drop_nulls().is_in(LEVELS).all()
    for name in ("timestamp", "received", "source", "message", "partition"):
        assert records[name].null_count() == 0
    for text in records["attributes"].drop_nulls():
        assert all(isinstance(value, str) for value in json.loads(text).values())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=9).map(b"".join), min_size=1, max_size=16))
def test_few_lines_are_read_as_many_are(lines: list[bytes]) -> None:
    """The quick way for a handful of lines (Python's engine picks the rule) agrees with the way of batches."""
    texts = [line.decode(errors="backslashreplace") for line in lines]
    few = pl.DataFrame({"row": range(len(texts)), "text": texts}, schema={"row": pl.UInt32, "text": pl.String})
    filler = few.clear().vstack(
        pl.DataFrame({"row": range(100, 101 + FEW_LINES), "text": ["x"] * (FEW_LINES + 1)}, schema=few.schema)
    )

    among_many = resolve(few.vstack(filler), LINE_RULES, 10**18)[: len(texts)]

    assert resolve(few, LINE_RULES, 10**18).rows() == among_many.rows()


def test_records_follow_the_schema_when_there_are_no_lines(read_lines: ReadLines) -> None:
    """Empty in, empty out, with all columns."""
    parsed = read_lines()

    assert dict(parsed.records.schema) == RECORD_SCHEMA
    assert dict(parsed.rejected.schema) == REJECTED_SCHEMA
    assert parsed.records.height == parsed.rejected.height == 0


def test_blank_lines_are_neither_records_nor_rejected(read_lines: ReadLines) -> None:
    """Empty lines, white space, a byte order mark alone and NULs alone are no events."""
    parsed = read_lines("a", "", "  \t", "\r\n", "\ufeff", b"\x00\x00", "b\n")

    assert parsed.records["message"].to_list() == ["a", "b"]
    assert parsed.records["offset"].to_list() == [0, 6]
    assert parsed.rejected.height == 0


def test_id_is_made_of_generation_and_offset_for_files(read_lines: ReadLines) -> None:
    """Generation plus the offset in 12 digits: the same line read again has the same id."""
    assert read_lines("a", "b").records["event_id"].to_list() == ["0123456789000000000000", "0123456789000000000001"]


@pytest.mark.parametrize(("period", "partition"), [("month", "2026.11"), ("day", "2026.11.23"), ("none", "all")])
def test_partition_follows_received(period: str, partition: str, read_line: ReadLine) -> None:
    """Never the event's own time, which may lie years back."""
    record = read_line("2001-01-01 00:00:00 old", period=period)

    assert record["partition"] == partition
    assert record["timestamp"].year == 2001


def test_period_is_refused_when_unknown(read_lines: ReadLines) -> None:
    """A wrong setting is an error that names the setting, not a silent default."""
    with pytest.raises(ValueError, match="ELASTIC_INDEX_PERIOD"):
        read_lines("a", period="week")


def test_timestamp_equals_received_when_a_line_has_none() -> None:
    """The fallback is exactly `received`, so that it can be told apart; nothing is marked."""
    record = parse_one("no time here", now=NOW)

    assert record is not None
    assert record["timestamp"] == record["received"] == NOW.replace(microsecond=123000)
    assert record["attributes"] is None


def test_parse_one_agrees_with_the_batch_and_knows_blanks(read_line: ReadLine) -> None:
    """One line alone has the fields it has in a batch; a blank one is None; HTTP text has no source of its own."""
    line = "Oct 11 22:14:15 h su[3]: failed"

    one = parse_one(line, now=NOW)

    assert one is not None
    batch = read_line(line, now=NOW)
    for name in ("timestamp", "level", "source", "host", "message", "attributes", "received", "partition"):
        assert one[name] == batch[name]
    assert parse_one("  ", now=NOW) is None
    free = parse_one("free", now=NOW, origin="10.0.0.1")
    assert free is not None
    assert free["source"] == "unknown"
    assert parse_one("lone \ud800 surrogate", now=NOW) is not None


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ("/var/log/app.log", "app"),
        ("/var/log/app.log.1", "app"),
        ("/x/app-2024-01-31.log.gz", "app"),
        ("/x/my_api.jsonl", "my_api"),
        ("/x/syslog", "syslog"),
        ("/x/.log", ".log"),
        ("web.2.out", "web"),
    ],
)
def test_source_is_the_files_stem_when_the_line_names_none(origin: str, source: str, read_line: ReadLine) -> None:
    """Without folder, endings, rotation numbers and dates, so that a rotated file stays one source."""
    assert read_line("free text", origin=origin)["source"] == source


def test_windows_line_ends_and_a_byte_order_mark_go(read_line: ReadLine) -> None:
    """They belong to the file, not to the message, and nothing is kept of them."""
    record = read_line(b"\xef\xbb\xbf2023-01-01 12:00:00 INFO hello\r\n")

    assert (record["message"], record["level"], record["raw"]) == ("hello", "info", None)


def test_bytes_that_are_not_utf8_are_escaped_and_kept(read_lines: ReadLines) -> None:
    """The line stays readable and undoable, its batch-mates are untouched."""
    latin = "Oct 11 22:14:15 h su: caf\xe9 C:\\x".encode("latin-1")

    records = read_lines("before", latin, "Oct 11 22:14:15 h su: after \u2028 é").records

    bad = records.row(1, named=True)
    assert bad["message"] == "caf\\xe9 C:\\x"
    assert bad["source"] == "su"
    assert json.loads(bad["attributes"]) == {"invalid_utf8": "true"}
    assert bad["raw"].encode().replace(b"\\xe9", b"\xe9").replace(b"\\\\", b"\\") == latin
    assert records["message"].to_list()[::2] == ["before", "after \u2028 é"]
    assert records["raw"].to_list()[::2] == [None, None]


def test_terminal_colours_do_not_hide_the_format(read_line: ReadLine) -> None:
    """The level is found, the message is plain, and the line as it came is kept."""
    line = "\x1b[32mINFO\x1b[0m my.app: \x1b[1mgreen\x1b[0m"

    record = read_line(line)

    assert (record["level"], record["source"], record["message"]) == ("info", "my.app", "green")
    assert record["raw"] == line


def test_hole_of_nuls_is_taken_away_and_counted(read_line: ReadLine) -> None:
    """A truncated file that is written on begins with a hole; the line behind it must survive, whatever its length."""
    record = read_line(b"\x00" * (MAX_LINE_BYTES + 5) + b"2023-01-01 12:00:00 WARN hello")

    assert (record["message"], record["level"]) == ("hello", "warn")
    assert json.loads(record["attributes"]) == {"nul_bytes": str(MAX_LINE_BYTES + 5)}


def test_overlong_line_is_cut_and_marked(read_lines: ReadLines) -> None:
    """It is cut between two characters, its length is told, and the next line is fine."""
    long = "2023-01-01 12:00:00 INFO " + "é" * MAX_LINE_BYTES

    records = read_lines(long, "INFO next").records

    cut = records.row(0, named=True)
    assert cut["level"] == "info"
    assert len(cut["message"].encode()) in range(MAX_LINE_BYTES - 100, MAX_LINE_BYTES)
    assert set(cut["message"]) == {"é"}
    assert json.loads(cut["attributes"]) == {"cut_bytes": str(len(long.encode()))}
    assert records["message"][1] == "next"


def test_long_line_keeps_its_whole_message(read_line: ReadLine) -> None:
    """The formats look at its head only, the tail is not lost."""
    text = "word " * HEAD_CHARS + "end"

    assert read_line("Oct 11 22:14:15 h su: " + text)["message"] == text


def test_line_of_foreign_bytes_is_bounded(read_line: ReadLine) -> None:
    """Escaping makes four characters of a byte: the record stays within the bound of a line."""
    record = read_line(b"\xff" * MAX_LINE_BYTES)

    assert record["message"] == "\\xff" * MAX_FOREIGN_BYTES
    assert json.loads(record["attributes"])["cut_bytes"] == str(MAX_LINE_BYTES)


EVIL = {
    "no spaces": b"a" * MAX_LINE_BYTES,
    "brackets": b"[" * MAX_LINE_BYTES,
    "quotes": b'"' * MAX_LINE_BYTES,
    "nested json": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "nested json below the parser's limit": b'{"message":"x","a":' + b"[" * 900 + b"]" * 900 + b"}",
    "pairs": b"a=b " * (MAX_LINE_BYTES // 4),
    "open quote": b'a=b c="' + b'\\"' * (MAX_LINE_BYTES // 2),
    "open bracket after a time": b"2023-01-01 00:00:00 INFO " + b"[" * MAX_LINE_BYTES,
    "colons": b"2015-07-29 17:41:44,747 - INFO  [" + b"a:" * (MAX_LINE_BYTES // 2),
    "short colons": b"2015-07-29 17:41:44,747 - INFO  [" + b"a:" * 900,
    "short spaces": b"2023-01-01 12:00:00.123  INFO 123 --- [" + b" " * 1900 + b"x",
    "open request": b'1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "' + b"\\x" * (MAX_LINE_BYTES // 2),
    "users": b"1.2.3.4 - " + b"a " * (MAX_LINE_BYTES // 2),
    "structured data": b"<34>1 2003-10-11T22:14:15.003Z m su 77 ID47 " + b'[a b="c"]' * 100_000,
    "escapes": b"\x1b[" * (MAX_LINE_BYTES // 2),
    "huge number": b'{"message":"x","timestamp":' + b"9" * 5000 + b"}",
    "infinite": b'{"message":"x","timestamp":1e999}',
    "not a number": b'{"message":"x","timestamp":NaN}',
    "lone surrogate": b'{"message":"\\ud800"}',
}


@pytest.mark.timeout(30)  # some 30 ms in practice; a quadratic search takes hours
@pytest.mark.parametrize("name", EVIL)
def test_evil_line_costs_little_and_stays_a_record(name: str, read_lines: ReadLines) -> None:
    """No pattern backtracks and no decoder recurses, whatever the line."""
    records = read_lines(EVIL[name]).records

    assert records.height == 1
    assert records["message"][0]
