"""`spool`: what it holds and how it fares, whole or record by record; verified, exported, and mended."""

import argparse
import time
from datetime import UTC, datetime

import polars as pl

from sentinel.cli.commands import Run
from sentinel.cli.numbers import whole
from sentinel.cli.show import print_json, print_record, print_table, record_number, visible
from sentinel.counted import counted
from sentinel.errors import TerminalError
from sentinel.pipeline.overview import BOOKS, source_books
from sentinel.pipeline.rounds import READERS, failing_since_s
from sentinel.records import ANOMALIES, EVENTS
from sentinel.settings import Settings
from sentinel.spool import Spool
from sentinel.wiring import MIB, open_spool

__all__ = ["spool"]

ACTIONS = ("list", "show", "verify", "repair", "export")
SHOWN_SOURCES = 40
SHOWN_REASONS = 20


def spool(command: argparse.ArgumentParser) -> Run:
    """Arguments of `spool`."""
    command.add_argument("action", nargs="?", choices=ACTIONS, default="list")
    command.add_argument("sequence", nargs="?", type=record_number, metavar="SEQUENCE", help="for show: which record")
    command.add_argument("--stream", choices=[EVENTS, ANOMALIES], default=EVENTS)
    command.add_argument(
        "--after", type=whole(0), default=0, metavar="SEQUENCE", help="for export: only what comes behind it"
    )
    command.add_argument("--json", action="store_true", help="print JSON (export always does)")
    return _spool


def _spool(options: argparse.Namespace, settings: Settings) -> int:
    if options.action == "show" and options.sequence is None:
        raise TerminalError("show: name the sequence of a record, e.g. `sentinel spool show 17`")
    if options.action != "show" and options.sequence is not None:
        raise TerminalError(f"{options.action}: it takes no sequence; `sentinel spool show` does")
    if options.action == "repair":
        return _repair(options, settings)
    with open_spool(settings) as spool:
        if options.action == "list":
            return _list(spool, options)
        if options.action == "show":
            return _show(spool, options)
        if options.action == "verify":
            return _verify(spool, options)
        for frame in spool.export(options.stream, after=options.after):
            for record in frame.iter_rows(named=True):
                print_json(record)
    return 0


def _repair(options: argparse.Namespace, settings: Settings) -> int:
    """Refused while anybody has the spool open. What was lost, if anything, is told in numbers."""
    folder = settings.log_sentinel_home / "spool"
    if not folder.is_dir():
        raise TerminalError(f"repair {folder}: there is no spool; set LOG_SENTINEL_HOME to where it is")
    done = Spool.repair(folder)
    rows = dict(done.rows)
    if options.json:
        kept = None if done.kept_aside is None else str(done.kept_aside)
        print_json({"kept_aside": kept, "rows": rows, "lost_records": done.lost_records, "notes": done.notes})
        return 0
    if done.kept_aside is not None:
        print("a new file was made of all that can be read: " + ", ".join(f"{n} {table}" for table, n in rows.items()))
        lost = counted(done.lost_records, "accepted record is lost and counts", "accepted records are lost and count")
        print(f"{lost} as dead")
        print(f"the old files are kept in {done.kept_aside}; remove them when you need them no more")
    for note in done.notes:
        print(visible(note))
    return 0


def _list(spool: Spool, options: argparse.Namespace) -> int:
    """Books by source, the biggest first; how full it is; where the readers stand; what is wrong."""
    ledger, now_s = spool.ledger(options.stream), time.time()
    sources = source_books(ledger)
    readers = [
        _reader(spool, name) for name, stream in (*READERS.items(), ("detect", EVENTS)) if stream == options.stream
    ]
    oldest_s = None if ledger.oldest_waiting_s is None else round(now_s - ledger.oldest_waiting_s, 1)
    if options.json:
        totals = {name: getattr(ledger, name) for name in BOOKS}
        size = {"bytes": ledger.bytes, "max_bytes": ledger.max_bytes, "oldest_waiting_s": oldest_s}
        print_json({"spool": spool.id, "ledger": totals, "sources": sources, "readers": readers, **size})
        return 0
    print_table(sources[:SHOWN_SOURCES])
    if len(sources) > SHOWN_SOURCES:
        print(f"… and {counted(len(sources) - SHOWN_SOURCES, 'more source')} (all with --json)")
    print("in all: " + " ".join(f"{name}={getattr(ledger, name)}" for name in BOOKS))
    age = "" if oldest_s is None else f", the oldest for {oldest_s:.0f} s"
    print(f"spool {spool.id}: {ledger.bytes / MIB:.1f} of {ledger.max_bytes / MIB:.0f} MiB wait{age}")
    for (origin, reason), count in sorted(ledger.rejected_by.items(), key=lambda pair: -pair[1])[:SHOWN_REASONS]:
        print(f"rejected {count} of {visible(origin)}: {visible(reason)}")
    for reader in readers:
        print(_reader_line(reader))
    for stream, state, reason, count in spool.letter_counts():
        if stream == options.stream and state in {"dead", "waiting"}:
            print(f"dead letters: {count} {state}: {visible(reason)}")
    for batch in spool.quarantined():
        if batch.stream == options.stream:
            dead = counted(batch.dead, "of them counts", "of them count")
            print(f"quarantined {batch.first}…{batch.last}: {batch.reason}, {dead} as dead")
    return 0


def _reader(spool: Spool, name: str) -> dict[str, object]:
    position, stream = spool.position(name), READERS.get(name, EVENTS)
    since_s = failing_since_s(spool, name)
    return {
        "reader": name,
        "position": position.sequence,
        "behind": spool.last_sequence(stream) - position.sequence,
        "attempts": position.attempts,
        "failing_since": None if since_s is None else datetime.fromtimestamp(since_s, UTC),
        "error": position.error,
    }


def _reader_line(reader: dict[str, object]) -> str:
    line = f"reader {reader['reader']}: at {reader['position']}, {reader['behind']} behind"
    if not reader["attempts"]:
        return line
    since = f" since {visible(reader['failing_since'])}" if reader["failing_since"] else ""
    return f"{line}, failing{since} ({counted(int(str(reader['attempts'])), 'attempt')}): {visible(reader['error'])}"


def _show(spool: Spool, options: argparse.Namespace) -> int:
    """One record and what became of it; exit code 1 where the spool no longer has it."""
    sequence, stream = options.sequence, options.stream
    frame = spool.read(stream, sequence - 1, 1).filter(pl.col("sequence") == sequence)
    fate = _fate(spool, stream, sequence)
    record = frame.row(0, named=True) if frame.height else None
    if options.json:
        print_json({"state": fate, "record": record})
    elif record is None:
        print(f"{stream} {sequence}: {fate}; the spool does not hold it any more")
    else:
        print_record({"state": fate, **record})
    return 0 if record is not None else 1


def _fate(spool: Spool, stream: str, sequence: int) -> str:
    """What became of a record, in a word or with the reason."""
    if not 1 <= sequence <= spool.last_sequence(stream):
        return "never given" if sequence < 1 else f"not given yet, the last is {spool.last_sequence(stream)}"
    letters = spool.dead_letters(stream, after=sequence - 1, limit=1)
    if letters and letters[0].sequence == sequence:
        return f"dead letter, {letters[0].state}: {letters[0].reason}"
    for batch in spool.quarantined():
        if batch.stream == stream and batch.first <= sequence <= batch.last:
            return f"quarantined: {batch.reason}"
    reader = next(name for name, of_stream in READERS.items() if of_stream == stream)
    return "delivered" if sequence <= spool.position(reader).sequence else "waiting"


def _verify(spool: Spool, options: argparse.Namespace) -> int:
    findings = spool.verify()
    if options.json:
        print_json({"sound": not findings, "findings": findings})
    else:
        print("\n".join(map(visible, findings)) if findings else "nothing is wrong")
    return 1 if findings else 0
