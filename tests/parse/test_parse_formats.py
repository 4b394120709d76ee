"""Each format by example: what a line of it says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

CASES: dict[str, tuple[str, str | None, str | None, str, str | None, str, dict[str, str]]] = {
    # name: line, timestamp (None: received), level, source, host, message, attributes
    "rfc3164": (
        "Oct 11 22:14:15 mymachine su[31]: 'su root' failed for lonvick", "2026-10-11T22:14:15", None, "su",
        "mymachine", "'su root' failed for lonvick", {"pid": "31"},
    ),
    "rfc3164-pri": (
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "2026-10-11T22:14:15", "fatal", "su", "mymachine",
        "'su root' failed", {"facility": "auth", "severity": "crit"},
    ),
    "rfc3164-year-and-zone": (
        "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time", "1987-08-24T11:34:00", "info", "myproc",
        "mymachine", "%% It's time", {"facility": "local4", "severity": "notice", "pid": "10"},
    ),
    "rfc3164-program-with-space": (
        "Jul  1 09:00:55 mac Microsoft Word[14463]: Fonts missing", "2026-07-01T09:00:55", None, "Microsoft Word",
        "mac", "Fonts missing", {"pid": "14463"},
    ),
    "rfc3164-without-host": (
        "Jan  1 10:00:00 sshd[12]: Server listening", "2026-01-01T10:00:00", None, "sshd", None, "Server listening",
        {"pid": "12"},
    ),
    "rfc3164-cisco-year": (
        "Dec 10 2023 06:55:46 fw1 %ASA-6-302013: Built inbound", "2023-12-10T06:55:46", "info", "ASA", "fw1",
        "Built inbound", {"code": "302013"},
    ),
    "syslog-body-keeps-its-own-level-word": (
        "Oct 11 22:14:15 h sshd[1]: error: PAM: failure", "2026-10-11T22:14:15", "error", "sshd", "h",
        "error: PAM: failure", {"pid": "1"},
    ),
    "syslog-level-of-the-line-before-the-severity": (
        "<22>Oct 11 22:14:15 mx postfix/smtpd[7]: warning: no name", "2026-10-11T22:14:15", "warn", "postfix/smtpd",
        "mx", "warning: no name", {"pid": "7", "facility": "mail", "severity": "info"},
    ),
    "syslog-level-behind-a-service": (
        "Oct 11 22:14:15 mx dovecot: imap(ann)<7><x1>: Error: no box", "2026-10-11T22:14:15", "error", "dovecot", "mx",
        "imap(ann)<7><x1>: Error: no box", {},
    ),
    "syslog-error-as-a-word": (
        "Oct 11 22:14:15 h cron[1]: error in crontab, see mail", "2026-10-11T22:14:15", None, "cron", "h",
        "error in crontab, see mail", {"pid": "1"},
    ),
    "logfmt-with-single-quotes": (
        "timestamp='2026-03-04T10:00:01Z' level='warning' event='till is slow' ms=812", "2026-03-04T10:00:01", "warn",
        "app", None, "till is slow", {"ms": "812"},
    ),
    "words-that-look-like-a-file-of-code": (
        "2026-03-04T10:00:01Z [warning] Node.js 16 is old", "2026-03-04T10:00:01", "warn", "app", None,
        "Node.js 16 is old", {},
    ),
    "rfc5424": (
        '<165>1 2003-10-11T22:14:15.003Z h.test evntslog 77 ID47 [x@3 iut="3" src="A\\"b"][b@1 c="d"] \ufeffAn event',
        "2003-10-11T22:14:15.003", "info", "evntslog", "h.test", "An event",
        {"facility": "local4", "severity": "notice", "pid": "77", "message_id": "ID47", "x.iut": "3",
         "x.src": 'A"b', "b.c": "d"},
    ),
    "rfc5424-nil": ("<11>1 - - - - - - plain", None, "error", "app", None, "plain",
                    {"facility": "user", "severity": "err"}),
    "rfc5424-without-pri": (
        "1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time", "2003-08-24T12:14:15.000003",
        None, "myproc", "192.0.2.1", "%% It's time", {"pid": "8710"},
    ),
    "pri-and-text": ("<11>just text", None, "error", "app", None, "just text", {"facility": "user", "severity": "err"}),
    "rsyslog-iso": (
        "2023-05-01T10:00:00.123456+02:00 host1 kernel: [12.3] eth0 up", "2023-05-01T08:00:00.123456", None, "kernel",
        "host1", "[12.3] eth0 up", {},
    ),
    "json": (
        '{"timestamp":"2024-01-02T03:04:05Z","level":"WARN","msg":"a \\"b\\"","logger":"x.y","a":{"b":1},"c":[1,"d"]}',
        "2024-01-02T03:04:05", "warn", "x.y", None, 'a "b"', {"a.b": "1", "c": '[1,"d"]'},
    ),
    "json-ecs": (
        '{"@timestamp":1700000000.5,"log":{"level":"error","logger":"x.y"},"message":"boom","host":{"name":"h1"}}',
        "2023-11-14T22:13:20.5", "error", "x.y", "h1", "boom", {},
    ),
    "json-pino": (
        '{"level":50,"time":1531171074631,"pid":657,"hostname":"box","msg":"down"}', "2018-07-09T21:17:54.631",
        "error", "app", "box", "down", {"pid": "657"},
    ),
    "json-docker": (
        '{"log":"ERROR disk full\\n","stream":"stderr","time":"2024-01-02T03:04:05.000000006Z"}',
        "2024-01-02T03:04:05", "error", "app", None, "disk full", {"stream": "stderr"},
    ),
    "json-without-message": ('{"foo":1}', None, None, "app", None, '{"foo":1}', {"foo": "1"}),
    "json-broken": ('{"message": oops}', None, None, "app", None, '{"message": oops}', {}),
    "logfmt": (
        'ts=2024-01-02T03:04:05.5Z level=warn msg="disk \\"low\\" now" caller=main.go:12 n=5', "2024-01-02T03:04:05.5",
        "warn", "app", None, 'disk "low" now', {"caller": "main.go:12", "n": "5"},
    ),
    "logfmt-logrus": (
        'time="2024-01-02T03:04:05+01:00" level=error msg=bad component=etl', "2024-01-02T02:04:05", "error", "etl",
        None, "bad", {},
    ),
    "access-common": (
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 500 2326', "2000-10-10T20:55:36",
        "error", "access", None, '127.0.0.1 "GET /a.gif HTTP/1.0" 500 2326',
        {"client": "127.0.0.1", "user": "frank", "method": "GET", "status": "500", "bytes": "2326"},
    ),
    "access-combined": (
        '::1 - - [10/Oct/2000:13:55:36 +0000] "POST /x HTTP/1.1" 404 - "-" "curl/8"', "2000-10-10T13:55:36", "warn",
        "access", None, '::1 "POST /x HTTP/1.1" 404 - "-" "curl/8"',
        {"client": "::1", "method": "POST", "status": "404"},
    ),
    "access-virtual-host": (
        'www.example.com:443 10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 12', "2000-10-10T13:55:36",
        "info", "access", None, '10.0.0.1 "GET / HTTP/1.1" 200 12',
        {"vhost": "www.example.com:443", "client": "10.0.0.1", "method": "GET", "status": "200", "bytes": "12"},
    ),
    "access-wrapped-in-quotes": (
        '"10.0.0.1 - - [22/Dec/2016:15:19:05 +0300] "GET / HTTP/1.1" 200 20 "-" "Moz""', "2016-12-22T12:19:05", "info",
        "access", None, '10.0.0.1 "GET / HTTP/1.1" 200 20 "-" "Moz"',
        {"client": "10.0.0.1", "method": "GET", "status": "200", "bytes": "20"},
    ),
    "access-tls-bytes": (
        r'10.0.0.1 - - [10/Oct/2000:13:55:36 +0000] "\x16\x03\"\x01" 400 226 "-" "-"', "2000-10-10T13:55:36", "warn",
        "access", None, r'10.0.0.1 "\x16\x03\"\x01" 400 226 "-" "-"',
        {"client": "10.0.0.1", "status": "400", "bytes": "226"},
    ),
    "apache-error": (
        "[Sun Dec 04 04:47:44 2005] [error] [client 1.2.3.4] File does not exist: /x", "2005-12-04T04:47:44", "error",
        "apache", None, "[client 1.2.3.4] File does not exist: /x", {"client": "1.2.3.4"},
    ),
    "apache-error-2.4": (
        "[Sat Jul 20 21:34:49.453232 2013] [core:notice] [pid 1:tid 2] AH00094: Command line",
        "2013-07-20T21:34:49.453232",
        "info", "apache", None, "AH00094: Command line", {"module": "core", "pid": "1", "tid": "2"},
    ),
    "nginx-error": (
        '2023/01/01 12:00:00 [crit] 12#3: *5 open() "/x" failed, client: 1.2.3.4', "2023-01-01T12:00:00", "fatal",
        "nginx", None, 'open() "/x" failed, client: 1.2.3.4', {"pid": "12", "tid": "3", "connection": "5"},
    ),
    "log4j": (
        "2015-10-18 18:01:47,978 INFO [Thread[main,5,x]] org.apache.Foo: Created", "2015-10-18T18:01:47.978", "info",
        "org.apache.Foo", None, "Created", {"thread": "Thread[main,5,x]"},
    ),
    "zookeeper": (
        "2015-07-29 17:41:44,747 - WARN  [Send:18:Quorum$Worker@688] - leaving", "2015-07-29T17:41:44.747", "warn",
        "Quorum$Worker", None, "leaving", {"thread": "Send:18", "line": "688"},
    ),
    "logback": ("2023-01-01 12:00:00.123 [main] DEBUG c.b.Class - hey", "2023-01-01T12:00:00.123", "debug", "c.b.Class",
                None, "hey", {"thread": "main"}),
    "logback-time-only": ("11:00:00.123 [main] INFO  c.b.Class - hey", "2026-11-23T11:00:00.123", "info", "c.b.Class",
                          None, "hey", {"thread": "main"}),
    "spring-boot": (
        "2023-01-01 12:00:00.123  INFO 12 --- [           main] c.e.App   : Started", "2023-01-01T12:00:00.123", "info",
        "c.e.App", None, "Started", {"pid": "12", "thread": "main"},
    ),
    "tomcat": (
        "18-Sep-2023 10:00:00.123 SEVERE [main] org.apache.Catalina.start Server failed", "2023-09-18T10:00:00.123",
        "error", "org.apache.Catalina.start", None, "Server failed", {"thread": "main"},
    ),
    "java-util-logging": ("Jun 09, 2023 12:30:00 AM org.foo.Bar method", "2023-06-09T00:30:00", None, "org.foo.Bar",
                          None, "org.foo.Bar method", {"method": "method"}),
    "python-dashes": ("2023-01-01 12:00:00,123 - my.app - CRITICAL - lost", "2023-01-01T12:00:00.123", "fatal",
                      "my.app", None, "lost", {}),
    "python-name-level": ("2023-01-01 12:00:00,123 my.app WARNING careful", "2023-01-01T12:00:00.123", "warn", "my.app",
                          None, "careful", {}),
    "python-level-name": ("2023-01-01 12:00:00,123 WARNING my.app: careful", "2023-01-01T12:00:00.123", "warn",
                          "my.app", None, "careful", {}),
    "python-basic": ("WARNING:root:careful", None, "warn", "root", None, "careful", {}),
    "exception-is-no-logger": (
        "2023-01-01 12:00:00 ERROR java.lang.NullPointerException: x", "2023-01-01T12:00:00", "error", "app", None,
        "java.lang.NullPointerException: x", {},
    ),
    "loguru": ("2023-01-01 12:00:00.123 | INFO     | mod.x:func:12 - started", "2023-01-01T12:00:00.123", "info",
               "mod.x", None, "started", {"function": "func", "line": "12"}),
    "postgres": ("2023-01-01 12:00:00.123 UTC [12] u@db FATAL:  no such role", "2023-01-01T12:00:00.123", "fatal",
                 "postgres", None, "no such role", {"pid": "12", "user": "u", "database": "db"}),
    "mysql": ("2023-01-01T00:00:00.1Z 0 [Warning] [MY-010068] [Server] CA self signed", "2023-01-01T00:00:00.1", "warn",
              "Server", None, "CA self signed", {"thread": "0", "code": "MY-010068"}),
    "container": ("2023-01-01T00:00:00.1Z stderr F ERROR lost", "2023-01-01T00:00:00.1", "error", "app", None, "lost",
                  {"stream": "stderr"}),
    "openstack": (
        "nova-api.log.1 2017-05-16 00:00:00.008 25746 INFO nova.wsgi [req-1 2 - -] 10.1.1.1 GET",
        "2017-05-16T00:00:00.008",
        "info", "nova.wsgi", None, "10.1.1.1 GET", {"file": "nova-api.log.1", "pid": "25746", "request": "req-1 2 - -"},
    ),
    "openstack-without-time": ("ERROR nova.driver [req-1] lost", None, "error", "nova.driver", None, "lost",
                               {"request": "req-1"}),
    "hdfs": ("081109 203615 148 WARN dfs.DataNode$X: gone", "2008-11-09T20:36:15", "warn", "dfs.DataNode$X", None,
             "gone", {"pid": "148"}),
    "spark": ("17/06/09 20:10:40 INFO spark.SecurityManager: Changing", "2017-06-09T20:10:40", "info",
              "spark.SecurityManager", None, "Changing", {}),
    "android": ("03-17 16:13:38.811  1702  2395 E Window Manager: lost", "2026-03-17T16:13:38.811", "error",
                "Window Manager", None, "lost", {"pid": "1702", "tid": "2395"}),
    "healthapp": ("20171224-0:5:7:9|Step_X|30002312|done", "2017-12-24T00:05:07.009", None, "Step_X", None, "done",
                  {"pid": "30002312"}),
    "proxifier": ("[10.30 16:49:06] chrome.exe *64 - x:5070 close", "2026-10-30T16:49:06", None, "chrome.exe *64", None,
                  "x:5070 close", {}),
    "bgl": (
        "KERNDTLB 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL FATAL data TLB error",
        "2005-06-03T22:42:50.675872", "fatal", "KERNEL", "R02", "data TLB error", {"label": "KERNDTLB", "type": "RAS"},
    ),
    "thunderbird": (
        "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam)[29]: closed", "2005-11-09T20:01:01", None,
        "crond(pam)", "dn228", "closed", {"label": "-", "location": "dn228/dn228", "pid": "29"},
    ),
    "hpc": ("46 node-2 unix.hw state.down 1077804742 1 Component is down", "2004-02-26T14:12:22", None, "unix.hw",
            "node-2", "Component is down", {"log_id": "46", "state": "state.down", "flag": "1"}),
    "windows-cbs": ("2016-09-28 04:30:30, Error                 CBS    Failed", "2016-09-28T04:30:30", "error", "CBS",
                    None, "Failed", {}),
    "klog": ("E0102 15:04:05.123456    1234 file.go:123] lost", "2026-01-02T15:04:05.123456", "error", "file.go", None,
             "lost", {"pid": "1234", "line": "123"}),
    "epoch": ("1700000000.25 hello", "2023-11-14T22:13:20.25", None, "app", None, "hello", {}),
    "level-bracket": ("[ERROR] bad", None, "error", "app", None, "bad", {}),
    "free-text": ("just some text", None, None, "app", None, "just some text", {}),
    "free-text-with-level": ("error: no such file", None, "error", "app", None, "error: no such file", {}),
    "free-text-keeps-indent": ("\tat foo.Bar(Baz.java:12)", None, None, "app", None, "\tat foo.Bar(Baz.java:12)", {}),
    "prose-after-a-time": ("2023-01-01 00:00:00 Connection refused: foo", "2023-01-01T00:00:00", None, "app", None,
                           "Connection refused: foo", {}),
}  # fmt: skip


def _six_digits(text: str) -> str:
    """Python 3.11 reads fractions of three or six digits only."""
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<6}"


@pytest.mark.parametrize("name", CASES)
def test_line_is_taken_apart_when_its_format_is_known(
    name: str, read_line: Callable[..., dict[str, Any]], now: datetime
) -> None:
    """Time in UTC, level, source, host, message without its header, and all the rest among the attributes."""
    line, timestamp, level, source, host, message, attributes = CASES[name]

    record = read_line(line)

    expected = now if timestamp is None else datetime.fromisoformat(_six_digits(timestamp)).replace(tzinfo=UTC)
    assert record["timestamp"] == expected
    found = (record["level"], record["source"], record["host"], record["message"])
    assert found == (level, source, host, message)
    assert json.loads(record["attributes"] or "{}") == attributes
    assert record["raw"] is None


def test_batch_reads_a_line_as_if_it_were_alone(
    read_lines: Callable[..., Any], read_line: Callable[..., dict[str, Any]]
) -> None:
    """Formats may mix in any order: the neighbours of a line that begins an event change nothing about it."""
    lines = [case[0] for case in CASES.values() if not case[0].startswith(("\t", "  "))]

    together = read_lines(*lines).records.drop("event_id", "offset")
    twice = read_lines(*lines, *reversed(lines)).records.drop("event_id", "offset")

    alone = [{k: v for k, v in read_line(line).items() if k not in ("event_id", "offset")} for line in lines]
    assert together.to_dicts() == alone
    assert twice.to_dicts() == alone + alone[::-1]
