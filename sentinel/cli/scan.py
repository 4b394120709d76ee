"""`scan`: from raw log files to explained incidents, with nothing set up and nothing kept."""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.cli.commands import Run
from sentinel.cli.progress import working
from sentinel.cli.show import PAINT, print_json, visible
from sentinel.counted import counted
from sentinel.moments import moment
from sentinel.settings import Settings

if TYPE_CHECKING:
    from sentinel.incidents import Incident
    from sentinel.pipeline.scan import Scanned

__all__ = ["scan_command"]

EXAMPLE = """examples:
  sentinel scan /var/log/auth.log /var/log/auth.log.1.gz
  journalctl --since today | sentinel scan -
  sentinel scan today.log --baseline yesterday.log --html report.html

exit code: 0 nothing of severity high or critical, 1 something, 2 wrong use"""
ALARMING = {"high", "critical"}
BARS = "▁▂▃▄▅▆▇█"
SHOWN = 50
MAX_LINE = 160


def scan_command(command: argparse.ArgumentParser) -> Run:
    """Arguments of `scan`."""
    command.epilog, command.formatter_class = EXAMPLE, argparse.RawDescriptionHelpFormatter
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="log files or archives; - is standard input"
    )
    command.add_argument(
        "--baseline", action="append", default=[], type=Path, metavar="GOOD.log", help="learn from this"
    )
    command.add_argument(
        "--since", type=moment, metavar="TIME", help="show only incidents from this time (ISO 8601) on"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--html", type=Path, metavar="REPORT.html", help="write one self-contained page, too")
    return _scan


def _scan(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.scan import scan
    from sentinel.wiring import use_reading

    use_reading(settings)
    with working() as progress:
        found = scan(
            options.files, now=datetime.now(UTC), baseline=options.baseline, since=options.since, progress=progress
        )
    if options.json:
        _print_json(found)
    else:
        _print(found)
    if options.html is not None:
        options.html.write_text(_page(found, options.files), encoding="utf-8")
        print(f"written to {options.html}", file=sys.stderr)
    return int(any(incident.severity in ALARMING for incident in found.incidents))


def _print_json(found: "Scanned") -> None:
    print_json(
        {
            "incidents": [incident.shown() for incident in found.incidents],
            "lines": found.lines,
            "learnt": found.learnt,
            "anomalies": found.anomalies,
            "since": found.since,
            "until": found.until,
            "notes": list(found.notes),
        }
    )


def _print(found: "Scanned") -> None:
    """Incidents, the worst first; colours where a terminal reads and NO_COLOR is not set."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for incident in found.incidents[:SHOWN]:
        head = Text(f"{incident.severity:8} ", style=PAINT[incident.severity]).append(
            visible(incident.title), style="bold"
        )
        console.print(head)
        console.print(Text(f"         {_when(incident)}  {spark(incident.trend.counts)}", style="dim"))
        for reason in incident.reasons[:3]:
            console.print(Text(f"         · {visible(reason)}"))
        if normal := incident.explanation.get("normal"):
            console.print(Text(f"         would be normal: {visible('; or '.join(normal))}", style="dim"))
        for record in incident.sample[:3]:
            line = visible(str(record["message"]).partition("\n")[0])
            console.print(Text(f"         {_where(record)}: {line[:MAX_LINE]}", style="dim"))
        console.print()
    if len(found.incidents) > SHOWN:
        console.print(f"{len(found.incidents) - SHOWN} more; --json shows all")
    span = f", {_shown(found.since)} to {_shown(found.until)}" if found.since else ""
    told = f"{counted(len(found.incidents), 'incident')}, {counted(found.anomalies, 'strange line')}"
    console.print(f"{counted(found.lines, 'line')}{span}: {told}")
    for note in found.notes:
        console.print(Text(f"note: {visible(note)}", style="dim"))


def _where(record: Mapping[str, Any]) -> str:
    """File and line; of a session as a whole, which stands in no line, the line that it ends with."""
    from sentinel.detect.sessions.watch import ORIGIN

    if record["origin"] != ORIGIN:
        return f"{record['origin']}:{int(record['event_id'])}"
    last = record["attributes"]["last_event"]
    return f"until line {int(last)}" if last else "in no line"


def spark(counts: tuple[int, ...]) -> str:
    """Counts as bars, the largest the highest.

    >>> spark((0, 1, 8))
    '▁▁█'
    """
    top = max(counts, default=0) or 1
    return "".join(BARS[min(len(BARS) - 1, count * len(BARS) // (top + 1))] for count in counts)


def _when(incident: "Incident") -> str:
    first, last = (datetime.fromtimestamp(at_s, UTC) for at_s in (incident.first_s, incident.last_s))
    return _shown(first) if last == first else f"{_shown(first)} to {_shown(last)}"


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _page(found: "Scanned", files: list[Path]) -> str:
    """The report as one page: styles and pictures inside, no script, nothing asked of the network."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(loader=PackageLoader("sentinel.cli"), autoescape=True, undefined=StrictUndefined)
    rows = [
        {
            **incident.shown(),
            "when": _when(incident),
            "points": _points(incident.trend.counts),
            "normal": "; or ".join(incident.explanation.get("normal", ())),
            "nearest": visible(((incident.explanation.get("nearest") or {}).get("template") or "")[:500]),
            "lines_shown": [(_where(record), visible(str(record["message"])[:2_000])) for record in incident.sample],
        }
        for incident in found.incidents
    ]
    span = (_shown(found.since), _shown(found.until))
    return made.get_template("scan.html").render(found=found, rows=rows, files=[str(path) for path in files], span=span)


def _points(counts: tuple[int, ...], width: int = 160, height: int = 36) -> str:
    top, step = max(counts, default=0) or 1, width / max(len(counts) - 1, 1)
    return " ".join(f"{n * step:.4g},{height - 1 - count / top * (height - 2):.4g}" for n, count in enumerate(counts))
