"""Store: records in, an outcome for each; frames back. Elasticsearch, Parquet files and memory keep one contract."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.store.health import Health, cluster_health, folder_health

if TYPE_CHECKING:
    from sentinel.store.digests import ID_CONFLICT
    from sentinel.store.memory import MemoryStore
    from sentinel.store.parquet import ParquetStore
    from sentinel.store.store import Inspection, Outcome, Search, Selection, Store

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
    "ask_store",
    "open_store",
]

_HOMES = {
    "ID_CONFLICT": "digests",
    "MemoryStore": "memory",
    "ParquetStore": "parquet",
    **dict.fromkeys(("Inspection", "Outcome", "Search", "Selection", "Store"), "store"),
}


def __getattr__(name: str) -> Any:
    """A name of `__all__` that needs frames, from the file that has it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def ask_store(*, addr: str | None, folder: Path, **trust: Any) -> tuple[str, Health]:
    """The kind of the store and whether it answers right now; it is not opened for records. `trust` as `connect` takes
    it. Raises as `open_store` does.
    """
    if not addr:
        return "parquet", folder_health(folder)
    from sentinel.store.connection import connect

    client = connect(addr, **trust)
    try:
        return "elasticsearch", cluster_health(client)
    finally:
        client.close()


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
) -> "Store":
    """Elasticsearch where `addr` is given, else Parquet files in `folder`. Nothing is sent yet.

    `retention_days` (0: for ever) and the `period` of partitions are for a cluster that deletes old indices by itself.

    Raises SettingsError for an unusable address or an unsafe use of credentials.
    """
    if not addr:
        from sentinel.store.parquet import ParquetStore

        return ParquetStore(folder)
    from sentinel.store.connection import connect
    from sentinel.store.elastic import ElasticStore

    client = connect(addr, api_key=api_key, user=user, password=password, ca_file=ca_file, fingerprint=fingerprint)
    return ElasticStore(client, index, retention_days=retention_days, period=period)
