"""`python -m benchmarks.formats`: the golden lines in, docs/formats.md out: each format, its example, its share."""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from sentinel.parse import Parsed, parse_lines

__all__ = ["page_of", "read_event", "wrong_fields"]

ROOT = Path(__file__).parents[1]
GOLDEN, PAGE = ROOT / "tests/parse/golden", ROOT / "docs/formats.md"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # when the golden lines are read: a year that is not written is this one
FIELDS = ("level", "source", "host", "message")
TITLES = {
    "frames": "Frames, and what stands in them",
    "applications": "Applications and their libraries",
    "json": "JSON, by the libraries that write it",
    "web": "Web servers, proxies and clouds",
    "databases": "Databases and brokers",
    "systems": "Systems",
    "daemons": "Daemons, tools and platforms",
    "devices": "Devices",
    "times": "A time, and what follows it",
}
HEAD = """# Formats

What is read, with an example of each. Written by `python -m benchmarks.formats` from the golden lines in
`tests/parse/golden`: lines written by hand in a format's shape, with the time, level, source, host and message that
they say. *Right* counts a format's golden events that are read so, to the last field. `sentinel parse FILE` names the
format of each line.

What no format is known of is read by a general reader: the time near its head in some eighty notations, levels,
loggers, threads, ids and places in code after it; what stands behind is the message. A line without all of these is
free text. Your own formats: [settings.md](settings.md#formats-of-your-own).
"""
COLUMNS = ["| format | named | right | example |", "|---|---|---|---|"]


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    names: tuple[str, ...]
    right: int
    events: int
    example: str


def read_event(text: str) -> Parsed:
    """The lines of a file that holds nothing else."""
    lines = [line.encode() for line in text.split("\n")]
    offsets = [sum(len(line) + 1 for line in lines[:row]) for row in range(len(lines))]
    columns = {"line": lines, "origin": "/var/log/app.log", "generation": "0123456789", "offset": offsets}
    return parse_lines(pl.DataFrame(columns, schema_overrides={"line": pl.Binary, "offset": pl.Int64}), now=NOW)


def wrong_fields(event: Mapping[str, Any]) -> list[str]:
    """What of a golden event is not read as it says: names of fields; `events` where it is not one record."""
    parsed = read_event(event["text"])
    if parsed.records.height != 1 or parsed.formats is None:
        return ["events"]
    record = parsed.records.row(0, named=True)
    wrong = [name for name in FIELDS if record[name] != event.get(name)]
    at = datetime.fromisoformat(f"{event['timestamp'][:26]}+00:00") if "timestamp" in event else NOW
    wrong += ["timestamp"] if record["timestamp"] != at else []
    return wrong + (["format"] if parsed.formats[0] != event["format"] else [])


def page_of(folder: Path) -> str:
    """The page for the golden lines of a folder."""
    parts = [HEAD]
    for name, title in TITLES.items():
        rows = list(_rows(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))["format"]))
        table = [
            f"| {row.title} | {', '.join(row.names)} | {row.right} of {row.events} | {row.example} |" for row in rows
        ]
        parts.append(
            "\n".join([f"## {title}\n", "| format | named | right | example |", "|---|---|---|---|", *table, ""])
        )
    return "\n".join(parts)


def _rows(formats: list[dict[str, Any]]) -> Iterator[_Row]:
    for one in formats:
        events = one["event"]
        names = tuple(dict.fromkeys(f"`{event['format']}`" for event in events))
        right = sum(not wrong_fields(event) for event in events)
        yield _Row(one["title"], names, right, len(events), _shown(events[0]["text"]))


def _shown(text: str) -> str:
    """A line as code in a table's cell."""
    plain = text.replace("\n", " ⏎ ").replace("\t", " ").replace("|", "\\|")
    return f"`` {plain} ``"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page_of(GOLDEN), encoding="utf-8")
    print(f"written to {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
