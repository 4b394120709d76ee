"""Scheduled jobs: a sync every quarter of an hour, a report every hour, a backup every night."""

import random
from collections.abc import Iterator

from sentinel.simulate.clock import DAY_S, Row, ticks
from sentinel.simulate.world import World

__all__ = ["jobs"]

BACKUP_STEPS = (
    "backup {run} started: target=vault-2 mode=incremental", "backup {run}: snapshot taken in {ms} ms",
    "backup {run}: dumped database shop, {mb} MB", "backup {run}: archived /srv/media, {files} files",
    "backup {run}: uploaded {mb} MB in {s} s", "backup {run}: verified checksum", "backup {run} finished",
)  # fmt: skip


def jobs(rng: random.Random, world: World) -> Iterator[Row]:
    """Each job says that it begins, what it did and that it ended."""
    for run, at_s in enumerate(ticks(rng, world.span, 900.0, jitter_s=4.0)):
        took_s = rng.uniform(4, 20)
        yield at_s, "info", "stock-sync", "batch-1", f"sync run {4000 + run} started"
        changed = f"sync run {4000 + run}: {rng.randint(0, 60)} of 1943 items changed"
        yield at_s + took_s, "info", "stock-sync", "batch-1", changed
        yield at_s + took_s + 0.1, "info", "stock-sync", "batch-1", f"sync run {4000 + run} finished"
    for at_s in ticks(rng, world.span, 3600.0, jitter_s=10.0):
        yield at_s, "info", "reports", "batch-1", "building hourly report"
        built = f"hourly report built: {rng.randint(20, 160)} rows, {rng.uniform(0.8, 4.0):.1f} s"
        yield at_s + 4.0, "info", "reports", "batch-1", built
    night_s = world.span.start_s - world.span.start_s % DAY_S + 2.5 * 3600
    while night_s < world.span.end_s:
        if night_s in world.span:
            yield from _backup(rng, night_s)
        night_s += DAY_S


def _backup(rng: random.Random, at_s: float) -> Iterator[Row]:
    fields = {"run": int(at_s // DAY_S), "ms": rng.randint(300, 900), "mb": rng.randint(2100, 2500),
              "files": rng.randint(8100, 8400), "s": rng.randint(60, 140)}  # fmt: skip
    for text in BACKUP_STEPS:
        yield at_s, "info", "backup", "batch-1", text.format(**fields)
        at_s += rng.uniform(5, 90)
