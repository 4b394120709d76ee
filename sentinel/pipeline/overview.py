"""One view of books, readers, store and model, for `status`, the server and anybody who asks whether all is well."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sentinel.errors import ArtifactError
from sentinel.pipeline.rounds import READERS, failing_since_s
from sentinel.spool import Ledger, Spool
from sentinel.streams import ANOMALIES, EVENTS

if TYPE_CHECKING:
    from sentinel.detect.models.in_service import InService
    from sentinel.store import Health

__all__ = ["books", "overview", "source_books"]

BOOKS = ("received", "rejected", "accepted", "delivered", "waiting", "dead")


def books(spool: Spool, stream: str = EVENTS) -> dict[str, int]:
    """The six counts of a stream, all of one moment: received = rejected + delivered + waiting + dead."""
    ledger = spool.ledger(stream)
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


def overview(spool: Spool, models: "Callable[[], InService]", kind: str, health: "Health") -> dict[str, Any]:
    """All of it as JSON-able values; never raises for a store that is away or a model that cannot be read."""
    readers = {name: spool.position(name) for name in (*READERS, "detect")}
    last = {stream: spool.last_sequence(stream) for stream in (EVENTS, ANOMALIES)}
    return {
        "ledger": books(spool),
        "anomalies": books(spool, ANOMALIES),
        "readers": {
            name: {
                "position": position.sequence,
                "behind": last[READERS.get(name, EVENTS)] - position.sequence,
                "attempts": position.attempts,
                "error": position.error,
                "failing_since_s": failing_since_s(spool, name),
            }
            for name, position in readers.items()
        },
        "model": _model(models),
        "store": {"kind": kind, "reachable": health.reachable, "detail": health.detail},
    }


def _model(models: "Callable[[], InService]") -> dict[str, Any] | None:
    try:
        registry = models()
        version = registry.champion()
        if version is None:
            return None
        manifest = registry.manifest(version)
    except ArtifactError as exc:
        return {"version": None, "trained_at": None, "confidence": None, "problem": str(exc)}
    return {"version": version, "trained_at": manifest.trained_at, "confidence": manifest.confidence}
