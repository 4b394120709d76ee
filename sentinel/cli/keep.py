"""`spool`, `dead-letters`, `store`, `status`: look at what is kept, and mend it."""

import argparse
from datetime import UTC, datetime

import orjson

from sentinel.cli.run import Commands
from sentinel.cli.show import print_json, print_table
from sentinel.errors import TerminalError
from sentinel.pipeline.overview import overview
from sentinel.pipeline.retention import oldest_partition
from sentinel.records import ANOMALIES, EVENTS
from sentinel.settings import Settings
from sentinel.spool import Spool
from sentinel.wiring import open_spool, opened, store_of

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    spool = commands.add_parser("spool", help="what the spool holds: list, show, verify, repair, export")
    spool.add_argument("action", nargs="?", choices=["list", "show", "verify", "repair", "export"], default="list")
    spool.add_argument("sequence", nargs="?", type=int, help="for show: which record")
    spool.add_argument("--stream", choices=[EVENTS, ANOMALIES], default=EVENTS)
    spool.set_defaults(run=_spool)
    letters = commands.add_parser("dead-letters", help="records that cannot be delivered: list, show, replay, drop")
    letters.add_argument("action", nargs="?", choices=["list", "show", "replay", "drop"], default="list")
    letters.add_argument(
        "sequences", nargs="*", type=int, help="which; for replay and drop all, if left out with --all"
    )
    letters.add_argument("--all", action="store_true", help="every dead letter")
    letters.add_argument("--stream", choices=[EVENTS, ANOMALIES], default=EVENTS)
    letters.add_argument("--limit", type=int, default=100)
    letters.add_argument("--json", action="store_true", help="print one JSON object a line")
    letters.set_defaults(run=_dead_letters)
    store = commands.add_parser("store", help="templates and retention of the store: setup, prune, schema")
    store.add_argument("action", nargs="?", choices=["setup", "prune", "schema"], default="setup")
    store.set_defaults(run=_store)
    status = commands.add_parser("status", help="books, readers, model and store in one view")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run=_status)


def _spool(options: argparse.Namespace, settings: Settings) -> int:
    if options.action == "repair":
        report = Spool.repair(settings.log_sentinel_home / "spool")
        print(report)
        return 0
    with open_spool(settings) as spool:
        if options.action == "verify":
            findings = spool.verify()
            print("\n".join(findings) if findings else "nothing is wrong")
            return 1 if findings else 0
        if options.action == "list":
            return _list(spool, options.stream)
        after = (options.sequence or 1) - 1
        frames = spool.export(options.stream, after=after, max_records=1 if options.action == "show" else 10_000)
        for frame in frames:
            for record in frame.iter_rows(named=True):
                print_json(record)
            if options.action == "show":
                break
    return 0


def _list(spool: Spool, stream: str) -> int:
    """Books by source, the worst first, and where the readers stand."""
    ledger = spool.ledger(stream)
    rows = [
        {name: getattr(row, name) for name in ("source", "accepted", "delivered", "waiting", "dead")}
        for row in sorted(ledger.by_source, key=lambda row: (-row.dead, -row.waiting, -row.accepted))
    ]
    print_table(rows)
    totals = ("received", "rejected", "accepted", "delivered", "waiting", "dead")
    print(" ".join(f"{name}={getattr(ledger, name)}" for name in totals))
    for (source, reason), count in ledger.rejected_by.items():
        print(f"rejected {count} of {source}: {reason}")
    for name in ("deliver", "deliver-anomalies", "detect"):
        position = spool.position(name)
        print(f"reader {name} at {position.sequence}" + (f", failing: {position.error}" if position.error else ""))
    return 0


def _dead_letters(options: argparse.Namespace, settings: Settings) -> int:
    if options.action in {"replay", "drop"} and not (options.sequences or options.all):
        raise TerminalError(f"dead-letters {options.action}: name the sequences, or --all")
    with open_spool(settings) as spool:
        if options.action == "list":
            letters = spool.dead_letters(options.stream, limit=options.limit)
            rows = [
                {name: getattr(x, name) for name in ("sequence", "state", "source", "attempts", "event_id", "reason")}
                for x in letters
            ]
            if options.json:
                for row in rows:
                    print_json(row)
            else:
                print_table(rows)
                print(f"{len(rows)} dead letters")
        elif options.action == "show":
            for sequence in options.sequences:
                letter = spool.letter(options.stream, sequence)
                print_json(None if letter is None else letter.row(0, named=True))
        else:
            change = spool.replay if options.action == "replay" else spool.drop
            count = change(options.stream, None if options.all else options.sequences)
            after = "the next delivery offers them again" if options.action == "replay" else "they still count as dead"
            print(f"{options.action}: {count} dead letters; {after}")
    return 0


def _store(options: argparse.Namespace, settings: Settings) -> int:
    if options.action == "schema":
        from sentinel.store import schema

        for template in (schema.events_template, schema.anomalies_template):
            print(orjson.dumps(template(settings.elastic_index), option=orjson.OPT_INDENT_2).decode())
        return 0
    store = store_of(settings)
    try:
        if options.action == "setup":
            done = store.setup()
            print("\n".join(done) if done else "all is as it should be")
        else:
            before = oldest_partition(settings.elastic_index_period, settings.elastic_retention_days, datetime.now(UTC))
            print("\n".join(store.prune(before)) if before else "ELASTIC_RETENTION_DAYS is 0: nothing is ever deleted")
    finally:
        store.close()
    return 0


def _status(options: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as sentinel:
        view = overview(sentinel)
    if options.json:
        print_json(view)
        return 0
    for title in ("ledger", "anomalies"):
        print(f"{title}: " + " ".join(f"{name}={count}" for name, count in view[title].items()))
    for name, reader in view["readers"].items():
        failing = f", failing ({reader['attempts']} attempts): {reader['error']}" if reader["error"] else ""
        print(f"reader {name}: at {reader['position']}, {reader['behind']} behind{failing}")
    model = view["model"]
    print(f"model: {model['version']}, confidence {model['confidence']}" if model else "model: none yet")
    print(f"store: {view['store']['detail']}" + ("" if view["store"]["reachable"] else " (not reachable)"))
    return 0
