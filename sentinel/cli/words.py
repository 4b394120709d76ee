"""`incidents`, `feedback`, `mute`, `threshold`: what is wrong, one word back, and how loud it shall be."""

import argparse
import getpass
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sentinel.cli.commands import Run
from sentinel.cli.show import print_json, print_record, print_table
from sentinel.errors import TerminalError
from sentinel.settings import Settings

if TYPE_CHECKING:
    from sentinel.spool import Spool

__all__ = ["feedback", "incidents", "mute", "threshold_command"]

SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
SPAN_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
FOLLOW_S = 1.0


def incidents(command: argparse.ArgumentParser) -> Run:
    """Arguments of `incidents`."""
    command.add_argument("action", nargs="?", choices=["list", "show"], default="list")
    command.add_argument("id", nargs="?", metavar="ID")
    for name in ("since", "until", "kind", "source", "actor", "severity", "state"):
        command.add_argument(f"--{name}", help="as GET /incidents takes it")
    command.add_argument("--sort", default="last", help="last, first, severity, lines or peak_score")
    command.add_argument("--limit", type=int, default=20)
    command.add_argument("--follow", action="store_true", help="go on, and print each that is new or has changed")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    return _incidents


def feedback(command: argparse.ArgumentParser) -> Run:
    """Arguments of `feedback`."""
    command.add_argument("target", metavar="ID|list|undo", help="of an incident or an anomaly")
    command.add_argument("verdict", nargs="?", metavar="real|false_alarm|ID")
    command.add_argument("--scope", help="line, template, source or actor")
    command.add_argument("--until", help="ISO 8601, or a span from now on as 7d; left out: for ever")
    command.add_argument("--note")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    return _feedback


def mute(command: argparse.ArgumentParser) -> Run:
    """Arguments of `mute`."""
    command.add_argument("target", metavar="INCIDENT|TEMPLATE")
    command.add_argument("--for", dest="span", required=True, metavar="7d")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _mute


def threshold_command(command: argparse.ArgumentParser) -> Run:
    """Arguments of `threshold`."""
    command.add_argument("--alerts-per-day", type=float, metavar="N")
    command.add_argument("--nats", type=float, metavar="X")
    command.add_argument("--source", metavar="S", help="for this source alone")
    command.add_argument("--reset", action="store_true", help="back to LOG_SENTINEL_THRESHOLD_NATS")
    command.add_argument("--preview", action="store_true", help="show what it would have told, and change nothing")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _threshold


def _moment(text: str | None, *, ahead: bool = False) -> float | None:
    """A time or a span as Unix time. Raises TerminalError for another thing."""
    if text is None:
        return None
    if span := SPAN.fullmatch(text):
        seconds = int(span[1]) * SPAN_S[span[2]]
        return time.time() + seconds if ahead else time.time() - seconds
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise TerminalError(f"read {text!r}: a time is as 2026-11-23T12:00:00Z, or a span as 30m, 1h, 7d") from None
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).timestamp()


def _incidents(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.incidents import SORTS, Wanted, list_incidents, one_incident
    from sentinel.wiring import open_spool

    if options.sort not in SORTS:
        raise TerminalError(f"incidents: --sort is one of {', '.join(SORTS)}")
    names = ("kind", "source", "actor", "severity", "state", "sort", "limit")
    narrow = {name: getattr(options, name) for name in names}
    wanted = Wanted(since_s=_moment(options.since), until_s=_moment(options.until), **narrow)
    with open_spool(settings) as spool:
        if options.action == "show":
            found = one_incident(spool, options.id or "")
            if found is None:
                raise TerminalError(
                    f"incidents show: there is no incident {options.id}; `sentinel incidents` lists them"
                )
            _print_one(found.shown(), as_json=options.json)
            return 0
        rows = [incident.shown() for incident in list_incidents(spool, wanted)]
        if options.json:
            for row in rows:
                print_json(row)
        else:
            print_table([_short(row) for row in rows])
        if options.follow:
            _follow(spool, wanted, {row["id"]: row["version"] for row in rows}, as_json=options.json)
    return 0


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """An incident on one line."""
    names = ("id", "severity", "state", "lines", "title")
    return {"last": row["last"][:19] + "Z", **{name: row[name] for name in names}}


def _print_one(row: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    shown = {name: value for name, value in row.items() if name not in ("sample", "trend", "reasons")}
    print_record({name: ", ".join(value) if isinstance(value, list) else value for name, value in shown.items()})
    for number, reason in enumerate(row["reasons"], start=1):
        print_record({f"reason {number}": reason})
    for line in row["sample"]:
        print_record({f"{line['timestamp']}": f"{line['source'] or '-'}: {line['message']}"})


def _follow(spool: "Spool", wanted: Any, seen: dict[str, int], *, as_json: bool) -> None:
    """Print each incident that is new or has changed, until interrupted."""
    from sentinel.pipeline.incidents import list_incidents

    while True:
        time.sleep(FOLLOW_S)
        for incident in reversed(list_incidents(spool, wanted)):
            if seen.get(incident.id) == incident.version:
                continue
            seen[incident.id] = incident.version
            row = incident.shown()
            if as_json:
                print_json(row)
            else:
                short = _short(row)
                print_record(
                    {short["last"]: "  ".join(str(short[name]) for name in ("severity", "state", "id", "title"))}
                )


def _feedback(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.feedback import Said, list_feedback, say, shown_word, undo
    from sentinel.pipeline.incidents import one_incident
    from sentinel.wiring import open_spool

    with open_spool(settings) as spool:
        if options.target == "list":
            _print_rows([shown_word(word) for word in list_feedback(spool, time.time())], as_json=options.json)
            return 0
        if options.target == "undo":
            if not undo(spool, options.verdict or ""):
                raise TerminalError(
                    f"feedback undo: there is no feedback {options.verdict}; see `sentinel feedback list`"
                )
            return 0
        is_incident = one_incident(spool, options.target) is not None
        said = Said(
            verdict=options.verdict or "",
            incident=options.target if is_incident else None,
            anomaly=None if is_incident else options.target,
            scope=options.scope,
            until_s=_moment(options.until, ahead=True),
            note=options.note,
            by=getpass.getuser(),
        )
        word = say(spool, said, time.time())
    if word is None:
        raise TerminalError(f"feedback: there is no incident or anomaly {options.target}; see `sentinel incidents`")
    _print_rows([shown_word(word)], as_json=options.json)
    return 0


def _mute(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.feedback import Said, mute_template, say, shown_word
    from sentinel.pipeline.incidents import one_incident
    from sentinel.wiring import open_spool

    until_s = _moment(options.span, ahead=True)
    assert until_s is not None
    with open_spool(settings) as spool:
        if one_incident(spool, options.target) is not None:
            said = Said("false_alarm", incident=options.target, until_s=until_s, by=getpass.getuser())
            word = say(spool, said, time.time())
        else:
            word = mute_template(spool, options.target, until_s, now_s=time.time(), by=getpass.getuser())
    if word is None:
        raise TerminalError(
            f"mute: {options.target!r} is no incident's id, and no anomaly that is kept has that template"
        )
    _print_rows([shown_word(word)], as_json=options.json)
    return 0


def _print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    names = ("id", "verdict", "scope", "until", "by", "at", "incident", "anomaly", "note")
    if as_json:
        for row in rows:
            print_json(row)
    else:
        print_table([{name: row[name] for name in names} for row in rows])


def _threshold(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline import threshold
    from sentinel.wiring import open_spool

    setting = settings.log_sentinel_threshold_nats
    wanted = {"nats": options.nats, "alerts_per_day": options.alerts_per_day, "source": options.source}
    is_change = options.nats is not None or options.alerts_per_day is not None
    with open_spool(settings) as spool:
        if options.preview:
            found = threshold.preview(spool, setting, **wanted, now_s=time.time())
            if not options.json:
                print_table([_short(row) for row in found.pop("incidents")])
        elif options.reset:
            found = threshold.forget_threshold(spool, setting, source=options.source)
        elif is_change:
            found = threshold.set_threshold(spool, setting, **wanted, now_s=time.time())
        else:
            found = threshold.shown_threshold(spool, setting)
    if options.json:
        print_json(found)
    else:
        print_record(found)
    return 0
