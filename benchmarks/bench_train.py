"""Training: rows a second and peak memory, against TF-IDF and an Isolation Forest as a user would write it.

Sizes: 20,000 and 100,000 lines; BENCH_TRAIN_LINES=20000,100000,1000000 sets others.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fitting import WAYS
from benchmarks.lines import as_records, fleet_frame
from benchmarks.measure import Figure, pair

SIZES = [int(size) for size in os.environ.get("BENCH_TRAIN_LINES", "20000,100000").split(",")]
MILLION = 1_000_000


def run(rounds: int) -> list[Figure]:
    subprocess.run(
        [sys.executable, "-m", "sentinel.detect.learn.warm"], capture_output=True, check=True
    )  # as `make install`
    return [figure for size in SIZES for figure in _sized(size, 1 if size >= MILLION else rounds)]


def _sized(size: int, rounds: int) -> Iterator[Figure]:
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.arrow"
        as_records(fleet_frame(size)).write_ipc(file)
        for _ in range(rounds):
            for way, runs in taken.items():
                command = [sys.executable, "-m", "benchmarks.fitting", way, str(file)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                runs.append(json.loads(done.stdout))
    ours, peer, name = taken["ours"], taken["plain"], "TF-IDF + IsolationForest"
    goal, room = ("≥ 33 k", "≤ 1,500 MB") if size >= MILLION else ("", "")
    yield pair(
        f"training, {size:,} lines", "lines/s", [size / r["wall_s"] for r in ours], [size / r["wall_s"] for r in peer],
        name, goal,
    )  # fmt: skip
    yield pair("  CPU", "s", [r["cpu_s"] for r in ours], [r["cpu_s"] for r in peer], name)
    yield pair(
        "  peak memory of the process", "MB", [r["peak_mb"] for r in ours], [r["peak_mb"] for r in peer], name, room
    )
