"""One folder of Parquet files: each named after what it holds, whole or not there at all, small ones joined."""

import io
import itertools
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sentinel.durable import make_private_dir, sync_dir, write_file
from sentinel.store.frames import empty_nulls

__all__ = ["ParquetFile", "compact", "drop_superseded", "list_files", "may_overlap", "put"]

log = logging.getLogger(__name__)

NAME = re.compile(r"(?P<spool>[0-9A-Za-z_-]+)-(?P<first>[0-9]{15})-(?P<last>[0-9]{15})\.parquet")
COMPACT_FILES = 32  # so many small files of one folder are joined
SMALL_BYTES = 2 * 1024 * 1024
MAX_BYTES = 16 * 1024 * 1024  # of what is joined to one file
MAX_DECODED_BYTES = 64 * 1024 * 1024  # the same in memory, where lines that are much alike are far more than on disk
DECODED_BYTES = "decoded_bytes"  # a file says in its footer how many it has
USUAL_RATIO = 10  # of files that do not say it
ROW_GROUP = 50_000


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """One file. Not every sequence from `first` to `last` need be in it: another partition may hold some."""

    path: Path
    spool: str
    first: int
    last: int

    def overlaps(self, first: int, last: int) -> bool:
        """Whether it may hold some of these sequences."""
        return self.first <= last and self.last >= first


def list_files(folder: Path) -> list[ParquetFile]:
    """The files of a folder in the order of spool and sequence; others are none of ours. No folder: no files."""
    names = ((path, NAME.fullmatch(path.name)) for path in folder.iterdir()) if folder.is_dir() else ()
    found = [ParquetFile(path, m["spool"], int(m["first"]), int(m["last"])) for path, m in names if m]
    return sorted(found, key=lambda file: (file.spool, file.first, file.last))


def put(folder: Path, spool: str, rows: pl.DataFrame) -> None:
    """Write rows of one spool that the folder does not hold yet, in one file.

    Raises OSError when the disk does not take it.
    """
    make_private_dir(folder)
    _write(folder, spool, rows)


def _span(rows: pl.DataFrame) -> tuple[int, int]:
    return int(rows["sequence"].min()), int(rows["sequence"].max())  # type: ignore[arg-type]  # polars' min is any type


def _sequences(file: ParquetFile) -> pl.Series:
    return pl.read_parquet(file.path, columns=["sequence"])["sequence"]


def _write(folder: Path, spool: str, rows: pl.DataFrame) -> Path:
    first, last = _span(rows)
    path = folder / f"{spool}-{first:015d}-{last:015d}.parquet"
    content = io.BytesIO()
    ordered = rows.sort("sequence").unique("sequence", keep="first", maintain_order=True)
    ordered.write_parquet(
        content,
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP,
        metadata={DECODED_BYTES: str(ordered.estimated_size())},
    )
    write_file(path, content.getvalue())
    return path


def compact(folder: Path, spool: str) -> int:
    """Join small files once there are many; how many went. The old ones go when the new one is durable: a crash in
    between leaves both, and `drop_superseded` finds them."""
    small = _small_files(folder, spool)
    if len(small) < COMPACT_FILES:
        return 0
    drop_superseded(folder)
    small = {file: decoded for file, decoded in small.items() if file.path.exists()}
    gone = 0
    for group in (group for group in _groups(small) if len(group) > 1):
        whole = pl.concat([pl.read_parquet(file.path).with_columns(empty_nulls()) for file in group], how="diagonal")
        made = _write(folder, spool, whole)
        gone += _unlink(file.path for file in group if file.path != made)
    sync_dir(folder)
    log.info("compacted folder=%s spool=%s files=%d", folder.name, spool, gone)
    return gone


def _small_files(folder: Path, spool: str) -> dict[ParquetFile, int]:
    """The files that may be joined, and their bytes in memory; footers are read once, and only where files are many."""
    small = [file for file in list_files(folder) if file.spool == spool and _bytes(file) < SMALL_BYTES]
    if len(small) < COMPACT_FILES:
        return {}
    return {file: decoded for file in small if (decoded := _decoded_bytes(file)) < MAX_DECODED_BYTES // 2}


def _decoded_bytes(file: ParquetFile) -> int:
    said = pl.read_parquet_metadata(file.path).get(DECODED_BYTES, "")
    return int(said) if said.isdecimal() else USUAL_RATIO * _bytes(file)


def _groups(files: Mapping[ParquetFile, int]) -> Iterator[list[ParquetFile]]:
    """Neighbours that together make files of up to MAX_BYTES, and MAX_DECODED_BYTES in memory."""
    group, size, decoded = list[ParquetFile](), 0, 0
    for file, more_decoded in files.items():
        more = _bytes(file)
        if group and (size + more > MAX_BYTES or decoded + more_decoded > MAX_DECODED_BYTES):
            yield group
            group, size, decoded = [], 0, 0
        group.append(file)
        size, decoded = size + more, decoded + more_decoded
    yield group


def drop_superseded(folder: Path) -> int:
    """Remove files whose rows are all in one larger file beside them, left by a crash while joining; how many."""
    inside = [
        (small, large)
        for pair in _overlapping(list_files(folder))
        for small, large in itertools.permutations(pair)
        if large.first <= small.first and small.last <= large.last
    ]
    gone: set[Path] = set()
    for small, large in inside:
        if large.path not in gone and not set(_sequences(small)) - set(_sequences(large)):
            gone.add(small.path)
    return _unlink(gone)


def _overlapping(files: list[ParquetFile]) -> Iterator[tuple[ParquetFile, ParquetFile]]:
    """Pairs that may hold the same record, of files in the order of spool and sequence."""
    for position, file in enumerate(files):
        for other in files[position + 1 :]:
            if other.spool != file.spool or other.first > file.last:
                break
            yield file, other


def may_overlap(files: list[ParquetFile]) -> bool:
    """Whether two of the files, in the order of spool and sequence, may hold the same record."""
    return next(_overlapping(files), None) is not None


def _bytes(file: ParquetFile) -> int:
    return file.path.stat().st_size


def _unlink(paths: Iterable[Path]) -> int:
    count = 0
    for path in paths:
        path.unlink(missing_ok=True)
        count += 1
    return count
