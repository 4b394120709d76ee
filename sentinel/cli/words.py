"""`feedback`, `mute`, `threshold`: one word back, and how loud it shall be."""

import argparse
import getpass
import time
from typing import Any

from sentinel.cli.commands import Run
from sentinel.cli.incidents import short
from sentinel.cli.moments import unix_time
from sentinel.cli.show import print_json, print_record, print_table
from sentinel.errors import TerminalError
from sentinel.settings import Settings

__all__ = ["feedback", "mute", "threshold_command"]


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
            until_s=unix_time(options.until, ahead=True),
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

    until_s = unix_time(options.span, ahead=True)
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
                print_table([short(row) for row in found.pop("incidents")])
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
