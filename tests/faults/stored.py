"""What is in the store in the end, read past the product's writing code: the fake's dump, or the Parquet files."""

import polars as pl

from tests.faults.fake_control import FakeElastic
from tests.faults.processes import Home

__all__ = ["documents"]


def documents(home: Home, fake: FakeElastic | None) -> list[list[object]]:
    """[partition or index, id, message, timestamp, level, source, host] of every event in the store."""
    if fake is not None:
        return [row for row in fake.dump() if "-events-" in str(row[0])]
    files = [path for path in (home.home / "store" / "events").rglob("*.parquet") if not path.name.startswith(".")]
    columns = ["partition", "event_id", "message", "timestamp", "level", "source", "host"]
    rows: list[list[object]] = []
    for path in files:
        rows += [list(row) for row in pl.read_parquet(path).select(columns).rows()]
    return rows
