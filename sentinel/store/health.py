"""Whether the store answers right now, asked without opening it for records, so that a view of it costs little."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.durable import make_private_dir
from sentinel.errors import SentinelError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

__all__ = ["Health", "cluster_health", "folder_health"]

TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the store answers right now, and what it says of itself or why not."""

    reachable: bool
    detail: str


def folder_health(folder: Path) -> Health:
    """Whether the folder of Parquet files is there, and how much room its disk has."""
    try:
        free = shutil.disk_usage(make_private_dir(folder)).free
    except OSError as exc:
        return Health(reachable=False, detail=f"Parquet files in {folder}: {exc}")
    return Health(reachable=True, detail=f"Parquet files in {folder}, {free // 2**20:,} MiB free")


def cluster_health(client: "Elasticsearch") -> Health:
    """Whether Elasticsearch answers within a short time, and which version it is."""
    from sentinel.store.answers import mapped_errors

    try:
        with mapped_errors("ask Elasticsearch"):
            info = client.options(request_timeout=TIMEOUT_S).info()
    except SentinelError as exc:
        return Health(reachable=False, detail=str(exc))
    return Health(reachable=True, detail=f"Elasticsearch {info['version']['number']}")
