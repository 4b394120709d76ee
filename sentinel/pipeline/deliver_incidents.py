"""Deliver incidents: what changed goes to the store under its id, the newest version wins; outside the books."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from sentinel.errors import SentinelError
from sentinel.incidents import Incident
from sentinel.spool import Spool
from sentinel.store import Store

__all__ = ["deliver_incidents", "prune_incidents"]

log = logging.getLogger(__name__)

READER = "deliver-incidents"  # a lock without a position: each incident says how far the store has it
STEP = 200


def deliver_incidents(spool: Spool, store: Store) -> str | None:
    """Offer every incident that changed since the store took it; why that failed, or None. Can be repeated."""
    with spool.lease(READER) as lease:
        if lease is None:
            return None
        while rows := spool.incidents.undelivered(STEP):
            try:
                store.put_incidents([(row.id, row.version, _document(row.content)) for row in rows])
            except SentinelError as exc:
                log.warning("postponed incidents=%d error=%s", len(rows), exc)
                return str(exc)
            spool.incidents.note_delivered(rows)
    return None


def _document(content: bytes) -> dict[str, Any]:
    return Incident.from_json(orjson.loads(content)).shown()


def prune_incidents(store: Store, retention_days: int, now_s: float) -> int:
    """Delete the store's incidents past their days; how many. Raises as `Store.prune_incidents`."""
    if not retention_days:
        return 0
    return store.prune_incidents(datetime.fromtimestamp(now_s, UTC) - timedelta(days=retention_days))
