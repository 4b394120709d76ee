"""How everything is, as one object: the books, the readers, the spool, the store, the model, the last training."""

from collections import Counter
from datetime import UTC, datetime

import sentinel
from sentinel.pipeline.overview import source_books
from sentinel.pipeline.rounds import READERS, failing_since_s
from sentinel.pipeline.secrets import masked_by_kind
from sentinel.pipeline.votes import read_votes
from sentinel.records import ANOMALIES, EVENTS
from sentinel.spool import Ledger, Spool
from sentinel.store import Health
from serving.parts import Parts

__all__ = ["status"]

MAX_SOURCES = 100
MAX_FILES = 100
COLUMNS = ("received", "rejected", "accepted", "delivered", "waiting", "dead")


def status(parts: Parts, health: Health | None) -> dict[str, object]:
    """Everything `GET /status` answers. Reads the spool, so call it outside the event loop."""
    now_s = parts.clock()
    spool = parts.sentinel.spool
    events, anomalies = spool.ledger(EVENTS), spool.ledger(ANOMALIES)
    return {
        "version": sentinel.__version__,
        "started": _moment(parts.started_s),
        "uptime_s": round(now_s - parts.started_s, 1),
        "ledger": _books(events),
        "anomalies": {name: getattr(anomalies, name) for name in COLUMNS[2:]},
        "sources": source_books(events)[:MAX_SOURCES],
        "rejected_reasons": _reasons(events),
        "dead_letters": _letters(spool),
        "formats": read_votes(spool).rows(MAX_FILES),
        "masked": masked_by_kind(spool),
        "quarantined": spool.quarantined_count(),
        "spool": {
            "bytes": events.bytes,
            "max_bytes": events.max_bytes,
            "oldest_waiting_s": round(now_s - events.oldest_waiting_s, 1) if events.oldest_waiting_s else None,
        },
        "readers": _readers(parts),
        "model": _model(parts),
        "model_problem": parts.live.problem,
        "store": _store(parts, health),
        "training": {"is_busy": parts.trainer.is_busy, "last": parts.trainer.last},
    }


def _books(ledger: Ledger) -> dict[str, int]:
    return {name: getattr(ledger, name) for name in COLUMNS}


def _letters(spool: Spool) -> list[dict[str, object]]:
    """Dead letters by state and reason, the most frequent first."""
    names = ("stream", "state", "reason", "count")
    return [dict(zip(names, row, strict=True)) for row in spool.letter_counts(limit=MAX_SOURCES)]


def _reasons(ledger: Ledger) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for (_, reason), count in ledger.rejected_by.items():
        reasons[reason] += count
    return dict(reasons.most_common(MAX_SOURCES))


def _readers(parts: Parts) -> dict[str, dict[str, object]]:
    """Position and lag of each reader, and what the live one is doing."""
    spool, found = parts.sentinel.spool, dict[str, dict[str, object]]()
    for reader, stream in READERS.items():
        position, last = spool.position(reader), spool.last_sequence(stream)
        since_s = failing_since_s(spool, reader)
        found[reader] = {
            "state": parts.deliver.state,
            "position": position.sequence,
            "last": last,
            "lag": last - position.sequence,
            "attempts": position.attempts,
            "failing_since": _moment(since_s) if since_s is not None else None,
            "next_attempt": _moment(position.next_attempt_s) if position.attempts else None,
            "error": parts.deliver.error or position.error,
        }
    last = spool.last_sequence(EVENTS)
    found["detect"] = {
        "state": parts.detect.state,
        "position": parts.live.head,
        "last": last,
        "lag": max(0, last - parts.live.head),
        "scored": parts.live.scored,
        "anomalies": parts.live.flagged,
        "error": parts.detect.error,
    }
    if parts.follow is not None:
        found["follow"] = {"state": parts.follow.state, "lines": parts.follow.lines, "error": parts.follow.error}
    found["alert"] = {"state": parts.alert.state, "told": parts.alert.told, "error": parts.alert.error}
    return found


def _model(parts: Parts) -> dict[str, object] | None:
    model = parts.live.model
    if model is None:
        return None
    return {"version": model.version, "trained_at": model.trained_at, "confidence": model.confidence}


def _store(parts: Parts, health: Health | None) -> dict[str, object]:
    if health is None:
        return {"kind": parts.sentinel.store.kind, "reachable": False, "detail": "it has not answered yet"}
    return {"kind": parts.sentinel.store.kind, "reachable": health.reachable, "detail": health.detail}


def _moment(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
