"""`sentinel incidents` for people and programs: a table, colours on a terminal alone, and each as it begins."""

import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from sentinel.incidents import Incident
from sentinel.pipeline.incidents import Wanted, news_since
from sentinel.spool import IncidentRow, Spool

NOW_S = 1_795_000_000.0
COMMAND = [sys.executable, "-m", "sentinel.cli", "incidents"]


def incident(number: int, severity: str = "high", title: str = "") -> Incident:
    return Incident(
        id=f"{number:016x}", kind="brute_force", severity=severity, state="open", lines=number + 1,
        title=title or f"{number} failed log-ins from 203.0.113.{number}", first_s=NOW_S + number,
        last_s=NOW_S + number, peak_nats=24.9, peak_score=0.9, sources=("sshd",),
    )  # fmt: skip


def put(spool: Spool, *incidents: Incident) -> None:
    rows = [IncidentRow(i.id, i.first_s, i.last_s, i.state, i.version, orjson.dumps(i.to_json())) for i in incidents]
    with spool.transaction() as tx:
        tx.put_incidents(rows)


def on_terminal(environment: dict[str, str]) -> str:
    """What the command prints on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    whole = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    with subprocess.Popen(COMMAND, stdin=theirs, stdout=theirs, env=whole) as running:
        os.close(theirs)
        told = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # Linux says so at the end
                break
            if not piece:
                break
            told += piece
    os.close(ours)
    assert running.returncode == 0
    return told.decode()


def test_terminal_gets_colours_and_a_pipe_none(spool: Spool, sentinel_command, monkeypatch) -> None:
    """A severity is painted on a terminal, not where NO_COLOR is set, and never in a pipe."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    put(spool, incident(1, "critical"))

    painted, plain, piped = on_terminal({}), on_terminal({"NO_COLOR": "1"}), sentinel_command("incidents").out

    assert "\x1b[1;31mcritical" in painted
    assert "\x1b[31m" not in plain
    assert "\x1b[1;31m" not in plain
    assert "\x1b" not in piped
    assert all("203.0.113.1" in told for told in (painted, plain, piped))


def test_evil_title_cannot_steer_the_terminal(spool: Spool) -> None:
    """What a log line brings along stays text, markup of ours too."""
    put(spool, incident(1, title="\x1b[2J[red]gone[/red]"))

    told = on_terminal({"NO_COLOR": "1"})

    assert "\x1b[2J" not in told
    assert "[red]gone[/red]" in told


def test_nothing_wrong_is_said(spool: Spool, sentinel_command) -> None:
    """An empty list says so to a person, and is empty for a program."""
    assert sentinel_command("incidents").out == "no incident\n"
    assert sentinel_command("incidents", "--severity", "high").out == "no incident fits\n"
    assert sentinel_command("incidents", "--json").out == ""


def test_news_are_told_once_and_however_many(spool: Spool) -> None:
    """Each new or changed incident comes once, also where there are more of them than the list shows."""
    seen: dict[str, int] = {}
    put(spool, *(incident(n, "low" if n % 2 else "critical") for n in range(50)))
    wanted = Wanted(severity="critical", limit=3)

    first, again = news_since(spool, wanted, seen), news_since(spool, wanted, seen)
    put(spool, replace(incident(4, "critical"), lines=99, version=2))
    changed = news_since(spool, wanted, seen)

    assert [i.id for i in first] == [f"{n:016x}" for n in range(0, 50, 2)]
    assert again == []
    assert [(i.id, i.lines) for i in changed] == [(f"{4:016x}", 99)]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_follow_prints_what_begins_into_a_pipe_at_once(spool: Spool, home: Path, form: tuple[str, ...]) -> None:
    """What begins while it runs comes out while it runs: a pipe does not keep it back."""
    put(spool, incident(1))
    with subprocess.Popen([*COMMAND, "--follow", *form], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        head = [running.stdout.readline() for _ in range(1 if form else 2)]
        put(spool, incident(2))
        line = running.stdout.readline()
        running.terminate()

    assert "203.0.113.1" in head[-1]
    assert "203.0.113.2" in line


EXPLANATION = {
    "event": "e1",
    "template": "order <NUM> lost in <NUM> ms",
    "template_odd": ["lost"],
    "line": "2026-11-23 ERROR order 7 lost in 3 ms \x1b[31m",
    "line_odd": ["lost"],
    "origin": "/var/log/shop.log",
    "offset": 12_345,
    "nearest": {
        "template": "order <NUM> stored in <NUM> ms",
        "line": "order 6 stored in 2 ms",
        "last_seen": "2026-11-23",
    },
    "normal": ["a line like it that does not read as a failure"],
}


def test_show_holds_the_line_against_what_is_normal(spool: Spool, sentinel_command) -> None:
    """Where the line lies, its odd part between > and <, the nearest normal one; no escape reaches the terminal."""
    put(spool, replace(incident(1), explanation=EXPLANATION))

    told = sentinel_command("incidents", "show", f"{1:016x}").out

    rows = {row.split("  ")[0]: row.split("  ")[-1].strip() for row in told.splitlines()}
    assert rows["template"] == "order <NUM> >lost< in <NUM> ms"
    assert rows["line"] == "2026-11-23 ERROR order 7 >lost< in 3 ms \\x1b[31m"
    assert rows["from"] == "/var/log/shop.log, byte 12,345"
    assert rows["nearest normal"] == "order 6 stored in 2 ms"
    assert rows["would be normal"] == EXPLANATION["normal"][0]


def test_show_says_where_nothing_like_it_is_known(spool: Spool, sentinel_command) -> None:
    """An incident of before has no explanation and is shown without; one that resembles nothing says so."""
    put(spool, replace(incident(1), explanation={**EXPLANATION, "nearest": None, "offset": None}), incident(2))

    strange, old = (sentinel_command("incidents", "show", f"{number:016x}").out for number in (1, 2))

    assert "nothing like it is known" in strange
    assert "byte" not in strange
    assert "nearest normal" not in old
