"""Store: records in, an outcome for each; frames back. Elasticsearch, Parquet files and memory keep one contract."""

from pathlib import Path

from sentinel.store.digests import ID_CONFLICT
from sentinel.store.memory import MemoryStore
from sentinel.store.parquet import ParquetStore
from sentinel.store.store import Health, Inspection, Outcome, Search, Selection, Store

__all__ = [
    "ID_CONFLICT",
    "Health",
    "Inspection",
    "MemoryStore",
    "Outcome",
    "ParquetStore",
    "Search",
    "Selection",
    "Store",
    "open_store",
]


def open_store(
    *,
    addr: str | None,
    index: str,
    folder: Path,
    api_key: str | None = None,
    user: str | None = None,
    password: str | None = None,
    ca_file: Path | None = None,
    fingerprint: str | None = None,
    retention_days: int = 0,
    period: str = "month",
) -> Store:
    """Elasticsearch where `addr` is given, else Parquet files in `folder`. Nothing is sent yet.

    `retention_days` (0: for ever) and the `period` of partitions are for a cluster that deletes old indices by itself.

    Raises SettingsError for an unusable address or an unsafe use of credentials.
    """
    if not addr:
        return ParquetStore(folder)
    from sentinel.store.connection import connect
    from sentinel.store.elastic import ElasticStore

    client = connect(addr, api_key=api_key, user=user, password=password, ca_file=ca_file, fingerprint=fingerprint)
    return ElasticStore(client, index, retention_days=retention_days, period=period)
