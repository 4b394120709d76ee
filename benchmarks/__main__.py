"""`python -m benchmarks [NAME …]`: run the benchmarks, print a table, write benchmarks/results/<time>.json."""

import argparse
import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Figure, Skipped

NAMES = ("parse", "elastic", "rsyslog", "follow", "http", "predict", "page", "score", "train", "analyst")
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; all, if left out")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each pair, ours and the peer in turn")
    options = parser.parse_args()
    figures: list[Figure] = []
    for name in options.names or NAMES:
        try:
            found = importlib.import_module(f"benchmarks.bench_{name}").run(options.rounds)
        except Skipped as exc:
            print(f"{name}: skipped, {exc}", flush=True)
            continue
        for figure in found:
            print(figure.line(), flush=True)
        figures += found
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y%m%dT%H%M%S}.json"
    path.write_text(json.dumps({"at": now.isoformat(), **machine, "figures": [f.as_dict() for f in figures]}, indent=1))
    print(f"written to {path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
