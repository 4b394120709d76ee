"""What only files can do to us: crashes between two steps, other processes, damage, a full disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sentinel.errors import SettingsError, TerminalError, TransientError
from sentinel.store import ParquetStore, parquet_files
from sentinel.store.parquet_files import COMPACT_FILES, compact, drop_superseded, list_files, put
from tests.store.store_records import records

LONG_LINE = """
import sys
from pathlib import Path
import polars as pl
from sentinel.store.parquet import ParquetStore
from sentinel.store.parquet_files import COMPACT_FILES, compact, put
from tests.store.store_records import records

def most_mib():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) >> 10

folder = Path(sys.argv[1])
texts = [None] * 1000 + ["a" * 500] + [None] * 500 + ["b" * 400] + [None] * 3000 + ["x" * (1 << 18)] + [None] * 100
spool, first = "0123456789abcdef", len(texts)
put(folder, spool, records(first).with_columns(pl.Series("raw", texts, dtype=pl.String)))
for more in range(COMPACT_FILES - 1):
    put(folder, spool, records(1, first=first + 1 + more))
before = most_mib()
joined = compact(folder, spool)
found = pl.concat(ParquetStore(folder.parents[1]).scan())
written = found.select(pl.col("raw") + "").height
print(joined, most_mib() - before, written)
"""


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    return ParquetStore(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events" / "2026.11"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_named_after_what_it_holds(store: ParquetStore, folder: Path) -> None:
    """Spool, first and last sequence; readable by the owner alone; no leftovers."""
    store.write(records(7, first=3))

    assert names(folder) == ["0123456789abcdef-000000000000003-000000000000009.parquet"]
    assert (folder / names(folder)[0]).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_small_files_are_joined(store: ParquetStore, folder: Path) -> None:
    """Many small writes end in few files; nothing is lost, nothing is there twice."""
    written = records(3 * COMPACT_FILES * 5)

    for part in written.iter_slices(5):
        store.write(part)

    assert len(names(folder)) < COMPACT_FILES
    assert_frame_equal(pl.concat(store.scan()), written)
    assert store.count() == written.height


def test_joined_files_do_not_grow_for_ever(store: ParquetStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is large enough is left alone."""
    monkeypatch.setattr(parquet_files, "SMALL_BYTES", 20_000)
    monkeypatch.setattr(parquet_files, "MAX_BYTES", 40_000)
    written = records(COMPACT_FILES * 120)

    for part in written.iter_slices(30):
        store.write(part)

    assert len(names(folder)) > 1
    assert max(path.stat().st_size for path in folder.iterdir()) < 200_000
    assert_frame_equal(pl.concat(store.scan()), written)


def test_one_long_line_among_many_nulls_costs_no_memory(folder: Path) -> None:
    """A quarter of a mebibyte beside 4,600 nulls is joined and read without being copied for each null (1.3 GB)."""
    done = subprocess.run([sys.executable, "-c", LONG_LINE, str(folder)], capture_output=True, text=True, check=True)

    joined, grown_mib, rows = done.stdout.split()
    assert (int(joined), int(rows)) == (COMPACT_FILES, 4_603 + COMPACT_FILES - 1)
    assert int(grown_mib) < 600


def test_joined_files_are_bounded_as_they_are_in_memory(
    store: ParquetStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that are nothing on disk are much when they are read: what is joined at once has a bound of its own, and
    files that have reached it are not read again and again."""
    monkeypatch.setattr(parquet_files, "MAX_DECODED_BYTES", 40_000)
    joined = list[int]()
    concat = pl.concat

    def noted(frames: list[pl.DataFrame], *, how: str = "vertical") -> pl.DataFrame:
        joined.append(sum(int(frame.estimated_size()) for frame in frames))
        return concat(frames, how=how)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(parquet_files.pl, "concat", noted)
    written = records(COMPACT_FILES * 40)

    for part in written.iter_slices(10):
        store.write(part)

    sizes = [pl.read_parquet(path).estimated_size() for path in folder.iterdir()]
    assert COMPACT_FILES * 4 > len(sizes) > sum(sizes) // 40_000
    assert max(joined) <= 60_000
    assert len(joined) <= 2 * len(sizes)
    assert_frame_equal(concat(list(store.scan())), written)


@pytest.mark.parametrize("crash_after", range(0, COMPACT_FILES + 1, 8))
def test_crash_while_joining_loses_and_doubles_nothing(
    store: ParquetStore, folder: Path, crash_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stops, each record is read once and counted once; the leftovers go with the next joining."""
    written = records(COMPACT_FILES * 2)
    for part in written.iter_slices(2):
        put(folder, "0123456789abcdef", part)
    crash_at(monkeypatch, crash_after)
    with pytest.raises(InterruptedError):
        compact(folder, "0123456789abcdef")
    monkeypatch.undo()

    assert_frame_equal(pl.concat(store.scan()), written)
    assert store.count() == written.height
    assert store.write(written).delivered.all()

    drop_superseded(folder)
    assert len(names(folder)) == 1
    assert_frame_equal(pl.concat(store.scan()), written)


def crash_at(monkeypatch: pytest.MonkeyPatch, removals: int) -> None:
    """Break off when so many files have been removed."""
    left, unlink = iter(range(removals)), Path.unlink

    def break_off(path: Path, missing_ok: bool = False) -> None:
        if path.name.endswith(".tmp"):
            unlink(path, missing_ok)
            return
        if next(left, None) is None:
            raise InterruptedError
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", break_off)
    if removals == COMPACT_FILES:  # all removed, then off before the folder is synced
        monkeypatch.setattr(parquet_files, "sync_dir", lambda _: (_ for _ in ()).throw(InterruptedError))


def test_file_that_holds_more_than_its_name_says_less_is_kept(folder: Path) -> None:
    """A file within the range of another is removed only when the other holds every one of its records."""
    outer = records(100).filter(~pl.col("sequence").is_in([40, 41]))
    put(folder, "0123456789abcdef", outer)
    put(folder, "0123456789abcdef", records(100).filter(pl.col("sequence").is_in([40, 41])))

    assert drop_superseded(folder) == 0
    assert len(list_files(folder)) == 2


def test_scattered_replay_joins_the_rest(store: ParquetStore) -> None:
    """Dead letters that are replayed later find their place among their neighbours."""
    written, late = records(1000), [1, 500, 501, 1000]
    store.write(written.filter(~pl.col("sequence").is_in(late)))

    store.write(written.filter(pl.col("sequence").is_in(late)))

    assert_frame_equal(pl.concat(store.scan()), written)
    assert pl.concat(store.scan(newest=2))["sequence"].to_list() == [999, 1000]


def test_reader_survives_joining_by_another(store: ParquetStore, folder: Path) -> None:
    """Files that vanish while a scan is under way are found under their new name."""
    written = records(200_000)
    for part in written.iter_slices(40_000):
        store.write(part)

    frames = store.scan(batch_rows=10_000)
    first = next(frames)
    joined = pl.concat([pl.read_parquet(file.path) for file in list_files(folder)])
    for file in list_files(folder):
        file.path.unlink()
    put(folder, "0123456789abcdef", joined)

    assert_frame_equal(pl.concat([first, *frames]), written)


def test_scan_reads_window_by_window(store: ParquetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first frame comes before the last file is opened, and no window has more records than its bound."""
    for part in records(300_000).iter_slices(20_000):
        store.write(part)
    heights: list[int] = []
    window = ParquetStore._window

    def watch(*arguments: object) -> pl.DataFrame:
        frame = window(*arguments)  # type: ignore[arg-type]
        heights.append(frame.height)
        return frame

    monkeypatch.setattr(ParquetStore, "_window", watch)
    frames: Iterator[pl.DataFrame] = store.scan()
    next(frames)

    assert len(heights) == 1
    assert sum(frame.height for frame in frames) + heights[0] == 300_000
    assert max(heights) <= 50_000


def test_foreign_and_half_written_files_are_left_alone(store: ParquetStore, folder: Path) -> None:
    """A temporary file of a crash, or somebody's notes, change nothing."""
    store.write(records(3))
    (folder / ".x.parquet.abc.tmp").write_bytes(b"half")
    (folder / "notes.parquet").write_bytes(b"not ours")

    assert_frame_equal(pl.concat(store.scan()), records(3))
    assert store.count() == 3


def test_damaged_file_is_named(store: ParquetStore, folder: Path) -> None:
    """A scan stops with the name of the file and what to do."""
    store.write(records(3))
    path = folder / names(folder)[0]
    path.write_bytes(path.read_bytes()[:100])

    with pytest.raises(TerminalError, match=r"000000000000003\.parquet.*move the file away"):
        list(store.scan())


def test_folder_that_cannot_be_made_is_transient(store: ParquetStore, tmp_path: Path) -> None:
    """Where no folder can be made, everything stays in the spool, and setup names the setting."""
    (tmp_path / "events").write_text("in the way")

    with pytest.raises(TransientError, match="stay in the spool"):
        store.write(records(3))
    with pytest.raises(SettingsError, match="LOG_SENTINEL_HOME"):
        store.setup()


def test_full_disk_is_transient(store: ParquetStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full everything stays in the spool, and nothing half-written is left."""
    store.write(records(3))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TransientError, match="No space left"):
        store.write(records(5, first=4))
    monkeypatch.undo()

    assert len(names(folder)) == 1
    assert store.write(records(5, first=4)).delivered.all()
    assert_frame_equal(pl.concat(store.scan()), records(8))


def test_failed_joining_is_no_failed_write(store: ParquetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is there, whatever becomes of the joining."""
    written = records(COMPACT_FILES)

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("sentinel.store.parquet.compact", broken)
    outcomes = [store.write(part) for part in written.iter_slices(1)]

    assert all(outcome.delivered.all() for outcome in outcomes)
    assert_frame_equal(pl.concat(store.scan()), written)
