"""One view of books, readers, store and model, for `status`, the server and anybody who asks whether all is well."""

from collections import Counter
from typing import Any

from sentinel.errors import ArtifactError
from sentinel.pipeline.deliver import READERS
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.rounds import failing_since_s
from sentinel.records import ANOMALIES, EVENTS
from sentinel.spool import Ledger

__all__ = ["books", "overview", "source_books"]

BOOKS = ("received", "rejected", "accepted", "delivered", "waiting", "dead")


def books(sentinel: Sentinel, stream: str = EVENTS) -> dict[str, int]:
    """The six counts of a stream, all of one moment: received = rejected + delivered + waiting + dead."""
    ledger = sentinel.spool.ledger(stream)
    return {name: getattr(ledger, name) for name in BOOKS}


def source_books(ledger: Ledger) -> list[dict[str, str | int]]:
    """The six counts of each source, those with most records first; each row balances as the whole does.

    What was rejected has no source of its own: it stands under the file or the client that it came from.
    """
    rejected = Counter[str]()
    for (origin, _), count in ledger.rejected_by.items():
        rejected[origin] += count
    rows: dict[str, dict[str, str | int]] = {
        name: {"source": name, **dict.fromkeys(BOOKS, 0)}
        for name in (*(found.source for found in ledger.by_source), *rejected)
    }
    for found in ledger.by_source:
        counts = {name: getattr(found, name) for name in ("accepted", "delivered", "waiting", "dead")}
        rows[found.source] |= {"received": found.accepted, **counts}
    for name, count in rejected.items():
        rows[name] |= {"received": int(rows[name]["accepted"]) + count, "rejected": count}
    return sorted(rows.values(), key=lambda row: (-int(row["received"]), str(row["source"])))


def overview(sentinel: Sentinel) -> dict[str, Any]:
    """All of it as JSON-able values; never raises for a store that is away or a model that cannot be read."""
    health = sentinel.store.health()
    readers = {name: sentinel.spool.position(name) for name in (*READERS, "detect")}
    last = {stream: sentinel.spool.last_sequence(stream) for stream in (EVENTS, ANOMALIES)}
    return {
        "ledger": books(sentinel),
        "anomalies": books(sentinel, ANOMALIES),
        "readers": {
            name: {
                "position": position.sequence,
                "behind": last[READERS.get(name, EVENTS)] - position.sequence,
                "attempts": position.attempts,
                "error": position.error,
                "failing_since_s": failing_since_s(sentinel.spool, name),
            }
            for name, position in readers.items()
        },
        "model": _model(sentinel),
        "store": {"kind": sentinel.store.kind, "reachable": health.reachable, "detail": health.detail},
    }


def _model(sentinel: Sentinel) -> dict[str, Any] | None:
    try:
        version = sentinel.registry.champion()
        if version is None:
            return None
        manifest = sentinel.registry.manifest(version)
    except ArtifactError as exc:
        return {"version": None, "trained_at": None, "confidence": None, "problem": str(exc)}
    return {"version": version, "trained_at": manifest.trained_at, "confidence": manifest.confidence}
