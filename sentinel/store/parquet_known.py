"""Which rows of a write a folder of Parquet files holds already, and under whose sequence or id another record lies."""

from pathlib import Path

import polars as pl

from sentinel.records import RECORD_SCHEMA
from sentinel.store.digests import digests_of
from sentinel.store.frames import empty_nulls
from sentinel.store.parquet_files import ParquetFile, list_files

__all__ = ["sort_out"]


def sort_out(folder: Path, spool: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of one spool that are new in the folder, and those whose place another record has.

    A spool gives a sequence once: its own files are looked at where their sequences meet those of the rows, which is
    after a repeat. Files of other spools (one before a repair, a second home) are looked at for the rows' ids.
    """
    files = list_files(folder)
    first, last = int(rows["sequence"].min()), int(rows["sequence"].max())  # type: ignore[arg-type]  # polars' min is any
    mine = [file for file in files if file.spool == spool and file.overlaps(first, last)]
    others = [file for file in files if file.spool != spool]
    conflicts = rows.clear()
    for key, found in (("sequence", mine), ("event_id", others)):
        if found and rows.height:
            rows, wrong = _without(rows, _stored(found, key, rows[key]), key)
            conflicts = conflicts.vstack(wrong)
    if rows["event_id"].n_unique() < rows.height:
        is_first = rows["event_id"].is_first_distinct()
        rest, wrong = _without(rows.filter(~is_first), rows.filter(is_first), "event_id")
        rows, conflicts = rows.filter(is_first).vstack(rest), conflicts.vstack(wrong)
    return rows, conflicts


def _stored(files: list[ParquetFile], key: str, values: pl.Series) -> pl.DataFrame:
    """The files' rows with these values. Raises OSError or PolarsError where a file cannot be read."""
    paths = [file.path for file in files]
    found = pl.scan_parquet(paths, schema=dict(RECORD_SCHEMA), missing_columns="insert", extra_columns="ignore")
    return found.with_columns(empty_nulls()).filter(pl.col(key).is_in(values.implode())).collect()


def _without(rows: pl.DataFrame, stored: pl.DataFrame, key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows whose key is not stored, and those under whose key another record is."""
    if stored.is_empty() or rows.is_empty():
        return rows, rows.clear()
    known = dict(zip(stored[key], digests_of(stored), strict=True))
    there = pl.Series([known.get(value) for value in rows[key]], dtype=pl.String)
    return rows.filter(there.is_null()), rows.filter((there != digests_of(rows)).fill_null(value=False))
