"""Parquet files as a store: folder `<stream>/<partition>/`, files of bounded size, read in windows of sequences."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from sentinel.durable import make_private_dir, sync_dir
from sentinel.errors import SettingsError, TerminalError, TransientError
from sentinel.records import ANOMALIES, EVENTS
from sentinel.store.digests import conflict_reason
from sentinel.store.find import count_by_time, find
from sentinel.store.frames import PARTITION, as_utc, columns_of, empty_nulls, in_order, schema_of, select, unusable
from sentinel.store.health import Health, folder_health
from sentinel.store.incident_files import IncidentFiles
from sentinel.store.parquet_files import ParquetFile, compact, list_files, may_overlap, put
from sentinel.store.parquet_known import sort_out
from sentinel.store.store import BATCH_ROWS, Outcome, Range, Search, Selection, Store

__all__ = ["ParquetStore"]

log = logging.getLogger(__name__)

Found = TypeVar("Found")
ROW = "row"  # of a write, from 0
READ_TRIES = 5  # a file that was listed may have been joined to another one before it is read


class ParquetStore(Store):
    """Files `<stream>/<partition>/<spool>-<first>-<last>.parquet`. Safe for several threads and processes."""

    kind = "parquet"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._incidents = IncidentFiles(folder / "incidents")

    def setup(self) -> list[str]:
        """As the contract says: makes the folders. Raises SettingsError where that is not possible."""
        made = [f"folder {stream}" for stream in (EVENTS, ANOMALIES) if not (self._folder / stream).is_dir()]
        try:
            for stream in (EVENTS, ANOMALIES):
                make_private_dir(self._folder / stream)
        except OSError as exc:
            raise SettingsError(f"set up the store in {self._folder}: {exc}; set LOG_SENTINEL_HOME elsewhere") from exc
        return made

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """As the contract says. Raises TransientError when the disk does not take it."""
        dead = unusable(frame)
        rows = frame.select(columns_of(stream)).with_row_index(ROW)
        rows = rows.filter(~pl.col(ROW).is_in(list(dead))) if dead else rows
        try:
            with self._lock:
                for part in rows.partition_by("spool", "partition", maintain_order=True):
                    dead |= self._put(part, stream)
        except (OSError, pl.exceptions.PolarsError) as exc:
            raise TransientError(f"write to {self._folder}: {exc}; the records stay in the spool") from exc
        delivered = np.ones(frame.height, bool)
        delivered[list(dead)] = False
        return Outcome(delivered, np.zeros(frame.height, bool), dead)

    def _put(self, part: pl.DataFrame, stream: str) -> dict[int, str]:
        """Write what is new, and join small files; the rows whose place another record has, and why."""
        folder, spool = self._folder / stream / str(part["partition"][0]), str(part["spool"][0])
        fresh, conflicts = sort_out(folder, spool, part)
        dead = {row: conflict_reason(name, folder.name) for row, name in conflicts.select(ROW, "event_id").iter_rows()}
        if fresh.height:
            put(folder, spool, fresh.drop(ROW))
            self._join(folder, spool)
        return dead

    def _join(self, folder: Path, spool: str) -> None:
        try:
            compact(folder, spool)
        except (OSError, pl.exceptions.PolarsError) as exc:  # what was written is there; joining is tried again
            log.warning("not compacted folder=%s error=%s", folder, exc)

    def _files(self, wanted: Selection) -> list[ParquetFile]:
        """Every file that may hold some of what is wanted, in the order of spool and sequence."""
        folders = (self._folder / wanted.stream).glob("*/")
        found = [
            file
            for folder in folders
            for file in list_files(folder)
            if (wanted.spool in {None, file.spool}) and _concerns(wanted.sequences, file.first, file.last)
        ]
        return sorted(found, key=lambda file: (file.spool, file.first, file.last))

    def read(self, wanted: Selection, *, batch_rows: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
        """As the contract says. Raises TerminalError naming a file that cannot be read."""
        spools = sorted({file.spool for file in self._files(wanted)})
        if wanted.newest is None:
            for spool in spools:
                for frame in self._spool(wanted, spool):
                    yield from frame.iter_slices(batch_rows)
            return
        newest = [self._newest(wanted, spool, wanted.newest) for spool in spools]
        if newest:
            yield from in_order(pl.concat(newest), wanted.newest).iter_slices(batch_rows)

    def _spool(self, wanted: Selection, spool: str, *, is_backward: bool = False) -> Iterator[pl.DataFrame]:
        """What one spool has, window by window; a window of so many sequences has no more records than that."""
        windows = _windows([file for file in self._files(wanted) if file.spool == spool])
        for first, last in reversed(windows) if is_backward else windows:
            if not _concerns(wanted.sequences, first, last):
                continue
            frame = self._window(wanted, spool, first, last)
            if frame.height:
                yield frame

    def _newest(self, wanted: Selection, spool: str, count: int) -> pl.DataFrame:
        """The newest records of one spool: from its end, no further back than needed."""
        frames, rows = [pl.DataFrame(schema=schema_of(wanted.stream))], 0
        for frame in self._spool(wanted, spool, is_backward=True):
            frames.append(frame.tail(count - rows))
            rows += frames[-1].height
            if rows >= count:
                break
        return pl.concat(frames)

    def _window(self, wanted: Selection, spool: str, first: int, last: int) -> pl.DataFrame:
        """The wanted records of one spool with these sequences. Files that vanish meanwhile are looked for again."""
        is_here = (pl.col("spool") == spool) & pl.col("sequence").is_between(first, last)
        for attempt in range(READ_TRIES):
            paths = [f.path for f in self._files(wanted) if f.spool == spool and f.overlaps(first, last)]
            if not paths:
                break
            try:
                return in_order(select(_scan(paths, wanted.stream).filter(is_here), wanted))
            except (OSError, pl.exceptions.PolarsError) as exc:
                if all(path.exists() for path in paths) or attempt == READ_TRIES - 1:
                    raise _unreadable(paths, exc) from exc
        return pl.DataFrame(schema=schema_of(wanted.stream))

    def find(self, wanted: Search) -> pl.DataFrame:
        """As the contract says; the files are read column by column, the text only where it is asked for."""
        return self._ask(wanted.stream, lambda rows: find(rows, wanted))

    def histogram(self, wanted: Search, *, start: datetime, bucket_s: float, buckets: int) -> list[int]:
        """As the contract says."""
        return self._ask(wanted.stream, lambda rows: count_by_time(rows, wanted, start, bucket_s, buckets))

    def _ask(self, stream: str, question: Callable[[pl.LazyFrame], Found]) -> Found:
        """The answer over all files of a stream. Files that vanish meanwhile are looked for again."""
        for _ in range(READ_TRIES):
            paths = [file.path for file in self._files(Selection(stream))]
            try:
                return question(_scan(paths, stream) if paths else pl.LazyFrame(schema=schema_of(stream)))
            except (OSError, pl.exceptions.PolarsError) as exc:
                if all(path.exists() for path in paths):
                    raise _unreadable(paths, exc) from exc
        raise TransientError(f"search {self._folder}: its files change faster than they are read; ask again")

    def put_incidents(self, documents: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        """As the contract says."""
        self._incidents.put(documents)

    def incidents(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """As the contract says."""
        return self._incidents.get(ids)

    def prune_incidents(self, before: datetime) -> int:
        """As the contract says."""
        return self._incidents.prune(as_utc(before))

    def existing_ids(self, ids: Sequence[str], *, stream: str = EVENTS) -> set[str]:
        """As the contract says."""
        known = pl.Series(ids, dtype=pl.String).implode()
        found: set[str] = set()
        for frame in self.read(Selection(stream)):
            found.update(frame.filter(pl.col("event_id").is_in(known))["event_id"])
        return found

    def count(self, stream: str = EVENTS) -> int:
        """As the contract says, from the files' own counts where no two of them overlap."""
        total = 0
        for folder in (self._folder / stream).glob("*/"):
            files = list_files(folder)
            if files:
                found = pl.scan_parquet([file.path for file in files])
                rows = found.select(pl.struct("spool", "sequence").n_unique() if may_overlap(files) else pl.len())
                total += int(rows.collect().item())
        return total

    def refresh(self) -> None:
        """A written file is visible at once."""

    def health(self) -> Health:
        """As the contract says: whether the folder is there and how much room its disk has."""
        return folder_health(self._folder)

    def prune(self, before: str) -> list[str]:
        """As the contract says: whole folders."""
        folders = [folder for folder in sorted((self._folder / EVENTS).glob("*/")) if PARTITION.fullmatch(folder.name)]
        old = [folder for folder in folders if folder.name != "all" and folder.name < before]
        try:
            for folder in old:
                shutil.rmtree(folder)
            if old:
                sync_dir(self._folder / EVENTS)
        except OSError as exc:
            raise TransientError(f"prune {self._folder}: {exc}; the next run goes on with it") from exc
        return [folder.name for folder in old]

    def close(self) -> None:
        """Nothing to free."""


def _concerns(ranges: Sequence[Range] | None, first: int, last: int) -> bool:
    """Whether some of these sequences are wanted."""
    return ranges is None or any(begin <= last and end >= first for begin, end in ranges)


def _windows(files: list[ParquetFile]) -> list[Range]:
    """Ranges of at most BATCH_ROWS sequences, in order, that cover what the files hold and leave out wide gaps."""
    windows: list[Range] = []
    for file in sorted(files, key=lambda f: f.first):
        start = max(file.first, windows[-1][1] + 1) if windows else file.first
        windows += [(at, min(at + BATCH_ROWS - 1, file.last)) for at in range(start, file.last + 1, BATCH_ROWS)]
    return _joined(windows)


def _joined(windows: list[Range]) -> list[Range]:
    """Neighbouring windows as one where that stays within BATCH_ROWS."""
    joined: list[Range] = []
    for first, last in windows:
        if joined and last - joined[-1][0] < BATCH_ROWS:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _scan(paths: list[Path], stream: str) -> pl.LazyFrame:
    found = pl.scan_parquet(paths, schema=schema_of(stream), missing_columns="insert", extra_columns="ignore")
    return found.with_columns(empty_nulls())


def _unreadable(paths: list[Path], exc: Exception) -> TerminalError:
    """Which of the files it is that cannot be read."""
    for path in paths:
        try:
            pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as cause:
            return TerminalError(f"read {path}: {cause}; move the file away to read the rest")
    return TerminalError(f"read {paths[0].parent}: {exc}")
