"""A whole file read without a checkpoint gives the lines that the collector gives, whatever its form."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.collect import Watched, poll
from sentinel.collect.packed import DamageError
from sentinel.collect.whole import Line, lines_of, pieces_of

LONG = 64  # stands for the greatest length of a line
TEXTS = st.lists(st.text(alphabet="ab \r\n\u00e4\u20ac\U0001f600", max_size=90), max_size=12).map("".join)


def collected(path: Path) -> list[Line]:
    """What the collector makes of a file that nobody writes to any more."""
    found, checkpoints = list[Line](), {}
    while True:
        seen = poll(Watched(places=(str(path),)), list(checkpoints.values()), now_s=4e9, max_line_bytes=LONG)
        found += [Line(*row) for row in seen.lines.select("offset", "line", "mark").iter_rows()]
        checkpoints |= {checkpoint.generation: checkpoint for checkpoint in seen.checkpoints}
        if not seen.is_more:
            return found


def read(path: Path) -> list[Line]:
    with path.open("rb") as file:
        return [line for lines in lines_of(pieces_of(file), max_line_bytes=LONG) for line in lines]


def plain(lines: list[Line]) -> list[Line]:
    """What is no line's end and no blank line."""
    bare = [line._replace(line=line.line.rstrip(b"\r")) for line in lines]
    return [line for line in bare if line.line]


@settings(deadline=None)
@given(
    text=TEXTS,
    codec=st.sampled_from(["utf-8", "utf-16"]),
    pack=st.sampled_from([bytes, gzip.compress, bz2.compress, lzma.compress]),
)
def test_lines_are_those_of_the_collector(
    tmp_path_factory: pytest.TempPathFactory, text: str, codec: str, pack: Callable[[bytes], bytes]
) -> None:
    """Text, places and marks agree: long lines, lines without an end, carriage returns, archives, UTF-16."""
    if codec == "utf-16":
        text = "\n".join(line[:20] for line in text.split("\n"))  # where a long one is cut is the collector's affair
    path = tmp_path_factory.mktemp("whole") / "app.log"
    path.write_bytes(pack(text.encode(codec)))

    assert plain(read(path)) == plain(collected(path))


@settings(deadline=None)
@given(text=TEXTS, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_borders_of_pieces_do_not_matter(text: str, sizes: list[int]) -> None:
    """However the bytes come, the lines are the same."""
    data, pieces, at = text.encode(), [], 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size

    found = [line for lines in lines_of(pieces, max_line_bytes=LONG) for line in lines]

    assert found == [line for lines in lines_of([data], max_line_bytes=LONG) for line in lines]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress])
def test_damaged_archive_gives_what_is_sound_first(pack: Callable[[bytes], bytes]) -> None:
    """The lines before the damage, then the damage by its name."""
    packed = pack("".join(f"line {n} {n * 7919 % 10007}\n" for n in range(200_000)).encode())
    file = io.BytesIO(packed[: len(packed) * 2 // 3])

    found = list[Line]()
    with pytest.raises(DamageError):
        found.extend(line for lines in lines_of(pieces_of(file)) for line in lines)

    assert [line.line for line in found[:2]] == [b"line 0 0", b"line 1 7919"]
