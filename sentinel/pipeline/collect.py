"""Collect: new lines of the watched files into the spool, with the checkpoints that cover them in one commit."""

import time
from collections.abc import Callable, Iterable

from sentinel.errors import SpoolFullError
from sentinel.pipeline.collector import Collector, Gathered
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report

__all__ = ["collect", "tell"]

GAP_S = 0.03  # between two rounds, so that another collector that waits for the lease gets it
SETTLE_S = 1.05  # after so long without a change an event is over
MAX_SETTLES = 3
TOLD = 3  # paths that a note names


def collect(
    sentinel: Sentinel,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    wait_s: float = 30.0,
) -> Report:
    """Read every complete line that is new, once. A full spool pauses reading: the next run reads on."""
    started_s, total, notes, settles = clock(), Gathered(), list[str](), 0
    with Collector(sentinel.spool, sentinel.watched, period=sentinel.period, clock=clock) as collector:
        while True:
            try:
                turn = collector.round(wait_s=wait_s)
            except SpoolFullError as exc:
                notes.append(str(exc))
                break
            if turn is None:
                notes.append("another collector is at work: nothing to do here")
                break
            total.add(turn)
            if not turn.is_more and (not turn.is_held or settles == MAX_SETTLES):
                break
            settles += not turn.is_more
            sleep(GAP_S if turn.is_more else SETTLE_S)
    names = ("files", "received", "rejected", "accepted")
    details = [{"file": path, "lines": lines} for path, lines in sorted(total.rows.items())]
    return Report(
        "collect",
        {**{name: total.counts[name] for name in names}, "files": len(total.rows)},
        details,
        clock() - started_s,
        tuple(dict.fromkeys([*tell(total.problems), *notes])),
    )


def tell(problems: Iterable[tuple[str, str]]) -> list[str]:
    """What was not read, a sentence for each reason with the first paths."""
    paths: dict[str, dict[str, None]] = {}
    for path, reason in problems:
        paths.setdefault(reason, {})[path] = None
    told = []
    for reason, found in paths.items():
        more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
        told.append(f"{', '.join(list(found)[:TOLD])}{more}: {reason}")
    return told
