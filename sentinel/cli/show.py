"""Answers for people and for programs: aligned tables, in colours on a terminal, or one JSON value a line."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from sentinel.pipeline.report import Report

__all__ = [
    "PAINT",
    "json_line",
    "print_json",
    "print_record",
    "print_report",
    "print_table",
    "record_number",
    "visible",
]

MAX_NUMBER = 2**63 - 1
PAINT = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "open": "bold",
    "resolved": "green",
    "muted": "dim",
    "dead": "red",
    "waiting": "yellow",
    "delivered": "green",
}
"""How a word that stands alone in a cell is shown on a terminal."""


def record_number(text: str) -> int:
    """A number that a record may have. Raises ValueError, which the parser of arguments tells."""
    number = int(text)
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError(text)
    return number


def visible(value: object) -> str:
    """A value as one line of text, control characters escaped, so that no log line can steer the terminal."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def json_line(value: object) -> str:
    """One JSON value without line breaks; times as ISO 8601 in UTC."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY, default=str).decode()


def print_json(value: object) -> None:
    """Print one JSON value on a line of its own."""
    print(json_line(value))


def print_table(rows: Sequence[Mapping[str, object]], *, head: bool = True) -> None:
    """Print rows, under their column names with `head`; nothing for no rows. A terminal gets colours, folded cells."""
    if not rows:
        return
    names = list(rows[0])
    cells = [[visible(row.get(name)) for name in names] for row in rows]
    if sys.stdout.isatty():
        _print_painted(names, cells, head=head)
        return
    widths = [max(len(name) if head else 0, *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    for line in [names, *cells] if head else cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_painted(names: Sequence[str], cells: Sequence[Sequence[str]], *, head: bool) -> None:
    """The same for a terminal. Rich leaves the colours out where NO_COLOR is set or the terminal has none."""
    from rich.console import Console  # a twentieth of a second, for who looks alone
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=head, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(names):
        is_last = place == len(names) - 1
        table.add_column(name, overflow="fold" if is_last else "ellipsis", no_wrap=not is_last)
    for line in cells:
        table.add_row(*(Text(cell, style=PAINT.get(cell, "")) for cell in line))
    Console(highlight=False).print(table)


def print_record(record: Mapping[str, object], indent: str = "") -> None:
    """Print one name and value a line, what is empty left out; records within are indented."""
    shown = {name: value for name, value in record.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        if isinstance(value, Mapping):
            print(f"{indent}{name}")
            print_record(value, indent + "  ")
        else:
            print(f"{indent}{name.ljust(width)}  {visible(value)}")


def print_report(report: Report, *, as_json: bool) -> int:
    """Print what a verb did; always exit code 0, since nothing to do is no failure."""
    if as_json:
        print_json({"verb": report.verb, **report.counts, "rows": list(report.rows), "notes": list(report.notes)})
    else:
        print_table(list(report.rows))
        print(report.summary())
    return 0
