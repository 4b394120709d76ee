"""Frames come off, and what stands inside is read as if it came alone."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from sentinel.parse.frames import FRAMED, unframe

NOW_NS = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()) * 10**9
ReadLine = Callable[..., dict[str, Any]]


def _unframed(*lines: str) -> pl.DataFrame:
    return unframe(
        pl.DataFrame({"row": range(len(lines)), "text": lines}, schema={"row": pl.UInt32, "text": pl.String}), NOW_NS
    )


INSIDE = {
    "json": ('{"level":"error","logger":"pay","msg":"no card","order":7}', "error", "pay", "no card"),
    "log4j": ("2026-07-01 15:04:05,034 ERROR [main] shop.Pay - no card", "error", "shop.Pay", "no card"),
    "klog": ("E0701 15:04:05.123456       1 lister.go:138] no list", "error", "lister.go", "no list"),
    "logfmt": ('level=error logger=pay msg="no card"', "error", "pay", "no card"),
    "access": ('10.0.0.7 - - [01/Jul/2026:15:04:05 +0000] "GET /p HTTP/1.1" 500 1', "error", "access",
               '10.0.0.7 "GET /p HTTP/1.1" 500 1'),
    "text": ("no card", None, "app", "no card"),
}  # fmt: skip
AROUND: dict[str, Callable[[str], str]] = {
    "cri": lambda line: f"2026-07-01T15:04:06.000000001Z stdout F {line}",
    "docker": lambda line: json.dumps(
        {"log": line + "\n", "stream": "stdout", "time": "2026-07-01T15:04:06.000000001Z"}
    ),
    "shipper": lambda line: json.dumps({"log": line, "time": "2026-07-01T15:04:06.000000001Z"}),
}


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("around", AROUND)
def test_line_inside_a_frame_is_read_as_if_it_came_alone(inside: str, around: str, read_line: ReadLine) -> None:
    """The frame's time stands: it has a zone, and the runtime's clock."""
    line, level, source, message = INSIDE[inside]

    record = read_line(AROUND[around](line))

    assert (record["level"], record["source"], record["message"]) == (level, source, message)
    assert record["timestamp"] == datetime(2026, 7, 1, 15, 4, 6, tzinfo=UTC)


def test_syslog_program_is_the_source_and_what_it_writes_has_its_level(read_line: ReadLine) -> None:
    """Whatever logger writes inside; a message in no format of its own stays whole."""
    record = read_line('Jul  1 15:04:05 node kubelet[9]: E0701 15:04:05.1 9 pods.go:1] "no sync" pod="a/b"')

    assert (record["source"], record["host"], record["level"]) == ("kubelet", "node", "error")
    assert record["message"] == '"no sync" pod="a/b"'
    assert read_line("Jul  1 15:04:05 node app[9]: 10:46:47.425 : found")["message"] == "10:46:47.425 : found"


@pytest.mark.parametrize(
    ("line", "host", "message"),
    [
        ("<134>1 1782918245.426960608 gate flows allow", "gate", "flows allow"),
        ("Jul  1 15:04:05 relay 1 1782918245.426960608 gate flows allow", "gate", "flows allow"),
        ("Jul  1 15:04:06 relay 1782918245.426960608 gate flows allow", "gate", "flows allow"),
        ("2026-07-01T15:04:06Z relay 1 1782918245.426960608 gate flows allow", "gate", "flows allow"),
        ("<134>1782918245.426960608 gate flows allow", "gate", "flows allow"),
        ("<13>1782918245.426960608 gate app: up", "gate", "up"),
    ],
)
def test_device_writes_an_epoch_for_a_date(line: str, host: str, message: str, read_line: ReadLine) -> None:
    """Its nanoseconds are kept, and behind a relay's header its own time and host count."""
    record = read_line(line)

    assert (record["host"], record["message"]) == (host, message)
    assert record["timestamp"] == datetime(2026, 7, 1, 15, 4, 5, 426960, tzinfo=UTC)


def test_level_is_no_host_and_no_program(read_line: ReadLine) -> None:
    """`time level logger: message` has syslog's looks."""
    record = read_line("2026-07-01T15:04:05Z INFO queue: drained")

    assert (record["level"], record["source"], record["host"]) == ("info", "queue", None)


def test_parts_and_streams_are_told(read_line: ReadLine) -> None:
    """A runtime cuts long lines: a part says so, and lines of one writer share a stream."""
    time = "2026-07-01T15:04:06Z"

    framed = _unframed(
        f"{time} stdout P half a ", f"{time} stderr F other", f"{time} stdout F line",
        '{"log":"half","stream":"stdout","time":"2026-07-01T15:04:06Z"}', "Jul  1 15:04:05 h a[1]: x",
        "Jul  1 15:04:05 h a[2]: x", "alone",
    )  # fmt: skip

    assert dict(framed.schema) == FRAMED
    assert framed["partial"].to_list() == [True, False, False, True, False, False, False]
    assert framed["text"].to_list() == ["half a ", "other", "line", "half", "x", "x", "alone"]
    streams = framed["stream"].to_list()
    assert streams[0] == streams[2] != streams[1]
    assert streams[4] != streams[5]
    assert streams[6] is None
