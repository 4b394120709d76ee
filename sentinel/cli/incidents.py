"""`incidents`: what is wrong, as a table, one with all about it, or each as it begins or changes."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sentinel.cli.commands import Run
from sentinel.cli.moments import unix_time
from sentinel.cli.numbers import whole
from sentinel.cli.show import print_json, print_record, print_table
from sentinel.errors import TerminalError
from sentinel.settings import Settings

if TYPE_CHECKING:
    from sentinel.pipeline.incidents import Wanted
    from sentinel.spool import Spool

__all__ = ["incidents", "short"]

FOLLOW_S = 1.0
NARROW = ("kind", "source", "actor", "severity", "state", "sort", "limit")


def incidents(command: argparse.ArgumentParser) -> Run:
    """Arguments of `incidents`."""
    command.add_argument("action", nargs="?", choices=["list", "show"], default="list")
    command.add_argument("id", nargs="?", metavar="ID")
    for name in ("since", "until", "kind", "source", "actor", "severity", "state"):
        command.add_argument(f"--{name}", help="as GET /incidents takes it")
    command.add_argument("--sort", default="last", help="last, first, severity, lines or peak_score")
    command.add_argument("--limit", type=whole(1), default=20)
    command.add_argument("--follow", action="store_true", help="go on, and print each that is new or has changed")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    return _incidents


def short(row: Mapping[str, Any]) -> dict[str, Any]:
    """An incident on one line."""
    names = ("id", "severity", "state", "lines", "title")
    return {"last": row["last"][:19] + "Z", **{name: row[name] for name in names}}


def _incidents(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.incidents import SORTS, Wanted, list_incidents
    from sentinel.wiring import open_spool

    if options.sort not in SORTS:
        raise TerminalError(f"incidents: --sort is one of {', '.join(SORTS)}")
    narrow = {name: getattr(options, name) for name in NARROW}
    wanted = Wanted(since_s=unix_time(options.since), until_s=unix_time(options.until), **narrow)
    with open_spool(settings) as spool:
        if options.action == "show":
            return _show(spool, options)
        seen = {row.id: row.version for row in spool.incidents.newest()} if options.follow else {}
        rows = [incident.shown() for incident in list_incidents(spool, wanted)]
        if options.json:
            for row in rows:
                print_json(row)
        elif rows or options.follow:
            print_table([short(row) for row in rows])
        else:
            print("no incident" + (" fits" if any(narrow[name] for name in NARROW[:5]) or options.since else ""))
        if options.follow:
            _follow(spool, wanted, seen, as_json=options.json)
    return 0


def _show(spool: "Spool", options: argparse.Namespace) -> int:
    from sentinel.pipeline.incidents import one_incident

    found = one_incident(spool, options.id or "")
    if found is None:
        raise TerminalError(f"incidents show: there is no incident {options.id}; `sentinel incidents` lists them")
    row = found.shown()
    if options.json:
        print_json(row)
        return 0
    shown = {name: value for name, value in row.items() if name not in ("sample", "trend", "reasons", "explanation")}
    print_record({name: ", ".join(value) if isinstance(value, list) else value for name, value in shown.items()})
    for number, reason in enumerate(row["reasons"], start=1):
        print_record({f"reason {number}": reason})
    if row["explanation"]:
        print_record(_told(row["explanation"]))
    for line in row["sample"]:
        print_record({f"{line['timestamp']}": f"{line['source'] or '-'}: {line['message']}"})
    return 0


def _told(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """The explanation of an incident's line; what is odd stands between > and <."""
    near, offset = explanation["nearest"] or {}, explanation["offset"]
    place = f"{explanation['origin']}, byte {offset:,}" if offset is not None else explanation["origin"]
    return {
        "template": _pointed(explanation["template"], explanation["template_odd"]),
        "line": _pointed(explanation["line"], explanation["line_odd"]),
        "from": place,
        "nearest normal": near.get("line") or near.get("template") or "nothing like it is known",
        "last seen": near.get("last_seen"),
        "would be normal": "; or ".join(explanation["normal"]) or None,
    }


def _pointed(text: str, parts: Sequence[str]) -> str:
    """The text with each part between > and <.

    >>> _pointed("user ann from 10.0.0.1", ["10.0.0.1"])
    'user ann from >10.0.0.1<'
    """
    for part in parts:
        text = text.replace(part, f">{part}<", 1)
    return text


def _follow(spool: "Spool", wanted: "Wanted", seen: dict[str, int], *, as_json: bool) -> None:
    """Print each incident that is new or has changed, however many there are, until interrupted."""
    from sentinel.pipeline.incidents import news_since

    while True:
        sys.stdout.flush()  # a pipe would keep the lines back
        time.sleep(FOLLOW_S)
        for incident in news_since(spool, wanted, seen):
            row = incident.shown()
            if as_json:
                print_json(row)
            else:
                print_table([short(row)], head=False)
