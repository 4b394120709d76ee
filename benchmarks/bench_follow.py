"""How long a line takes from a file to a verdict, and what quiet files cost: our server over 200 files."""

import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np

from benchmarks.measure import Figure, alone, cpu_s_of
from benchmarks.servers import our_server
from sentinel.records import EVENTS
from sentinel.spool import Spool

FILES, LINES_A_SECOND, SECONDS = 200, 2_000, 15
SAMPLE_S = 0.02
PATIENCE_S = 60.0
SETTLE_S, QUIET_S = 10.0, 30.0  # after the last line what it started ends; then nothing happens


def run(rounds: int) -> list[Figure]:
    found = [_round() for _ in range(rounds)]
    what = f"file → looked at by detect, {FILES} files, {LINES_A_SECOND:,} lines/s"
    return [
        *(
            alone(f"{what}, p{share}", "ms", [float(np.percentile(late, share)) * 1e3 for late, _ in found], goal)
            for share, goal in ((50, ""), (99, "≤ 2,000 ms"))
        ),
        alone(f"CPU of the server while {FILES} files are quiet", "% of a core", [s * 100 for _, s in found], "≤ 1"),
    ]


def _round() -> tuple[np.ndarray, float]:
    """Seconds from the writing of each line until the detector had passed it; then the share of a core when quiet."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "in").mkdir()
        with our_server(home) as url:
            seen, ended = list[tuple[float, int]](), threading.Event()
            sampler = threading.Thread(target=_sample, args=(url, seen, ended))
            sampler.start()
            total = _write(home / "in")
            deadline = time.time() + PATIENCE_S
            while (not seen or seen[-1][1] < total) and time.time() < deadline:
                time.sleep(SAMPLE_S)
            ended.set()
            sampler.join()
            share = _quiet_share()
        with Spool.open(home / "spool") as spool:
            messages = [text for frame in spool.export(EVENTS) for text in frame["message"]]
    if len(messages) != total:
        raise RuntimeError(f"{len(messages)} of {total} lines arrived")
    written_s = np.array([float(text.split()[1]) for text in messages])
    times, positions = np.array(seen).T
    return times[np.searchsorted(positions, np.arange(1, total + 1))] - written_s, share


def _quiet_share() -> float:
    """What the server, the one process that this thread started, uses of a core while nothing is written or asked."""
    (server,) = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    time.sleep(SETTLE_S)
    before_s = cpu_s_of(int(server))
    time.sleep(QUIET_S)
    return (cpu_s_of(int(server)) - before_s) / QUIET_S


def _write(folder: Path) -> int:
    """Write at an even pace; how many lines that were."""
    files = [(folder / f"app-{number}.log").open("a", buffering=1) for number in range(FILES)]
    started_s, total = time.time(), 0
    while (passed_s := time.time() - started_s) < SECONDS:
        while total < passed_s * LINES_A_SECOND:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            files[total % FILES].write(f"{stamp} INFO order {time.time():.6f} booked\n")
            total += 1
        time.sleep(0.002)
    for file in files:
        file.close()
    return total


def _sample(url: str, seen: list[tuple[float, int]], ended: threading.Event) -> None:
    with httpx.Client(base_url=url, timeout=30) as client:
        while not ended.is_set():
            position = client.get("/status").json()["readers"]["detect"]["position"]
            seen.append((time.time(), position))
            ended.wait(SAMPLE_S)
