"""Collect: new lines of the watched files into the spool, with the checkpoints that cover them in one commit."""

import time
from collections.abc import Callable, Iterable

from sentinel.collect import Watched
from sentinel.errors import SpoolFullError
from sentinel.pipeline.collector import ROUND_S, Collector, Gathered
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Progress, Report, nobody

__all__ = ["collect", "tell"]

GAP_S = 0.03  # between two rounds, so that another collector that waits for the lease gets it
SETTLE_S = 1.05  # after so long without a change an event is over
MAX_SETTLES = 3
FULL_S = 1.0  # between two looks whether a full spool has room again
FULL_PATIENCE = 30  # looks in a row
SHORT_ROUND_S = 0.25  # where somebody watches
TOLD = 3  # paths that a note names


def collect(
    sentinel: Sentinel,
    *,
    watched: Watched | None = None,
    progress: Progress = nobody,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    wait_s: float = 30.0,
) -> Report:
    """Read every complete line that is new, once, of what the settings or `watched` name. A full spool pauses reading:
    the next run reads on; with `watched` this one does, as long as somebody delivers."""
    started_s, total, notes = clock(), Gathered(), list[str]()
    with Collector(sentinel.spool, watched or sentinel.watched, period=sentinel.period, clock=clock) as collector:
        run = _Run(collector, total, sleep, progress, patience=FULL_PATIENCE if watched else 0)
        try:
            if not run.read(wait_s):
                notes.append("another collector is at work: nothing to do here")
        except SpoolFullError as exc:
            notes.append(str(exc))
    names = ("files", "received", "rejected", "accepted")
    details = [{"file": path, "lines": lines} for path, lines in sorted(total.rows.items())]
    return Report(
        "collect",
        {**{name: total.counts[name] for name in names}, "files": len(total.rows)},
        details,
        clock() - started_s,
        tuple(dict.fromkeys([*tell(total.problems), *map(str, total.changes), *notes])),
    )


class _Run:
    """Rounds until nothing is left."""

    def __init__(
        self,
        collector: Collector,
        total: Gathered,
        sleep: Callable[[float], None],
        progress: Progress,
        *,
        patience: int,
    ) -> None:
        self._collector, self._total, self._sleep, self._progress = collector, total, sleep, progress
        self._patience, self._is_watched = patience, progress is not nobody
        self._gap_s = time.monotonic()

    def read(self, wait_s: float) -> bool:
        """Read all there is; False where another collector kept the lease for `wait_s` seconds."""
        settles = 0
        while True:
            turn = self._round(wait_s)
            if turn is None:
                return False
            self._total.add(turn)
            if self._is_watched:
                counts, left = self._total.counts, self._collector.left_bytes()
                self._progress("reading", counts["bytes"], counts["bytes"] + left, counts["received"])
            if not turn.is_more and (not turn.is_held or settles == MAX_SETTLES):
                return True
            settles += not turn.is_more
            self._pause(is_over=not turn.is_more)

    def _round(self, wait_s: float) -> Gathered | None:
        """One round; a full spool is waited for while there is patience. Raises SpoolFullError."""
        for looks in range(self._patience + 1):
            try:
                return self._collector.round(wait_s=wait_s, max_s=SHORT_ROUND_S if self._is_watched else ROUND_S)
            except SpoolFullError:
                if looks == self._patience:
                    raise
                self._sleep(FULL_S)
        raise AssertionError("a round ends or raises")

    def _pause(self, *, is_over: bool) -> None:
        """Let a file fall silent, or another collector in."""
        if is_over:
            self._sleep(SETTLE_S)
        elif time.monotonic() - self._gap_s >= ROUND_S:
            self._sleep(GAP_S)
            self._gap_s = time.monotonic()


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
