"""The general reader: heads in notations that no rule of its own knows."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

ReadLine = Callable[..., dict[str, Any]]
AT = datetime(2026, 3, 4, 10, 0, 1, tzinfo=UTC)
HEADS: dict[str, tuple[str, str | None, str, str]] = {
    # name: line at AT, level, source, message
    "time in brackets, words in braces": ("[2026-03-04T10:00:01.1+0000] {jobs.py:71} INFO - sent", "info", "jobs.py", "sent"),
    "level before the time": ("WARN  [Gossip:1] 2026-03-04 10:00:01,3 Detector.java:30 - few", "warn", "Detector.java", "few"),
    "letter before the time": ("E [04/Mar/2026:10:00:01 +0000] bad directive", "error", "app", "bad directive"),
    "ids before the time": ("[12]{-1}[-1/-1] 2026-03-04 10:00:01.9 e comm     comm.cpp(04) : lost", "error", "comm", "lost"),
    "process before the time": ("[181] 2026/03/04 10:00:01.7 [ERR] gone", "error", "app", "gone"),
    "level and thread in one": ("[2026-03-04 10:00:01,1: ERROR/ForkPoolWorker-2] broke", "error", "app", "broke"),
    "channel and level": ("[2026-03-04 10:00:01] production.ERROR: undefined", "error", "production", "undefined"),
    "category and level": ("04-Mar-2026 10:00:01.2 security: error: denied", "error", "security", "denied"),
    "angles": ("2026.03.04 10:00:01.5 [ 45 ] {} <Error> Dictionary: no load", "error", "Dictionary", "no load"),
    "pipes": ("2026-03-04 10:00:01.1|WARN|Acme.Queue|holds 900", "warn", "Acme.Queue", "holds 900"),
    "tabs": ("2026-03-04T10:00:01.8Z\tinfo\tservice/run.go:99\tstarting", "info", "service/run.go", "starting"),
    "colons": ("2026-03-04 10:00:01,7::WARNING::[iface:657] refused", "warn", "iface", "refused"),
    "process, level, database, logger": ("2026-03-04 10:00:01,6 1 INFO db shop.users: no", "info", "shop.users", "no"),
    "logger, process, level": ("2026-03-04 10:00:01,3 jail.acts    [62]: NOTICE  [sshd] ban", "info", "jail.acts", "[sshd] ban"),
    "thread in parentheses": ("2026-03-04 10:00:01,1 INFO  (qtp10-15) [c:a s:b] o.a.S.Request slow", "info", "o.a.S.Request", "slow"),
    "short logger in brackets": ("[2026-03-04T10:00:01,1][WARN ][o.e.Gc     ] [es-1] over", "warn", "o.e.Gc", "[es-1] over"),
    "process is no logger": ("[2026-03-04 10:00:01 +0000] [3671] [INFO] booting", "info", "app", "booting"),
    "span": ("2026-03-04T10:00:01.6Z ERROR request{id=7}: shop::pay: refused", "error", "shop::pay", "refused"),
    "level in small letters": ("2026-03-04 10:00:01 debug warm", "debug", "app", "warm"),
    "word of npm": ("2026-03-04T10:00:01.6Z silly: key", "trace", "app", "key"),
    "Erlang's process": ("2026-03-04 10:00:01.4+00:00 [noti] <0.69.0> left", "info", "app", "left"),
    "half day": ("[Nest] 7  - 03/04/2026, 10:00:01 AM     LOG [Factory] starting", "info", "Factory", "starting"),
    "PHP": ("[04-Mar-2026 10:00:01 UTC] PHP Warning:  by zero in /a.php", "warn", "app", "by zero in /a.php"),
    "facility, severity, code": ("Mar 04 2026 10:00:01 FW1 : %ASA-2-106007: deny", "fatal", "ASA", "deny"),
    "Go's file and line": ("2026/03/04 10:00:01 auth/auth.go:88:SignIn() [I] refused", "info", "auth/auth.go", "refused"),
    "request": ('[04/Mar/2026 10:00:01] "GET /pay HTTP/1.1" 500 145', "error", "app", '"GET /pay HTTP/1.1" 500 145'),
    "request of a proxy": ("10.0.0.4:143 [04/Mar/2026:10:00:01.1] in~ a/b 0/0/7/5/6 503 12", "error", "app",
                           "10.0.0.4:143 in~ a/b 0/0/7/5/6 503 12"),
    "prose": ("2026-03-04 10:00:01 Connection refused: no route", None, "app", "Connection refused: no route"),
    "prose with a number": ("2026-03-04 10:00:01 INFO 5 files are left", "info", "app", "5 files are left"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_head_is_taken_off_whatever_its_notation(name: str, read_line: ReadLine) -> None:
    """Time, level and logger are found in the order in which they stand; numbers and threads are no source."""
    line, level, source, message = HEADS[name]

    record = read_line(line)

    assert record["timestamp"].replace(microsecond=0) == AT
    assert (record["level"], record["source"], record["message"]) == (level, source, message)


@pytest.mark.parametrize(
    "line",
    ["the certificate ends at 2027-01-01 10:00:00", "[sshd] banned", "queue: drained", "5 files", "ratio 10:00:01 to 2",
     "see http://example.net/a:80/x", "(main) thing", "a | b | c", "- item", "#### 12:30:01"],
)  # fmt: skip
def test_prose_stays_whole_and_has_no_time_but_its_arrival(line: str, read_line: ReadLine, now: datetime) -> None:
    """A time that a message tells of is not the line's; what has neither time nor level at its head has no head."""
    record = read_line(line)

    assert (record["message"], record["level"], record["source"]) == (line, None, "app")
    assert record["timestamp"] == now


ZONES = {
    "-03": "13:00", "+09": "01:00", "+0530": "04:30", "AEST": "00:00", "CEST": "08:00", "UTC+2": "08:00", "GMT-4": "14:00",
    "Europe/Berlin": "08:00", "America/New_York": "14:00", "UTC": "10:00",
}  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
def test_zone_is_read(zone: str, read_line: ReadLine) -> None:
    """Offsets, names with one meaning, regions on that day; none of them becomes a source or is left in the message."""
    record = read_line(f"2026-07-01 10:00:00.250 {zone} [41] ERROR:  lost")

    assert record["timestamp"].strftime("%H:%M") == ZONES[zone]
    assert (record["level"], record["message"]) == ("error", "lost")


def test_zone_of_several_meanings_is_marked(read_line: ReadLine) -> None:
    """India, Israel or Ireland: the time is taken as UTC and says so."""
    record = read_line("2026-07-01 10:00:00.250 IST [41] ERROR:  lost")

    assert record["timestamp"] == datetime(2026, 7, 1, 10, 0, 0, 250_000, UTC)
    assert json.loads(record["attributes"])["timezone_unknown"] == "IST"
    assert (record["level"], record["message"]) == ("error", "lost")


@pytest.mark.parametrize(
    ("origin", "source"),
    [("/var/log/pods/prod_shop-5c7d_9a1b/pay/0.log", "pay"), ("/var/log/pods/prod_shop-5c7d_9a1b/pay/3.log.gz", "pay"),
     (f"/var/log/containers/shop-5c7d_prod_pay-{'0a' * 32}.log", "pay"), ("/var/log/error_log", "error_log"),
     ("/srv/9f2c-json.log", "9f2c")],
)  # fmt: skip
def test_source_of_a_containers_file_is_the_container(origin: str, source: str, read_line: ReadLine) -> None:
    """Not the number of its restarts."""
    assert read_line("2026-07-01T15:04:06Z stdout F plain words", origin=origin)["source"] == source


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("2026-03-04 10:00:01 I/O error, dev sda", None, "I/O error, dev sda"),
        ("2026-03-04 10:00:01 [12] I/O error, dev sda", None, "I/O error, dev sda"),
        ("I/O error on sda", None, "I/O error on sda"),
        ("2026-03-04 10:00:01 [12] E/Till: no answer", "error", "no answer"),
    ],
)
def test_input_and_output_are_no_level(line: str, level: str | None, message: str, read_line: ReadLine) -> None:
    """`I/O` at the head of a message is no letter of a level before a tag, as `E/Till` is."""
    record = read_line(line)

    assert (record["level"], record["message"]) == (level, message)
