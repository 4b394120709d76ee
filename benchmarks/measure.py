"""Pairs of measurements: ours and the peer in turn, the ratio pair by pair, with median and spread."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class Skipped(Exception):  # noqa: N818 a skip is no error
    """A peer or a server is absent; the message names it."""


@dataclass(frozen=True)
class Figure:
    """One row of the table: medians of both sides and the ratios ours/peer of each pair (min, median, max)."""

    what: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    ratios: tuple[float, float, float] | None = None
    goal: str = ""

    def line(self) -> str:
        text = f"{self.what:58} {self.ours:>12,.1f} {self.unit:14}"
        if self.peer is not None and self.ratios is not None:
            low, middle, high = self.ratios
            text += f" | {self.peer_name} {self.peer:,.1f} | ratio {middle:.3g} ({low:.3g}–{high:.3g})"
        return text + (f" | goal {self.goal}" if self.goal else "")

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call (CPU of this process, all threads)."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def cpu_s_of(pid: int) -> float:
    """CPU seconds that another process has used until now, as proc(5) counts them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pair(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    goal: str = "",
) -> Figure:
    """A figure from values taken in turn."""
    ratios = sorted(a / b for a, b in zip(ours, peer, strict=True))
    return Figure(
        what,
        unit,
        statistics.median(ours),
        statistics.median(peer),
        peer_name,
        (ratios[0], statistics.median(ratios), ratios[-1]),
        goal,
    )


def alone(what: str, unit: str, ours: Sequence[float], goal: str = "") -> Figure:
    """A figure without a peer."""
    return Figure(what, unit, statistics.median(ours), goal=goal)
