"""Records of this moment, for homes to fill."""

from datetime import UTC, datetime

import polars as pl

from sentinel.records import RECORD_SCHEMA

NOW = datetime.now(UTC)


def records(texts: list[str], *, first: int = 0, source: str = "shop", partition: str = "2026.11") -> pl.DataFrame:
    """One record a text."""
    moments = {"timestamp": NOW, "received": NOW, "partition": partition, "source": source}
    rows = [{"event_id": f"{first + n:022d}", "message": text, **moments} for n, text in enumerate(texts)]
    return pl.DataFrame(rows, schema=RECORD_SCHEMA)
