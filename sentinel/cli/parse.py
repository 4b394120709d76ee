"""`parse`: how the lines of a log file are read, shown without keeping them."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import orjson

from sentinel.cli.commands import Run
from sentinel.cli.show import json_line, visible
from sentinel.errors import TerminalError
from sentinel.pipeline.log_files import STANDARD_INPUT, read_log_file
from sentinel.settings import Settings
from sentinel.wiring import use_reading

__all__ = ["parse"]


def parse(command: argparse.ArgumentParser) -> Run:
    """Arguments of `parse`."""
    command.add_argument("file", type=Path, metavar="FILE", help="a log file or archive; - is standard input")
    command.add_argument("--json", action="store_true", help="one record a line as JSON (the default is a short form)")
    return _parse


def _parse(options: argparse.Namespace, settings: Settings) -> int:
    """Print one record a line."""
    if options.file != STANDARD_INPUT and not options.file.exists():
        raise TerminalError(f"parse {options.file}: there is no such file")
    if options.file.is_dir():
        raise TerminalError(f"parse {options.file}: is a folder; name one file of it")
    use_reading(settings)
    for records in read_log_file(options.file, now=datetime.now(UTC), period=settings.elastic_index_period):
        for record in records.iter_rows(named=True):
            shown = {name: value for name, value in record.items() if value is not None}
            shown["attributes"] = orjson.loads(record["attributes"] or "{}")
            if options.json:
                print(json_line({**shown, "level": record["level"], "host": record["host"]}))
            else:
                at, level = f"{record['timestamp']:%Y-%m-%d %H:%M:%S}", record["level"] or "-"
                print(f"{at} {level:5} {record['source']}: {visible(record['message'])}")
    return 0
