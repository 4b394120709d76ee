"""Settle incidents: what was muted until now is open again, what has been quiet long enough is resolved."""

from sentinel.incidents import Incident
from sentinel.pipeline.feedback import end_mutes
from sentinel.pipeline.incidents import resolve_quiet
from sentinel.spool import Spool

__all__ = ["settle"]


def settle(spool: Spool, now_s: float) -> list[Incident]:
    """Those that are resolved now. Can be repeated, also by several processes."""
    end_mutes(spool, now_s)
    return resolve_quiet(spool, now_s)
