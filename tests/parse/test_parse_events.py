"""Lines of one event become one record, and lines of two stay apart."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.parse import events, parse_lines
from sentinel.parse.events import MAX_EVENT_BYTES, MAX_EVENT_LINES

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

EVENTS: dict[str, list[str]] = {
    "java behind log4j": [
        "2026-05-02 08:00:00,001 INFO [main] com.acme.Till - open",
        (
            "2026-05-02 08:00:01,002 ERROR [w-1] com.acme.Till - cannot close\n"
            "com.acme.TillException: 3 coins are missing\n"
            "\tat com.acme.Till.close(Till.java:9)\n"
            "\tSuppressed: java.io.IOException: drawer\n"
            "\t\tat com.acme.Drawer.shut(Drawer.java:2)\n"
            "Caused by: java.lang.ArithmeticException\n"
            "\tat com.acme.Sum.of(Sum.java:1)\n"
            "\t... 1 more"
        ),
        "2026-05-02 08:00:02,003 INFO [main] com.acme.Till - closed",
    ],
    "python without a time": [
        (
            "ERROR:till:cannot close\n"
            "Traceback (most recent call last):\n"
            '  File "till.py", line 3, in close\n'
            "    self.count()\n"
            "    ~~~~~~~~~~^^\n"
            "Missing: 3 coins\n"
            "During handling of the above exception, another exception occurred:\n"
            "Traceback (most recent call last):\n"
            '  File "till.py", line 9, in <module>\n'
            "    close()\n"
            "SystemExit: 2"
        ),
        "INFO:till:closed",
        "till is off",
    ],
    "blocks of apt's history": [
        "Start-Date: 2026-05-02  08:00:00\nCommandline: apt-get upgrade\nEnd-Date: 2026-05-02  08:00:09",
        "Start-Date: 2026-05-03  08:00:00\nCommandline: apt-get install tree\nEnd-Date: 2026-05-03  08:00:02",
    ],
    "what sudo says of two users": [
        "Mar  4 08:00:00 web1 sudo:      ann : TTY=pts/0 ; USER=root ; COMMAND=/bin/till",
        "Mar  4 08:00:01 web1 sudo:      bob : TTY=pts/1 ; USER=root ; COMMAND=/bin/till",
    ],
    "jupyter": [
        "[E 08:00:00.250 TillApp] cannot close\n    Traceback (most recent call last):\n    KeyError: 4",
        "[W 08:00:01.250 TillApp] slow",
    ],
    "python that dies": [
        "till is on",
        'Traceback (most recent call last):\n  File "till.py", line 3, in <module>\n    count()\nKeyError: 4',
        "till is on",
    ],
    "go panic and goroutines": [
        "2026/05/02 08:00:00 open",
        (
            "panic: assignment to entry in nil map\n"
            "goroutine 7 [running]:\n"
            "main.(*till).put(0xc000012345, {0x1, 0x2})\n"
            "\t/src/till.go:7 +0x1b\n"
            "main.main()\n"
            "\t/src/main.go:11 +0x1d\n"
            "goroutine 8 [chan receive, 2 minutes]:\n"
            "main.wait(...)\n"
            "\t/src/wait.go:4\n"
            "created by main.main in goroutine 1\n"
            "\t/src/main.go:9 +0x3c\n"
            "exit status 2"
        ),
        "till restarted",
    ],
    "node that dies": [
        "listening",
        (
            "/srv/till.js:4\n    throw new Error('empty')\n    ^\n"
            "Error: empty\n    at Object.<anonymous> (/srv/till.js:4:11)\n"
            "Node.js v20.1.0"
        ),
        "listening",
    ],
    "ruby behind its logger": [
        "I, [2026-05-02T08:00:00.100000 #7]  INFO -- till: open",
        (
            "E, [2026-05-02T08:00:01.100000 #7] ERROR -- till: closed (Till::Empty)\n"
            "/srv/till.rb:4:in `close'\n/srv/bin/till:2:in `<main>'"
        ),
        "I, [2026-05-02T08:00:02.100000 #7]  INFO -- till: open",
    ],
    "php": [
        (
            "PHP Fatal error:  Uncaught Till: empty in /srv/till.php:3\n"
            "Stack trace:\n#0 {main}\n  thrown in /srv/till.php on line 3"
        ),
        "PHP Warning:  division in /srv/sum.php on line 8",
    ],
    "c sharp": [
        (
            "Unhandled exception. System.Exception: empty\n"
            " ---> System.IO.IOException: drawer\n"
            "   at Till.Close() in /src/Till.cs:line 3\n"
            "   --- End of inner exception stack trace ---\n"
            "   at Program.Main()"
        ),
        "restarted",
    ],
    "rust with a backtrace": [
        "till is on",
        (
            "thread 'main' panicked at src/till.rs:4:5:\n"
            "no coins\n"
            "stack backtrace:\n"
            "   0: std::panicking::begin_panic\n"
            "             at /rustc/library/std/src/panicking.rs:1:1\n"
            "   1: till::close\n"
            "note: Some details are omitted, run with `RUST_BACKTRACE=full`"
        ),
        "till is on",
    ],
    "elixir": [
        "08:00:00.100 [info] open",
        (
            "08:00:01.100 [error] Task #PID<0.1.0> terminating\n"
            "** (RuntimeError) empty\n    (till 0.1.0) lib/till.ex:3: Till.close/0\nFunction: &Till.close/0"
        ),
        "08:00:02.100 [info] open",
    ],
    "sql": [
        "2026-05-02 08:00:00.100 UTC [7] LOG:  statement: SELECT coins\n\t  FROM till\n\t WHERE empty",
        "2026-05-02 08:00:01.100 UTC [7] ERROR:  relation till is not there",
    ],
    "slow queries": [
        (
            "# Time: 2026-05-02T08:00:00.1Z\n# User@Host: till[till] @ [10.0.0.1]\n# Query_time: 3.1\n"
            "SET timestamp=1777708800;\nSELECT 1;"
        ),
        "# User@Host: till[till] @ [10.0.0.2]\n# Query_time: 4.1\nSELECT 2\n  FROM coins;",
    ],
    "java.util.logging": [
        "May 02, 2026 8:00:00 AM com.acme.Till open\nINFO: 3 coins",
        (
            "May 02, 2026 8:00:01 AM com.acme.Till close\n"
            "SEVERE: empty\njava.lang.Error\n\tat com.acme.Till.close(Till.java:9)"
        ),
    ],
    "a class and a method, whose level is on the next line": [
        "2026-05-02 08:00:00 [main] com.acme.Till.open()\nINFO: open",
        "2026-05-02 08:00:01 [main] com.acme.Till.close()\nERROR: empty\njava.lang.Error\n\tat A.b(A.java:9)",
    ],
    "alerts that quote a line of syslog": [
        "** Alert 1777708800.7: - till,\n2026 May 02 08:00:00 a->/b\nRule: 1\nMay  2 08:00:00 web1 till[7]: x",
        "** Alert 1777708801.9: mail  - till,\n2026 May 02 08:00:01 a->/b\nMay  2 08:00:01 web1 till[7]: y\nuid: 0",
    ],
    "events as XML": [
        "<record>\n  <date>2026-05-02T08:00:00Z</date>\n  <level>INFO</level>\n  <message>open</message>\n</record>",
        "<record>\n  <date>2026-05-02T08:00:01Z</date>\n  <message>closed</message>\n</record>",
    ],
    "an object as Node prints it": [
        "{\n  level: 'info',\n  message: 'open'\n}",
        "{\n  level: 'warn',\n  message: 'x'\n}",
    ],
    "a table that is dumped": [
        "2026-05-02T08:00:00Z INFO coins:\n+-----+----+\n| c   | n  |\n+-----+----+",
        "2026-05-02T08:00:01Z INFO values: \n\ta = 1\n\tb = 2\n (com.acme.Conf)",
    ],
    "json over many lines": [
        '{\n  "level": "error",\n  "message": "empty",\n  "coins": [\n    1\n  ]\n}',
        '{\n  "level": "info",\n  "message": "open"\n}',
    ],
    "a header whose lines are like it": [
        "20260502-8:0:0:1|Till|7|open",
        "20260502-8:0:59:12|Till|7|closed",
        "20260502-18:10:0:1|Till|7|open",
    ],
    "many formats": [
        "2026-05-02T08:00:00Z INFO till: open",
        '{"time":"2026-05-02T08:00:00Z","message":"open"}',
        "I0502 08:00:00.000001       7 till.go:1] open",
        'level=info ts=2026-05-02T08:00:00Z msg="caused by a coin"',
        '10.0.0.1 - - [02/May/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 5',
        "May  2 08:00:00 host till[7]: open",
        "<134>May  2 08:00:00 host till[7]: open",
        "CEF:0|acme|till|1|1|open|3|",
        "INFO till is open",
        "[error] till is closed",
        "1777708800.123    7 10.0.0.1 TCP_MISS/200",
    ],
}


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_event_is_one_record(events: list[str], read_lines: Callable[..., Any]) -> None:
    """Each of these is a record with its whole text, wherever it stands among the others."""
    lines = "\n".join(events).split("\n")

    records = read_lines(*lines).records
    twice = read_lines(*lines, *lines).records

    starts = [sum(event.count("\n") + 1 for event in events[:n]) for n in range(len(events))]
    assert [int(one[-12:]) for one in records["event_id"]] == starts
    assert twice.height == 2 * records.height
    for event, message in zip(events, records["message"], strict=True):
        if "\n" in event and event[0] not in "{<":
            assert message.endswith(event.rpartition("\n")[2].strip().removeprefix("INFO: "))


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_event_stays_whole_when_a_container_stamps_its_lines(events: list[str], read_lines: Callable[..., Any]) -> None:
    """In CRI and Docker frames events are joined as without, and another stream between their lines changes nothing."""
    cri, docker = [], []
    for line in "\n".join(events).split("\n"):
        cri += [f"2026-05-02T08:00:00.1Z stdout F {line}", '2026-05-02T08:00:00.1Z stderr F {"message":"between"}']
        docker.append(json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-05-02T08:00:00.1Z"}))

    for lines in (cri, docker):
        messages = [text for text in read_lines(*lines).records["message"] if text != "between"]
        assert len(messages) == len(events)


CRASHES = [
    ["panic: no coins", "", "goroutine 1 [running]:", "main.close()", "\t/till.go:7 +0x1d"],
    [
        "ERROR: cannot close",
        "Traceback (most recent call last):",
        '  File "till.py", line 3, in close',
        "Missing: 3 coins",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "till.py", line 9, in <module>',
        "SystemExit: 2",
    ],
]


def test_log_goes_on_behind_a_crash_of_a_java_machine(read_lines: Callable[..., Any]) -> None:
    """The crash is one record, with the line above it, and takes nothing of what a restart writes."""
    crash = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n# Problematic frame: till\nlost"
    lines = [
        "2026-05-02 08:00:00 open",
        *crash.split("\n"),
        "2026-05-02 08:00:02 open",
        "Mar  4 08:00:03 web1 till: on",
    ]
    found = read_lines(*lines, now=NOW).records
    assert found["message"].to_list() == ["open", crash.removeprefix("#\n# "), "open", "on"]


def test_alerts_of_many_lines_take_all_up_to_the_next(read_lines: Callable[..., Any]) -> None:
    """Events that are read whole begin with a line of their own, whatever they quote."""
    one = (
        "[**] [1:4711:7] probe [**]\n[Priority: 3] \n03/04-08:00:00.250 10.0.0.7 -> 10.0.0.8\n2026-05-02 08:00:00 open"
    )
    found = read_lines(*one.split("\n"), "", *one.split("\n"), now=NOW).records
    assert found["timestamp"].to_list() == [datetime(2026, 3, 4, 8, 0, 0, 250_000, tzinfo=UTC)] * 2


@pytest.mark.parametrize("crash", CRASHES, ids=["go", "python"])
def test_blank_lines_in_a_frame_neither_part_an_event_nor_make_one(
    crash: list[str], read_lines: Callable[..., Any]
) -> None:
    """As blank lines of a file: a container stamps them, too."""
    lines = ["", "", '{"message":"before"}', "", *crash, "", '{"message":"after"}', ""]
    cri = [f"2026-05-02T08:00:00.1Z stdout F {line}" for line in lines]
    docker = [json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-05-02T08:00:00Z"}) for line in lines]

    for framed in (cri, docker):
        messages = read_lines(*framed).records["message"].to_list()
        assert len(messages) == 3
        assert messages[1].split("\n")[1:] == crash[1:]


def test_parts_that_a_runtime_cut_are_put_together(read_lines: Callable[..., Any]) -> None:
    """CRI's P … F and Docker's lines without an end are one line, stream by stream."""
    cri = read_lines(
        "2026-05-02T08:00:00.1Z stdout P WARN the till",
        "2026-05-02T08:00:00.2Z stderr P {",
        "2026-05-02T08:00:00.3Z stdout P  is nearly",
        '2026-05-02T08:00:00.4Z stderr F "level":"error","message":"closed"}',
        "2026-05-02T08:00:00.5Z stdout F  empty",
        "2026-05-02T08:00:00.6Z stdout F INFO full",
    ).records
    parts = [{"log": text, "stream": "stdout", "time": "2026-05-02T08:00:00Z"} for text in ("WARN nearly ", "empty\n")]
    docker = read_lines(*map(json.dumps, parts)).records

    assert cri.select("level", "message").rows() == [
        ("warn", "the till is nearly empty"),
        ("error", "closed"),
        ("info", "full"),
    ]
    assert docker.select("level", "message").rows() == [("warn", "nearly empty")]


def test_trace_behind_syslog_is_joined_by_program(read_lines: Callable[..., Any]) -> None:
    """Frames of a stack that syslog stamped go to the line before them of the same process, other lines to none."""
    records = read_lines(
        "May  2 08:00:00 host till[7]: java.lang.Error: empty",
        "May  2 08:00:00 host sshd[9]: session opened",
        "May  2 08:00:00 host till[7]: \tat com.acme.Till.close(Till.java:9)",
        "May  2 08:00:00 host till[8]: open",
        "May  2 08:00:01 host till[7]: closed",
    ).records

    assert sorted(records["message"]) == [
        "closed",
        "java.lang.Error: empty\n\tat com.acme.Till.close(Till.java:9)",
        "open",
        "session opened",
    ]


def test_dynos_of_one_application_are_writers_of_their_own(read_lines: Callable[..., Any]) -> None:
    """Heroku names the process in brackets: a line of another one does not go on with an event."""
    records = read_lines(
        "2026-05-02T08:00:00.000001+00:00 app[web.1]: ERROR till is empty",
        "2026-05-02T08:00:00.000002+00:00 app[web.1]:   from till.rb:7",
        "2026-05-02T08:00:00.000003+00:00 app[worker.1]: counted",
    ).records

    assert records["message"].to_list() == ["till is empty\n  from till.rb:7", "counted"]


def test_event_has_its_bounds(read_lines: Callable[..., Any]) -> None:
    """After 500 lines or 1 MiB what follows is an event of its own."""
    long = read_lines("2026-05-02T08:00:00Z INFO dump", *["\tx"] * (2 * MAX_EVENT_LINES)).records
    big = read_lines("2026-05-02T08:00:00Z INFO dump", *["\t" + "x" * (MAX_EVENT_BYTES // 4)] * 9).records

    assert [text.count("\n") + 1 for text in long["message"]] == [MAX_EVENT_LINES, MAX_EVENT_LINES, 1]
    assert big.height == 3


def file_of(lines: list[str], generation: str = "g" * 10) -> pl.DataFrame:
    offsets = [sum(len(line) + 1 for line in lines[:row]) for row in range(len(lines))]
    return pl.DataFrame(
        {"line": [line.encode() for line in lines], "origin": "/x.log", "generation": generation, "offset": offsets},
        schema_overrides={"line": pl.Binary, "offset": pl.Int64},
    )


def test_blank_lines_of_an_unsettled_file_hold_nothing() -> None:
    """Where nothing but blank lines came there is no event that could go on."""
    parsed = parse_lines(file_of(["", "  ", "\r"]), now=NOW, unsettled={"g" * 10})

    assert (parsed.records.height, dict(parsed.held)) == (0, {})


def test_last_event_of_an_unsettled_file_is_held() -> None:
    """It comes when its file is settled; a request or a JSON object is not waited for; other files go on."""
    trace = ["2026-05-02T08:00:00Z INFO a", "2026-05-02T08:00:01Z ERROR b", "\tat c"]
    closed = ["2026-05-02T08:00:00Z INFO a", '{"message":"b"}']
    lines = pl.concat([file_of(trace, "held000000"), file_of(trace, "free000000"), file_of(closed, "closed0000")])

    parsed = parse_lines(lines, now=NOW, unsettled={"held000000", "closed0000"})

    assert parsed.held == {"held000000": len(trace[0]) + 1}
    assert parsed.records["message"].to_list() == ["a", "a", "b\n\tat c", "a", "b"]


def test_held_event_holds_what_other_streams_write_behind_it() -> None:
    """From the first held event on a file is given again: nothing of it is a record yet."""
    lines = [
        "2026-05-02T08:00:00Z stdout F a",
        "2026-05-02T08:00:00Z stderr P b",
        '2026-05-02T08:00:00Z stdout F {"m":1}',
    ]

    parsed = parse_lines(file_of(lines), now=NOW, unsettled={"g" * 10})

    assert parsed.held == {"g" * 10: len(lines[0]) + 1}
    assert parsed.records["message"].to_list() == ["a"]


def test_event_whose_lines_are_mixed_with_a_held_one_is_held_too() -> None:
    """Its last line stands behind the place from which the file is given again: it is not read twice."""
    lines = [
        "2026-05-02T08:00:00Z stdout F one",
        "2026-05-02T08:00:00Z stdout F ERROR lost",
        "2026-05-02T08:00:00Z stderr F 2026-05-02 08:00:00 INFO up",
        "2026-05-02T08:00:00Z stdout F \tat shop.Pay",
        "2026-05-02T08:00:00Z stdout F ERROR again",
    ]

    parsed = parse_lines(file_of(lines), now=NOW, unsettled={"g" * 10})

    assert parsed.held == {"g" * 10: len(lines[0]) + 1}
    assert parsed.records["message"].to_list() == ["one"]


def test_stream_that_falls_silent_does_not_hold_up_its_file() -> None:
    """A head that 500 lines of another stream have followed is over."""
    other = ['2026-05-02T08:00:00Z stderr F {"message":"x"}'] * MAX_EVENT_LINES
    parsed = parse_lines(file_of(["2026-05-02T08:00:00Z stdout F a", *other]), now=NOW, unsettled={"g" * 10})

    assert parsed.held == {}
    assert parsed.records.height == MAX_EVENT_LINES + 1


LINES = st.sampled_from([line for whole in EVENTS.values() for line in "\n".join(whole).split("\n")])
FRAMED = LINES | st.builds("2026-05-02T08:00:00.1Z stdout F {}".format, st.just("") | LINES)


@settings(deadline=None)
@given(st.lists(FRAMED, min_size=1, max_size=40), st.integers(1, 40))
def test_border_of_a_batch_changes_nothing(lines: list[str], border: int) -> None:
    """Reading a file in two goes, the held event given again, gives the records of one go."""
    whole = parse_lines(file_of(lines), now=NOW).records
    first = parse_lines(file_of(lines)[:border], now=NOW, unsettled={"g" * 10})
    start = first.held.get("g" * 10)
    rest = file_of(lines)[border:] if start is None else file_of(lines).filter(pl.col("offset") >= start)
    second = parse_lines(rest, now=NOW).records

    assert pl.concat([first.records, second]).rows() == whole.rows()


@settings(deadline=None)
@given(st.lists(st.tuples(LINES | st.sampled_from(["a b", "ERROR: x"]), st.booleans()), min_size=1, max_size=30))
def test_lines_passed_over_in_runs_are_joined_as_one_by_one(lines: list[tuple[str, bool]]) -> None:
    """What has no look of its own, behind a daemon's head and without one, begins the same events either way."""
    texts = [f"May  2 08:00:00 web-1 till: {line}" if is_framed else line for line, is_framed in lines]
    in_runs = parse_lines(file_of(texts), now=NOW).records
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "_DULL", frozenset())
        one_by_one = parse_lines(file_of(texts), now=NOW).records

    assert in_runs.rows() == one_by_one.rows()


def test_raw_of_an_event_has_all_its_lines(read_lines: Callable[..., Any]) -> None:
    """Where a later line was not UTF-8, the raw text is that of the whole event, and the mark is there."""
    record = read_lines("2026-05-02T08:00:00Z ERROR a", b"\tat caf\xe9").records.row(0, named=True)

    assert record["message"] == "a\n\tat caf\\xe9"
    assert record["raw"] == "2026-05-02T08:00:00Z ERROR a\n\tat caf\\xe9"
    assert json.loads(record["attributes"])["invalid_utf8"] == "true"
