"""Parquet files as a store: one file a write, named after what it holds, whole or not there at all."""

import io
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from sentinel.durable import make_private_dir, write_file
from sentinel.errors import TransientError
from sentinel.records import ANOMALIES, EVENTS
from sentinel.store.frames import columns_of, schema_of, select
from sentinel.store.store import Health, Outcome, Range

__all__ = ["ParquetStore"]

NAME = re.compile(r"(?P<spool>[0-9a-z]+)-(?P<first>\d{15})-(?P<last>\d{15})\.parquet")
COMPACT_FILES = 64  # so many small files of one folder become one
SMALL_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _File:
    """One file: the sequences of one spool that it holds (not all between the two: another partition may have some)."""

    path: Path
    spool: str
    first: int
    last: int


class ParquetStore:
    """Folder `<stream>/<partition>/<spool>-<first>-<last>.parquet`. Safe for several processes.

    A write that is repeated, also with another cut, is found by its sequences: what a file of the folder already holds
    is not written again.
    """

    kind = "parquet"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def setup(self) -> list[str]:
        """Make the folders."""
        made = [f"folder {stream}" for stream in (EVENTS, ANOMALIES) if not (self._folder / stream).is_dir()]
        for stream in (EVENTS, ANOMALIES):
            make_private_dir(self._folder / stream)
        return made

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """As the contract says. Raises TransientError when the disk does not take it."""
        try:
            with self._lock:
                for part in frame.partition_by("spool", "partition", maintain_order=True):
                    self._write_part(part.select(columns_of(stream)), stream)
        except OSError as exc:
            raise TransientError(f"write to {self._folder}: {exc}; the records stay in the spool") from exc
        return Outcome.all_delivered(frame.height)

    def _write_part(self, part: pl.DataFrame, stream: str) -> None:
        folder = make_private_dir(self._folder / stream / part["partition"][0])
        spool, first, last = part["spool"][0], int(part["sequence"][0]), int(part["sequence"][-1])
        for held in _files(folder):
            if held.spool == spool and held.first <= last and held.last >= first:
                there = pl.read_parquet(held.path, columns=["sequence"])["sequence"]
                part = part.filter(~pl.col("sequence").is_in(there.implode()))
        if part.height:
            self._put(folder, spool, part)
            self._compact(folder, spool)

    def _put(self, folder: Path, spool: str, part: pl.DataFrame) -> _File:
        first, last = int(part["sequence"][0]), int(part["sequence"][-1])
        path = folder / f"{spool}-{first:015d}-{last:015d}.parquet"
        content = io.BytesIO()
        part.write_parquet(content, compression="zstd", compression_level=1)
        write_file(path, content.getvalue())
        return _File(path, spool, first, last)

    def _compact(self, folder: Path, spool: str) -> None:
        """Join many small files to one. The old ones go once the new one is there; `scan` counts a row once."""
        small = [f for f in _files(folder) if f.spool == spool and f.path.stat().st_size < SMALL_BYTES]
        if len(small) < COMPACT_FILES:
            return
        rows = pl.concat([pl.read_parquet(f.path) for f in small])
        made = self._put(folder, spool, rows.sort("sequence").unique("event_id", keep="first", maintain_order=True))
        for file in small:
            if file.path != made.path:
                file.path.unlink(missing_ok=True)

    def scan(
        self,
        *,
        stream: str = EVENTS,
        since: datetime | None = None,
        until: datetime | None = None,
        spool: str | None = None,
        sequences: Sequence[Range] | None = None,
        newest: int | None = None,
        batch_rows: int = 50_000,
    ) -> Iterator[pl.DataFrame]:
        """As the contract says."""
        held = [
            f
            for folder in sorted((self._folder / stream).glob("*/"))
            for f in _files(folder)
            if (spool is None or f.spool == spool)
            and (sequences is None or any(a <= f.last and b >= f.first for a, b in sequences))
        ]
        files = [f.path for f in (held if newest is None or since or until else _newest(held, newest))]
        if not files:
            return
        found = select(
            pl.scan_parquet(files, schema=schema_of(stream)),
            since=since,
            until=until,
            spool=spool,
            sequences=sequences,
            newest=newest,
        ).collect()
        yield from found.iter_slices(batch_rows)

    def count(self, stream: str = EVENTS) -> int:
        """As the contract says."""
        files = [f.path for folder in (self._folder / stream).glob("*/") for f in _files(folder)]
        if not files:
            return 0
        return int(pl.scan_parquet(files).select(pl.col("event_id").n_unique()).collect().item())

    def refresh(self) -> None:
        """A written file is visible at once."""

    def health(self) -> Health:
        """As the contract says: whether the folder can be written."""
        try:
            make_private_dir(self._folder)
        except OSError as exc:
            return Health(reachable=False, detail=str(exc))
        return Health(reachable=True, detail=f"Parquet files in {self._folder}")

    def prune(self, before: str) -> list[str]:
        """As the contract says: whole folders."""
        old = [folder for folder in sorted((self._folder / EVENTS).glob("*/")) if folder.name < before]
        for folder in old:
            for file in folder.iterdir():
                file.unlink(missing_ok=True)
            folder.rmdir()
        return [folder.name for folder in old]

    def close(self) -> None:
        """Nothing to free."""


def _files(folder: Path) -> list[_File]:
    """The files of a folder in the order of their sequences; others are none of ours."""
    names = ((path, NAME.fullmatch(path.name)) for path in folder.iterdir())
    found = [_File(path, m["spool"], int(m["first"]), int(m["last"])) for path, m in names if m]
    return sorted(found, key=lambda f: (f.spool, f.first, f.last))


def _newest(files: list[_File], wanted: int) -> list[_File]:
    """Of each spool the files that hold its newest `wanted` records, so that a long history is not read."""
    found, rows = [], dict[str, int]()
    for file in sorted(files, key=lambda f: f.last, reverse=True):
        if rows.get(file.spool, 0) < wanted:
            found.append(file)
            count = int(pl.scan_parquet(file.path).select(pl.len()).collect().item())
            rows[file.spool] = rows.get(file.spool, 0) + count
    return found
