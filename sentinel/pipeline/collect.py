"""Collect: new lines of the watched folder into the spool, with the checkpoints that cover them in one commit."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from sentinel.collect import Inflaters, poll
from sentinel.errors import SpoolFullError
from sentinel.parse import parse_lines
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report

__all__ = ["collect", "count_rejected"]

CHUNK_BYTES = 3 * 1024 * 1024  # of raw lines a commit, so that none holds up an answer for long
READER = "collect"  # only a lock: two collectors take turns


def collect(sentinel: Sentinel, *, clock: Callable[[], float] = time.time, wait_s: float = 30.0) -> Report:
    """Read every complete line that is new, once. A full spool pauses reading: the next run reads on."""
    started_s, counts, rows, notes = clock(), Counter[str](), Counter[str](), list[str]()
    with sentinel.spool.lease(READER, wait_s=wait_s) as lease, Inflaters() as inflaters:
        if lease is None:
            notes.append("another collector is at work: nothing to do here")
        while lease is not None:
            try:
                read = _collect_chunk(sentinel, inflaters, clock(), counts, rows, notes)
            except SpoolFullError as exc:
                notes.append(str(exc))
                break
            if not read:
                break
    names = ("files", "received", "rejected", "accepted")
    details = [{"file": path, "lines": lines} for path, lines in sorted(rows.items())]
    return Report(
        "collect",
        {**{name: counts[name] for name in names}, "files": len(rows)},
        details,
        clock() - started_s,
        tuple(dict.fromkeys(notes)),
    )


def _collect_chunk(
    sentinel: Sentinel,
    inflaters: Inflaters,
    now_s: float,
    counts: Counter[str],
    rows: Counter[str],
    notes: list[str],
) -> bool:
    """Read, parse and commit one chunk; whether there is more to read at once."""
    spool = sentinel.spool
    collected = poll(sentinel.watched, spool.checkpoints(), now_s=now_s, max_bytes=CHUNK_BYTES, inflaters=inflaters)
    notes.extend(collected.problems)
    if collected.lines.is_empty() and not collected.checkpoints and not collected.forgotten:
        return collected.is_more
    parsed = parse_lines(collected.lines, now=datetime.fromtimestamp(now_s, UTC), period=sentinel.period)
    rejected = count_rejected(parsed.rejected, collected.lines["origin"])
    with spool.transaction() as tx:
        if parsed.records.height:
            tx.append(parsed.records)
        if rejected:
            tx.count_rejected(rejected)
        tx.put_checkpoints(collected.checkpoints)
        tx.forget_checkpoints(collected.forgotten)
    counts["rejected"] += parsed.rejected.height
    counts["accepted"] += parsed.records.height
    counts["received"] += parsed.rejected.height + parsed.records.height
    for path, lines in parsed.records["origin"].value_counts().iter_rows():
        rows[path] += lines
    return collected.is_more


def count_rejected(rejected: pl.DataFrame, origins: pl.Series) -> dict[tuple[str, str], int]:
    """How many were rejected, by (where they came from, why)."""
    if rejected.is_empty():
        return {}
    pairs = zip(origins.gather(rejected["index"]).to_list(), rejected["reason"].to_list(), strict=True)
    return dict(Counter(pairs))
