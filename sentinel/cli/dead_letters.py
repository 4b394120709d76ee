"""`dead-letters`: records that cannot be delivered, with their reasons; offered again after a fix, or given up."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from sentinel.cli.commands import Run
from sentinel.cli.numbers import whole
from sentinel.cli.show import print_json, print_record, print_table, record_number
from sentinel.counted import counted
from sentinel.errors import TerminalError
from sentinel.records import ANOMALIES, EVENTS
from sentinel.settings import Settings
from sentinel.spool import DeadLetter, Spool
from sentinel.wiring import open_spool

__all__ = ["letters"]

STATES = ("dead", "waiting", "delivered", "dropped")
MAX_REASON = 100


def letters(command: argparse.ArgumentParser) -> Run:
    """Arguments of `dead-letters`."""
    command.add_argument("action", nargs="?", choices=["list", "show", "replay", "drop"], default="list")
    command.add_argument(
        "sequences", nargs="*", type=record_number, metavar="SEQUENCE", help="which, as `list` names them"
    )
    command.add_argument("--all", action="store_true", help="for replay and drop: every dead letter of the stream")
    command.add_argument("--stream", choices=[EVENTS, ANOMALIES], default=EVENTS)
    command.add_argument("--state", choices=STATES, help="for list: only those in this state")
    command.add_argument("--limit", type=whole(1), default=100, help="for list: at most so many, the oldest first")
    command.add_argument("--after", type=whole(0), default=0, metavar="SEQUENCE", help="for list: only those behind it")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    return _dead_letters


def _dead_letters(options: argparse.Namespace, settings: Settings) -> int:
    if options.action == "list" and options.sequences:
        raise TerminalError("list: it takes no sequence; `show` has one letter in full, --after those behind it")
    if options.action != "list" and not (options.sequences or options.all):
        raise TerminalError(f"{options.action}: name the sequences, or --all; `dead-letters list` has them")
    with open_spool(settings) as spool:
        if options.action == "list":
            return _list(spool, options)
        if options.action == "show":
            return _show(spool, options)
        return _change(spool, options)


def _list(spool: Spool, options: argparse.Namespace) -> int:
    """The letters, and how many there are of each reason."""
    letters = spool.dead_letters(options.stream, state=options.state, after=options.after, limit=options.limit)
    if options.json:
        for letter in letters:
            print_json(_row(letter) | {"reason": letter.reason})
        return 0
    print_table([_row(letter) for letter in letters])
    counts = [count for count in spool.letter_counts() if count[0] == options.stream]
    for _, state, reason, count in counts:
        print(f"{count} {state}: {reason}")
    if not counts:
        print(f"no dead letters among the {options.stream}")
    elif len(letters) == options.limit:
        print(f"the first {options.limit} are shown; more with --after {letters[-1].sequence}, or --limit")
    return 0


def _row(letter: DeadLetter) -> dict[str, object]:
    reason = letter.reason if len(letter.reason) <= MAX_REASON else f"{letter.reason[: MAX_REASON - 1]}…"
    return {
        "sequence": letter.sequence,
        "state": letter.state,
        "source": letter.source,
        "received": datetime.fromtimestamp(letter.received_s, UTC).isoformat(timespec="seconds"),
        "died": datetime.fromtimestamp(letter.died_s, UTC).isoformat(timespec="seconds"),
        "attempts": letter.attempts,
        "event_id": letter.event_id,
        "reason": reason,
    }


def _show(spool: Spool, options: argparse.Namespace) -> int:
    """Letter and record of each; exit code 1 where there is no such letter."""
    missing = 0
    for sequence in _wanted(spool, options):
        found = _letter(spool, options.stream, sequence)
        if found is None:
            missing += 1
            print(f"{options.stream} {sequence} is no dead letter")
            continue
        record = spool.letter(options.stream, sequence)
        shown = _row(found) | {"reason": found.reason}
        shown["record"] = None if record is None else record.row(0, named=True)
        if options.json:
            print_json(shown)
        else:
            print_record(shown)
    return 1 if missing else 0


def _letter(spool: Spool, stream: str, sequence: int) -> DeadLetter | None:
    found = spool.dead_letters(stream, after=sequence - 1, limit=1)
    return found[0] if found and found[0].sequence == sequence else None


def _wanted(spool: Spool, options: argparse.Namespace) -> Sequence[int]:
    if not options.all:
        return list(dict.fromkeys(options.sequences))
    return [letter.sequence for letter in spool.dead_letters(options.stream, state="dead", limit=-1)]


def _change(spool: Spool, options: argparse.Namespace) -> int:
    """Exit code 1 where a sequence was named that is not dead: nothing happened to it, and it is said why."""
    before = {} if options.all else {n: _letter(spool, options.stream, n) for n in _wanted(spool, options)}
    change = spool.replay if options.action == "replay" else spool.drop
    count = change(options.stream, None if options.all else list(before))
    others = {n: letter for n, letter in before.items() if letter is None or letter.state != "dead"}
    if options.action == "replay":
        after = "the next delivery offers them to the store again"
    else:
        after = "their content is gone, they go on counting as dead"
    done = "replayed" if options.action == "replay" else "dropped"
    if options.json:
        print_json({done: count, "untouched": sorted(others)})
        return 1 if others else 0
    print(f"{done} {counted(count, 'dead letter')}" + (f": {after}" if count else ""))
    for sequence, letter in others.items():
        print(f"left {sequence} alone: " + ("it is no dead letter" if letter is None else f"it is {letter.state}"))
    return 1 if others else 0
