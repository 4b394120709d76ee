"""`parse`: what is recognised in each line of a log file, shown without keeping it."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from sentinel.cli.commands import Run
from sentinel.cli.show import json_line, visible
from sentinel.counted import counted
from sentinel.errors import TerminalError
from sentinel.pipeline.log_files import STANDARD_INPUT, read_log_file
from sentinel.settings import Settings
from sentinel.wiring import use_reading

__all__ = ["parse"]

LEVELS = {"trace": "dim", "debug": "dim", "info": "green", "warn": "yellow", "error": "red", "fatal": "bold red"}
TIME, SOURCE, HOST, NAME, FORMAT, MARK = "cyan", "magenta", "blue", "dim", "dim italic", "bold yellow"
MARKS = {"timestamp_unreadable", "timezone_unknown", "mark", "cut_bytes", "nul_bytes", "invalid_utf8"}
NO_TIME = "no time".ljust(23)
SHOWN_FORMATS = 8

Parts = list[tuple[str, str]]  # texts and their styles


def parse(command: argparse.ArgumentParser) -> Run:
    """Arguments of `parse`."""
    command.add_argument("file", type=Path, metavar="FILE", help="a log file or archive; - is standard input")
    command.add_argument("--json", action="store_true", help="one record a line as JSON (the default is a short form)")
    return _parse


def _parse(options: argparse.Namespace, settings: Settings) -> int:
    """Print one record a line; for people what was found of it, in colours on a terminal, and a summary at the end."""
    if options.file != STANDARD_INPUT and not options.file.exists():
        raise TerminalError(f"parse {options.file}: there is no such file")
    if options.file.is_dir():
        raise TerminalError(f"parse {options.file}: is a folder; name one file of it")
    use_reading(settings)
    counts = Counter[str]()
    show = None if options.json else _printer()
    for record in _records(options, settings):
        counts[record["format"]] += 1
        if show is None:
            print(json_line(record))
        else:
            show(_parts(record))
    if show is not None:
        print(_summary(counts), file=sys.stderr)
    return 0


def _records(options: argparse.Namespace, settings: Settings) -> Iterator[dict[str, Any]]:
    """Each record as it is shown: what is empty left out but for level and host."""
    for piece in read_log_file(options.file, now=datetime.now(UTC), period=settings.elastic_index_period):
        exact = _with_nanoseconds(piece.records["timestamp"]) if options.json else [None] * piece.records.height
        rows = zip(piece.records.iter_rows(named=True), exact, piece.formats.iter_rows(), strict=True)
        for record, time, (name, confidence) in rows:
            shown = {key: value for key, value in record.items() if value is not None}
            attributes = orjson.loads(record["attributes"] or "{}")
            kept = {"level": record["level"], "host": record["host"], "attributes": attributes}
            if time is not None:
                kept["timestamp"] = time
            yield {**shown, **kept, "format": name, "confidence": round(confidence, 3)}


def _with_nanoseconds(times: pl.Series) -> list[str | None]:
    """The times that Python's datetime would cut, in full; null for the others."""
    fine = times.dt.nanosecond() % 1000 == 0
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").set(fine, None).to_list()


def _printer() -> Callable[[Parts], None]:
    """What prints parts on a line: with colours where a terminal reads and NO_COLOR is not set, else plainly."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if console.no_color or not console.is_terminal:
        return lambda parts: print("".join(text for text, _ in parts))
    return lambda parts: console.print(Text.assemble(*parts))


def _parts(record: Mapping[str, Any]) -> Parts:
    """Time, level, source and host, message, attributes, format and confidence; later lines are indented."""
    timed = record["timestamp"] != record["received"]
    at = f"{record['timestamp']:%Y-%m-%d %H:%M:%S.%f}"[:23] if timed else NO_TIME
    level = record["level"] or "-"
    first, *rest = record["message"].split("\n")
    parts = [(at, TIME if timed else MARK), (" ", ""), (f"{level:5}", LEVELS.get(level, "dim")), (" ", "")]
    if record["host"]:
        parts += [(visible(record["host"]), HOST), (" ", "")]
    parts += [(visible(record["source"]), SOURCE), (": ", ""), (visible(first), "")]
    for name, value in record["attributes"].items():
        parts += [(f"  {visible(name)}=", MARK if name in MARKS else NAME), (visible(value), "")]
    parts.append((f"  [{record['format']} {record['confidence']:.0%}]", FORMAT))
    for line in rest:
        parts.append((f"\n    {visible(line)}", ""))
    return parts


def _summary(counts: Counter[str]) -> str:
    """How many events were read by which format, the most frequent first."""
    total = counts.total()
    if not total:
        return "no lines"
    shares = [f"{visible(name)} {count / total:.0%}" for name, count in counts.most_common(SHOWN_FORMATS)]
    more = f", and {counted(len(counts) - SHOWN_FORMATS, 'format')} more" if len(counts) > SHOWN_FORMATS else ""
    return f"{counted(total, 'event')}: {', '.join(shares)}{more}"
