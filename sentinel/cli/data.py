"""`collect` and `load`: records in, and on to the store."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from sentinel.cli.commands import Run
from sentinel.cli.progress import working
from sentinel.cli.show import print_report
from sentinel.left_behind import mark_loaded
from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver
from sentinel.pipeline.history import load_history
from sentinel.pipeline.report import nobody
from sentinel.settings import Settings, overlooked
from sentinel.wiring import opened

__all__ = ["collect_command", "load"]

HOME_STORE = Path()  # stands for LOG_SENTINEL_HOME/store


def collect_command(command: argparse.ArgumentParser) -> Run:
    """Arguments of `collect`."""
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="read these files, folders and globs instead, from their beginning"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _collect


def load(command: argparse.ArgumentParser) -> Run:
    """Arguments of `load`."""
    command.add_argument(
        "--from-parquet",
        nargs="?",
        type=Path,
        const=HOME_STORE,
        metavar="FOLDER",
        help="load a history of Parquet files into Elasticsearch instead (without FOLDER: LOG_SENTINEL_HOME/store)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _load


def _collect(options: argparse.Namespace, settings: Settings) -> int:
    if not options.paths and (advice := overlooked(settings)) is not None:
        print(advice, file=sys.stderr)
    with opened(settings) as sentinel, working() as show:
        watched, progress = None, nobody
        if options.paths:
            progress = show
            watched = replace(sentinel.watched, places=tuple(options.paths), begins_now=False, is_part=True)
        report = collect(sentinel, watched=watched, progress=progress)
    return print_report(report, as_json=options.json)


def _load(options: argparse.Namespace, settings: Settings) -> int:
    """Exit code 1 where the store refuses records of a history for good: the report names them."""
    is_own, begun_s = options.from_parquet == HOME_STORE, time.time()
    with opened(settings) as sentinel, working() as progress:
        if options.from_parquet is None:
            report = deliver(sentinel, progress=progress)
        else:
            folder = settings.log_sentinel_home / "store" if is_own else options.from_parquet
            report = load_history(sentinel, folder, progress=progress)
            if is_own:
                mark_loaded(settings, begun_s=begun_s)
    return print_report(report, as_json=options.json) or int(report.counts.get("refused", 0) > 0)
