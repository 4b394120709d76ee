"""A big file that several processes read gives the records that one gives."""

import gzip
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sentinel.parse import Reading, use
from sentinel.pipeline import log_parts
from sentinel.pipeline.log_files import read_log_file
from sentinel.pipeline.log_parts import read_in_parts

NOW = datetime(2036, 11, 23, 12, tzinfo=UTC)
START = datetime(2026, 11, 23, 8, tzinfo=UTC)


def write_log(path: Path, events: int) -> None:
    """Lines, blank lines and stack traces of any length, so that a cut at any byte would hit one now and then."""
    chance = random.Random(7)
    with path.open("w") as file:
        for n in range(events):
            at = START + timedelta(seconds=n)
            file.write(
                f"{at:%Y-%m-%d %H:%M:%S},{n % 1000:03d} INFO [main] shop.Pay: order {n} paid, password=abc{n:08d}\n"
            )
            if chance.random() < 0.3:
                file.write("java.lang.IllegalStateException: no money\n")
                file.writelines(f"\tat shop.Pay.step{k}(Pay.java:{k})\n" for k in range(chance.randrange(1, 40)))
            if chance.random() < 0.1:
                file.write("\n")


def whole(path: Path) -> pl.DataFrame:
    return pl.concat([piece.records for piece in read_log_file(path, now=NOW)])


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_parts, "PART_BYTES", 40_000)
    monkeypatch.setattr(log_parts, "WINDOW_BYTES", 16_384)
    monkeypatch.setattr(log_parts.os, "sched_getaffinity", lambda process: {0, 1})


def test_parts_are_the_whole(tmp_path: Path, small_parts: None) -> None:
    """No event is cut in two, numbers and offsets are those of the file, and all bytes are told."""
    path = tmp_path / "shop.log"
    write_log(path, 1_500)
    told: list[int] = []

    frames = list(read_in_parts(path, now=NOW, progress=told.append))

    assert len(frames) > 5
    assert sum(told) == path.stat().st_size
    assert_frame_equal(pl.concat(frames).drop("received"), whole(path).drop("received"))


def test_secrets_are_masked_in_all_parts_as_the_settings_say(tmp_path: Path, small_parts: None) -> None:
    """What is masked here is masked by the other processes, and what is not is not."""
    path = tmp_path / "shop.log"
    write_log(path, 1_500)
    use(Reading(mask=frozenset()))
    try:
        open_text = pl.concat(list(read_in_parts(path, now=NOW)))["message"]
    finally:
        use(Reading())
    masked = pl.concat(list(read_in_parts(path, now=NOW)))["message"]

    assert open_text.str.contains("password=abc0").sum() == 1_500
    assert masked.str.contains("password=abc0").sum() == 0


@pytest.mark.parametrize("name", ["small", "archive", "wide"])
def test_other_files_stay_whole(name: str, tmp_path: Path, small_parts: None) -> None:
    """What is small, packed or UTF-16 has no place to cut at, and is read all the same."""
    path = tmp_path / name
    write_log(path, 50 if name == "small" else 1_500)
    if name == "archive":
        path.write_bytes(gzip.compress(path.read_bytes(), 0))
    if name == "wide":
        path.write_bytes(path.read_text().encode("utf-16"))

    assert log_parts._cuts(path, NOW) == []
    assert_frame_equal(pl.concat(list(read_in_parts(path, now=NOW))).drop("received"), whole(path).drop("received"))
