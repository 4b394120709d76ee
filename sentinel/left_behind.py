"""Records that a home kept in Parquet files before Elasticsearch became its store: seen by file names, until loaded."""

import hashlib
import os
from pathlib import Path

from sentinel.counted import counted
from sentinel.durable import write_file
from sentinel.settings import Settings

__all__ = ["COMMAND", "left_behind", "mark_loaded"]

COMMAND = "sentinel load --from-parquet"
MARK = "loaded"  # in the folder: which Elasticsearch has been given what is older than this file


def left_behind(settings: Settings) -> str | None:
    """What to know where the records of the time without Elasticsearch are not in it; else None."""
    folder = _folder(settings)
    if not settings.elastic_addr or not folder.is_dir():
        return None
    mark = folder / MARK
    is_here = mark.is_file() and mark.read_text() == _target(settings)
    since_s = mark.stat().st_mtime if is_here else 0.0
    files = sum(1 for path in folder.glob("*/*/*.parquet") if path.stat().st_mtime >= since_s)
    if not files:
        return None
    return f"{counted(files, 'Parquet file')} in {folder} from before ELASTIC_ADDR was set: not in Elasticsearch"


def mark_loaded(settings: Settings, *, begun_s: float) -> None:
    """Remember that all that was in the files at that moment (Unix time) is in this Elasticsearch."""
    mark = _folder(settings) / MARK
    write_file(mark, _target(settings).encode())
    os.utime(mark, (begun_s, begun_s))


def _folder(settings: Settings) -> Path:
    return settings.log_sentinel_home / "store"


def _target(settings: Settings) -> str:
    """Which Elasticsearch, without the password that its address may hold."""
    return hashlib.sha256(f"{settings.elastic_addr} {settings.elastic_index}".encode()).hexdigest() + "\n"
