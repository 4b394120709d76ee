"""Anomalies of the spool as HTTP shows them: the record on its own, beside the verdict."""

import orjson

from sentinel.records import RECORD_SCHEMA
from sentinel.spool import Spool

__all__ = ["anomalies"]

SHOWN = ("anomaly_score", "threshold", "kind", "reasons", "template", "model_version", "confidence", "incident")


def anomalies(spool: Spool, limit: int, since_s: float | None) -> list[dict[str, object]]:
    """The newest `limit` anomalies that happened at or after Unix time `since_s`, newest first."""
    found = []
    for row in spool.anomalies(limit=limit, since_s=since_s).iter_rows(named=True):
        event = {name: row[name] for name in RECORD_SCHEMA}
        event["event_id"] = row["event"]
        event["attributes"] = orjson.loads(event["attributes"] or b"{}")
        found.append({"id": row["event_id"], "event": event, **{name: row[name] for name in SHOWN}})
    return found
