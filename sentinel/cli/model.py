"""`train`, `score`, `predict`, `models`: learn what is normal, and say what is not.

The verbs are imported where they are called: they need the detector, which other commands need not wait for.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from sentinel.cli.commands import Run
from sentinel.cli.numbers import MAX_SEED, whole
from sentinel.cli.progress import working
from sentinel.cli.show import json_line, print_json, print_record, print_report, print_table
from sentinel.counted import counted
from sentinel.errors import TerminalError
from sentinel.moments import moment
from sentinel.settings import MAX_TRAIN_RECORDS, MIN_TRAIN_RECORDS, Settings
from sentinel.wiring import open_registry, open_spool, opened

__all__ = ["models", "predict", "score", "train_command"]


def train_command(command: argparse.ArgumentParser) -> Run:
    """Arguments of `train`."""
    command.add_argument("--file", type=Path, metavar="F.ndjson", help="one {timestamp, level, message, source} a line")
    command.add_argument("--since", type=moment, help="event time, ISO 8601")
    command.add_argument("--until", type=moment, help="event time, ISO 8601")
    command.add_argument(
        "--max-records",
        type=whole(MIN_TRAIN_RECORDS, MAX_TRAIN_RECORDS),
        help="newest records by arrival (LOG_SENTINEL_TRAIN_MAX_RECORDS)",
    )
    command.add_argument(
        "--exclude-anomalies",
        action=argparse.BooleanOptionalAction,
        help="leave out the attacks that the model in service finds (default: yes from the store, no from a file)",
    )
    command.add_argument("--seed", type=whole(0, MAX_SEED), default=0)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _train


def score(command: argparse.ArgumentParser) -> Run:
    """Arguments of `score`."""
    command.add_argument("--file", type=Path, metavar="F.ndjson", help="one {timestamp, level, message, source} a line")
    command.add_argument("--out", type=Path, metavar="G.ndjson", help="verdicts, in the order of the input")
    command.add_argument("--rescore", action="store_true", help="also what an older model has scored")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _score


def predict(command: argparse.ArgumentParser) -> Run:
    """Arguments of `predict`."""
    command.add_argument("message")
    command.add_argument("--level")
    command.add_argument("--source")
    command.add_argument("--timestamp", help="ISO 8601; now, if left out")
    command.add_argument("--json", action="store_true", help="print one JSON object on a terminal, too")
    return _predict


def models(command: argparse.ArgumentParser) -> Run:
    """Arguments of `models`."""
    command.add_argument("action", nargs="?", choices=["list", "promote", "pin", "unpin"], default="list")
    command.add_argument("version", nargs="?")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    return _models


def _train(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.files import read_training
    from sentinel.pipeline.said import read_words
    from sentinel.pipeline.train import retrain, train

    if options.file is not None:
        exclude = bool(options.exclude_anomalies)  # a file is someone's choice of what is normal
        with open_spool(settings) as spool:
            words = read_words(spool)
        with working() as progress:
            records, rejected = read_training(_existing(options.file), now=datetime.now(UTC), progress=progress)
            progress("learning", 0, 0, 0)
            report = train(open_registry(settings), records, exclude_anomalies=exclude, words=words, seed=options.seed)
    else:
        rejected = 0
        wanted = options.max_records or settings.log_sentinel_train_max_records
        exclude = options.exclude_anomalies is not False
        with opened(settings) as sentinel:
            report = retrain(
                sentinel,
                since=options.since,
                until=options.until,
                max_records=wanted,
                exclude_anomalies=exclude,
                seed=options.seed,
            )
    if options.json:
        print_json({**report.answer(), "rejected": rejected})
    else:
        print_table(report.table())
        state = "promoted" if report.promoted else "kept aside"
        rows = f"{counted(report.rows, 'row')}, {rejected} rejected"
        print(f"{state}: {report.model_version}, confidence {report.confidence}, {rows}")
    return 0


def _score(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.score import score_missing
    from sentinel.pipeline.score_file import score_file

    if (options.file is None) != (options.out is None):
        raise TerminalError("score: --file and --out go together")
    if options.file is None:
        with opened(settings) as sentinel:
            return print_report(score_missing(sentinel, rescore=options.rescore), as_json=options.json)
    with working() as progress:
        report = score_file(
            open_registry(settings),
            _existing(options.file),
            options.out,
            threshold_nats=settings.log_sentinel_threshold_nats,
            now=datetime.now(UTC),
            progress=progress,
        )
    return print_report(report, as_json=options.json)


def _predict(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.files import judge

    given = {name: getattr(options, name) for name in ("message", "level", "source", "timestamp")}
    with opened(settings) as sentinel:
        document = {name: value for name, value in given.items() if value is not None}
        verdict = judge(sentinel, document, now=datetime.now(UTC))
    if options.json or not sys.stdout.isatty():  # a pipe has always got JSON
        print(json_line(verdict))
        return 0
    reasons = {f"reason {number}": said for number, said in enumerate(verdict["reasons"] or (), start=1)}
    print_record({name: value for name, value in verdict.items() if name != "reasons"} | reasons)
    return 0


def _models(options: argparse.Namespace, settings: Settings) -> int:
    registry = open_registry(settings)
    if options.action != "list":
        if not options.version:
            raise TerminalError(f"models {options.action}: name the version; `sentinel models` lists them")
        if options.action == "promote":
            registry.promote(options.version)
        else:
            registry.pin(options.version, pinned=options.action == "pin")
    rows = registry.list()
    if options.json:
        for row in rows:
            print_json(row)
    elif rows:
        print_table(rows)
    else:
        print("no model yet: run `sentinel train`, or POST /train")
    return 0


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise TerminalError(f"read {path}: there is no such file")
    return path
