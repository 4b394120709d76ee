"""Days on which nobody attacks and something is new: a release, a nightly job, a Monday, a failure that stays."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime

import polars as pl

from sentinel.simulate.clock import DAY_S, Row, Span, arrivals, dice, ticks
from sentinel.simulate.fleet import fleet, frame_of

__all__ = ["CHANGES", "change_days"]

BACKGROUND = ("ssh", "cron", "system", "database", "orders")
RELEASES = (("2.14.3-rc1", "2.15.0"), ("v7.0.1", "v7.1.0"), ("release-41b", "release-42"), ("2026.11a", "2026.12"),
            ("1.9.0-SNAPSHOT", "1.9.1"), ("b8817", "b8820"))  # fmt: skip
SHOP = (
    "{v} order {n} booked in {m} ms", "{v} cart of guest {n} opened", "{v} price list read, {n} rows",
    "{v} page /item/{n} shown in {m} ms", "{v} stock of item {n} is {m}", "{v} letter {n} queued",
)  # fmt: skip
NIGHTLY_FAILURES = (
    "volume {k}: first copy failed, second copy was taken", "could not lock table of day {k}, will use the copy",
    "rsync error: some files vanished before they could be transferred (code 24)", "ledger {k}: check failed, repaired",
)  # fmt: skip
TIMEOUTS = (
    "call to ledger {n} timed out after 3000 ms, tried again", "connection to cache {n} reset by peer",
    "upstream geo {n} timeout, default used", "failed to fetch avatar {n}, placeholder shown",
)  # fmt: skip
BATCH = (
    "batch {k} started", "month {m} of ledger {n} summed up", "statement {n} printed to archive, {m} pages",
    "index of year {m} rebuilt", "batch {k} wrote {n} rows", "batch {k} done in {m} s",
)  # fmt: skip
WEEKDAY = (
    "timesheet {n} handed in", "import of bank file {n}, {m} rows", "approval {n} sent to desk {m}",
    "meeting room {m} booked", "export to tax office: {n} rows", "phone call {n} took {m} s",
)  # fmt: skip
NEWS = (
    "theme of winter loaded, {n} pictures", "guest {n} was shown the new tour", "hint {m} closed by guest {n}",
    "voucher {n} looked up", "map tile {n} drawn in {m} ms", "chat {n} opened", "wish list {n} shared",
    "poll {m} answered by guest {n}",
)  # fmt: skip


def _row(rng: random.Random, at_s: float, source: str, text: str, version: str = "") -> Row:
    values = {"n": rng.randint(1_000, 99_999), "m": rng.randint(3, 400), "k": rng.randint(1, 9), "v": version}
    return at_s, "info", source, "app-2", text.format(**values)


def _release(rng: random.Random, span: Span) -> Iterator[Row]:
    """An application whose every line holds its release; the next one runs from the second noon on."""
    before, after = rng.choice(RELEASES)
    for at_s in arrivals(rng, span, 6_000.0, depth=0.5):
        released = at_s >= span.start_s + 1.5 * DAY_S
        yield _row(rng, at_s, "shop", rng.choice(SHOP), after if released else before)


def _nightly_failure(rng: random.Random, span: Span) -> Iterator[Row]:
    """A line that reads as a failure comes once a night from the second night on, and nobody minds."""
    text, at_s = rng.choice(NIGHTLY_FAILURES), span.start_s + DAY_S + 7_800.0
    while at_s < span.end_s:
        yield _row(rng, at_s + rng.uniform(-300.0, 300.0), "backup", text)
        at_s += DAY_S


def _timeouts(rng: random.Random, span: Span) -> Iterator[Row]:
    """From the second noon on one line in some five hundred tells of a time-out that was got over."""
    text = rng.choice(TIMEOUTS)
    for at_s in arrivals(rng, Span(span.start_s + 1.5 * DAY_S, span.end_s), 60.0, depth=0.3):
        yield _row(rng, at_s, "front", text)


def _batch(rng: random.Random, span: Span) -> Iterator[Row]:
    """Each night at one some seven hundred lines come within ten minutes; training knows one such night."""
    at_s = span.start_s + 3_600.0
    while at_s < span.end_s:
        begin_s = at_s + rng.uniform(0.0, 60.0)
        yield _row(rng, begin_s, "ledger", BATCH[0])
        for i in range(rng.randint(650, 750)):
            yield _row(rng, begin_s + 2.0 + 0.8 * i + rng.uniform(0.0, 0.7), "ledger", rng.choice(BATCH[1:5]))
        yield _row(rng, begin_s + 620.0, "ledger", BATCH[5])
        at_s += DAY_S


def _weekend(rng: random.Random, span: Span) -> Iterator[Row]:
    """Two days at a tenth of the pace, then working days with work that no weekend knows."""
    monday_s = span.start_s + 2 * DAY_S
    for at_s in arrivals(rng, span, 9_000.0, depth=0.8):
        if at_s >= monday_s or rng.random() < 0.1:
            yield _row(rng, at_s, "shop", rng.choice(SHOP), "")
    for at_s in arrivals(rng, Span(monday_s, span.end_s), 1_500.0, depth=0.95):
        yield _row(rng, at_s, "office", rng.choice(WEEKDAY))


def _news(rng: random.Random, span: Span) -> Iterator[Row]:
    """Eight harmless new texts begin in the second half of the second day, and go on coming."""
    for k, text in enumerate(NEWS):
        begin_s = span.start_s + 1.5 * DAY_S + 4_000.0 * k
        for at_s in ticks(
            rng, Span(begin_s, min(begin_s + 4 * 3_600.0, span.end_s)), rng.choice((20.0, 45.0, 90.0)), jitter_s=15.0
        ):
            yield _row(rng, at_s, "front", text)


CHANGES: dict[str, tuple[Callable[[random.Random, Span], Iterator[Row]], int, int]] = {
    "release": (_release, 1, 2),
    "nightly failure": (_nightly_failure, 1, 6),
    "time-outs": (_timeouts, 1, 2),
    "nightly batch": (_batch, 1, 4),
    "weekend": (_weekend, 2, 2),
    "new texts": (_news, 1, 2),
}
"""What happens, how many days teach, and how many are judged."""


def change_days(name: str, *, seed: int, start: datetime) -> pl.DataFrame:
    """LINE_SCHEMA with `is_change`: the lines of a small fleet and of one change, from midnight `start` on."""
    make, taught, judged = CHANGES[name]
    span = Span(start.timestamp(), start.timestamp() + (taught + judged) * DAY_S)
    base = fleet(seed=seed, start=start, duration_s=span.length_s, services=BACKGROUND)
    own = frame_of(row for row in make(dice(seed, "change", name), span) if row[0] in span)
    both = pl.concat([base.with_columns(is_change=False), own.with_columns(is_change=True)])
    return both.sort("timestamp", maintain_order=True)
