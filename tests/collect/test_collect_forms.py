"""Archives, UTF-16, files without a last line end, and files that are old news at the first start."""

import bz2
import codecs
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from sentinel.collect import Watched, poll
from sentinel.records import Checkpoint

LINES = [b"%05d %s" % (number, b"x" * (number % 90)) for number in range(4_000)]
TEXT = b"".join(line + b"\n" for line in LINES)


class Reader:
    """Polls a folder again and again, and keeps what it is told to."""

    def __init__(self, root: Path, *, begins_now: bool = False) -> None:
        self.watched = Watched((str(root),), begins_now=begins_now)
        self.kept: dict[str, Checkpoint] = {}
        self.lines: list[bytes] = []
        self.offsets: list[int] = []
        self.marks: list[str | None] = []
        self.problems: list[str] = []

    def read(self, now_s: float = 4e9, **settings: float) -> None:
        is_first, is_more = not self.kept, True
        while is_more:
            got = poll(self.watched, list(self.kept.values()), now_s=now_s, is_first=is_first, **settings)  # type: ignore[arg-type]
            self.lines += got.lines["line"].to_list()
            self.offsets += got.lines["offset"].to_list()
            self.marks += got.lines["mark"].to_list()
            self.problems += [reason for _, reason in got.problems]
            self.kept.update({one.generation: one for one in got.checkpoints})
            for generation in got.forgotten:
                del self.kept[generation]
            is_first, is_more = False, got.is_more


def packed_twice(pack: Callable[[bytes], bytes]) -> bytes:
    half = TEXT.index(b"\n", len(TEXT) // 2) + 1
    return pack(TEXT[:half]) + pack(TEXT[half:])


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("form", PACKERS)
def test_archive_is_read_whatever_packed_it(tmp_path: Path, form: str) -> None:
    """Every line of an archive of two members comes once, with its place in the text; also by small turns."""
    (tmp_path / f"app.log.1.{form}").write_bytes(packed_twice(PACKERS[form]))
    reader = Reader(tmp_path)

    reader.read(max_bytes=20_000, turn_bytes=10_000)
    reader.read()

    assert reader.lines == LINES
    assert reader.offsets == [sum(len(line) + 1 for line in LINES[:row]) for row in range(len(LINES))]
    assert reader.problems == []


@pytest.mark.parametrize("form", PACKERS)
def test_file_that_was_packed_meanwhile_is_not_read_again(tmp_path: Path, form: str) -> None:
    """What was read of a file is known again in its archive, whose rest is read."""
    plain = tmp_path / "app.log"
    half = TEXT.index(b"\n", len(TEXT) // 2) + 1
    plain.write_bytes(TEXT[:half])
    reader = Reader(tmp_path)
    reader.read()

    plain.unlink()
    (tmp_path / f"app.log.1.{form}").write_bytes(packed_twice(PACKERS[form]))
    reader.read()

    assert reader.lines == LINES


@pytest.mark.parametrize("form", PACKERS)
def test_archive_that_ends_early_gives_what_is_sound(tmp_path: Path, form: str) -> None:
    """The lines before the damage come, and the damage is named."""
    whole = PACKERS[form](TEXT)
    (tmp_path / f"app.log.1.{form}").write_bytes(whole[: len(whole) * 2 // 3])
    reader = Reader(tmp_path)

    reader.read()

    sound = reader.lines[:-1]
    assert sound == LINES[: len(sound)]
    assert sound or form in {"bz2", "zst"}  # their first blocks are longer
    assert len(reader.problems) == 1
    assert "ends early" in reader.problems[0]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("bom", [b"", "\ufeff"], ids=["bare", "marked"])
def test_utf_16_is_read_as_text(tmp_path: Path, codec: str, bom: str | bytes) -> None:
    """Lines come as UTF-8, offsets count the bytes of the file, also where the file grows in the middle of a line."""
    path = tmp_path / "windows.log"
    mark = str(bom or "").encode(codec)
    first = mark + "service started\r\nZähler läuft €\r\nhalf".encode(codec)
    path.write_bytes(first)
    reader = Reader(tmp_path)
    reader.read(idle_s=1e12)
    with path.open("ab") as file:
        file.write(" and the rest\r\n漢字\r\n".encode(codec))
    reader.read(idle_s=1e12, turn_bytes=40)

    assert [line.decode() for line in reader.lines] == [
        "service started",
        "Zähler läuft €",
        "half and the rest",
        "漢字",
    ]
    data = path.read_bytes()
    for line, offset in list(zip(reader.lines, reader.offsets, strict=True))[1:]:
        assert data[offset:].decode(codec).startswith(line.decode())


def test_long_line_of_utf_16_is_cut_and_passed_by(tmp_path: Path) -> None:
    """A line over the limit gives its beginning, and the next line is whole."""
    text = "a" * 50_000 + "\n" + "next\n"
    (tmp_path / "long.log").write_bytes(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    reader = Reader(tmp_path)

    reader.read(turn_bytes=1_000, max_line_bytes=8_000)

    assert reader.lines[-1] == b"next"
    assert set(reader.lines[0]) == {ord("a")}
    assert reader.marks == ["cut", None]


def test_unterminated_end_is_read_when_nobody_writes(tmp_path: Path) -> None:
    """A last line without its end comes after an idle time, once; what is added later is a line of its own."""
    path = tmp_path / "app.log"
    path.write_bytes(b"whole\nhalf")
    written_s = path.stat().st_mtime
    reader = Reader(tmp_path)

    reader.read(now_s=written_s + 1)
    early = list(reader.lines)
    reader.read(now_s=written_s + 10)
    reader.read(now_s=written_s + 20)
    with path.open("ab") as file:
        file.write(b" more\nlast\n")
    reader.read(now_s=written_s + 30)

    assert early == [b"whole"]
    assert reader.lines == [b"whole", b"half", b" more", b"last"]
    assert reader.marks == [None, "unterminated", None, None]


@pytest.mark.parametrize("form", ["plain", *PACKERS])
def test_old_files_are_passed_by_when_reading_begins_now(tmp_path: Path, form: str) -> None:
    """With `begins_now` what is there at the very first look is old news; what comes later is read."""
    if form == "plain":
        (tmp_path / "old.log").write_bytes(TEXT + b"half")
    else:
        (tmp_path / f"old.log.1.{form}").write_bytes(PACKERS[form](TEXT))
    reader = Reader(tmp_path, begins_now=True)
    reader.read(idle_s=1e12)

    (tmp_path / "new.log").write_bytes(b"new file\n")
    if form == "plain":
        with (tmp_path / "old.log").open("ab") as file:
            file.write(b" line\nnew line\n")
    reader.read(idle_s=1e12)

    assert reader.lines == ([b"new file", b"half line", b"new line"] if form == "plain" else [b"new file"])


def test_event_that_goes_on_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    """A checkpoint can be set back to any line of a poll, and the next poll goes on there."""
    path = tmp_path / "app.log"
    path.write_bytes(TEXT)
    watched = Watched.under(tmp_path)
    got = poll(watched, [], now_s=4e9, max_bytes=10_000_000, turn_bytes=20_000)

    for row in (0, 1, 17, 1_500, len(LINES) - 1):
        offset = got.lines["offset"][row]
        held = got.held_at({got.checkpoints[0].generation: offset})
        again = poll(watched, held, now_s=4e9)

        assert again.lines["line"].to_list() == LINES[row:]
        assert again.lines["offset"][0] == offset
        assert "truncated" not in again.counters
