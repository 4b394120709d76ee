"""`python -m sentinel.stack.feed FOLDER MARKER`: a day of a small fleet that is attacked, then its lines as they come.

The day is written once for a home (MARKER says so); live lines go on with every start.
"""

import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sentinel.durable import write_file
from sentinel.simulate import append_files, fleet, sample_day

__all__ = ["feed_live", "main", "write_day"]

SEED = 20_260_105
DAY_S = 86_400.0
STEP_S = 1.0


def write_day(folder: Path, marker: Path, *, now: datetime) -> int:
    """Write the sample day unless `marker` says that it was: how many lines."""
    if marker.exists():
        return 0
    day = sample_day(seed=SEED, end=now)
    append_files(day.lines, folder)
    write_file(marker, f"{now.isoformat()} {day.lines.height} lines\n".encode())
    return day.lines.height


def feed_live(folder: Path, *, start: datetime, duration_s: float = DAY_S) -> None:
    """Append the fleet's lines when they are due, for `duration_s` seconds."""
    lines = fleet(seed=SEED, start=start, duration_s=duration_s)
    written, end_s = 0, start.timestamp() + duration_s
    while time.time() < end_s:
        due = int(lines["timestamp"].search_sorted(datetime.now(UTC), side="right"))
        if due > written:
            append_files(lines[written:due], folder)
            written = due
        time.sleep(STEP_S)


def main() -> int:
    """Feed until a signal comes."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    folder, marker = Path(sys.argv[1]), Path(sys.argv[2])
    write_day(folder, marker, now=datetime.now(UTC))
    while True:
        feed_live(folder, start=datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
