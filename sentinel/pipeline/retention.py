"""Retention: which partitions are past their days, and deleting them; never the one that is being written to."""

import logging
from datetime import UTC, datetime, timedelta

import msgspec

from sentinel.errors import SentinelError
from sentinel.pipeline.deliver_incidents import prune_incidents
from sentinel.pipeline.parts import Sentinel

__all__ = ["oldest_partition", "prune_store"]

log = logging.getLogger(__name__)

LOOK = "retention"
LEAP_S = 2 * 86_400.0
STEADY_S = 86_400.0
NOTED_EVERY_S = 3_600.0


class _Look(msgspec.Struct, frozen=True):
    """What the clock said when retention was last looked at, and since when it has gone steadily."""

    seen_s: float
    steady_since_s: float = 0.0


def oldest_partition(period: str, retention_days: int, now: datetime) -> str | None:
    """The first partition that is kept; None where all are. It is never later than the one of `now`.

    >>> oldest_partition("month", 30, datetime(2026, 3, 2))
    '2026.01'
    """
    if not retention_days or period == "none":
        return None
    oldest = now - timedelta(days=retention_days)
    return f"{oldest:%Y.%m}" if period == "month" else f"{oldest:%Y.%m.%d}"


def prune_store(sentinel: Sentinel, now_s: float) -> tuple[list[str], tuple[str, ...]]:
    """Delete the store's partitions past ELASTIC_RETENTION_DAYS: which went, and remarks on why some did not.

    A store that refuses stops nothing else. After the clock has leapt ahead nothing is deleted for a day: a clock that
    is wrong must not cost a history.
    """
    before = oldest_partition(sentinel.period, sentinel.retention_days, datetime.fromtimestamp(now_s, UTC))
    if before is None:
        return [], ()
    look = _look(sentinel, now_s)
    left_s = look.steady_since_s + STEADY_S - now_s
    if left_s > 0:
        return [], (f"the clock has leapt ahead: old partitions are deleted in {left_s / 3600:.1f} h, if it is right",)
    try:
        prune_incidents(sentinel.store, sentinel.retention_days, now_s)
        deleted = sentinel.store.prune(before)
    except SentinelError as exc:
        log.warning("not pruned before=%s error=%s", before, exc)
        return [], (f"partitions before {before} are not deleted: {exc}",)
    return deleted, tuple(f"deleted {partition}" for partition in deleted)


def _look(sentinel: Sentinel, now_s: float) -> _Look:
    """This look at the clock, beside the last one; noted now and then, so that an idle run writes nothing."""
    kept = sentinel.spool.blob(LOOK)
    last = msgspec.json.decode(kept, type=_Look) if kept else _Look(now_s)
    has_leapt = now_s - last.seen_s > LEAP_S
    look = _Look(now_s, now_s if has_leapt else min(last.steady_since_s, now_s))
    if kept is None or has_leapt or abs(now_s - last.seen_s) > NOTED_EVERY_S:
        with sentinel.spool.transaction() as tx:
            tx.put_blob(LOOK, msgspec.json.encode(look))
    return look
