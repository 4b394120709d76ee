"""Lines are read once each, whatever happens to the files between two polls."""

import gzip
import itertools
import os
import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sentinel.collect import LINE_SCHEMA, Collected, Inflaters, Watched, poll
from sentinel.errors import TerminalError
from sentinel.records import Checkpoint


class Reader:
    """What a caller does: polls, keeps lines and checkpoints together, and forgets what it is told to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept: dict[str, Checkpoint] = {}
        self.lines: list[bytes] = []
        self.marks: list[str] = []
        self.ids: list[tuple[str, int]] = []
        self.counters: Counter[str] = Counter()
        self.problems: list[str] = []
        self.now_s = 4e9  # far in the future: everything is quiet

    def poll(self, **settings: object) -> Collected:
        settings = {"idle_s": 1e12} | settings  # the end of a line may come at any time
        got = poll(Watched.under(self.root), list(self.kept.values()), now_s=self.now_s, **settings)  # type: ignore[arg-type]
        self.now_s += 60
        self.lines += got.lines["line"].to_list()
        self.ids += list(zip(got.lines["generation"], got.lines["offset"], strict=True))
        self.marks += [mark for mark in got.lines["mark"] if mark]
        self.kept.update({checkpoint.generation: checkpoint for checkpoint in got.checkpoints})
        for generation in got.forgotten:
            del self.kept[generation]
        self.counters.update(got.counters)
        self.problems += [f"{path}: {reason}" for path, reason in got.problems]
        return got

    def drain(self, **settings: object) -> None:
        for _ in range(1000):
            if not self.poll(**settings).is_more:
                return
        raise AssertionError("reading never ends")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    root = tmp_path / "in"
    root.mkdir()
    return Reader(root)


def block(start: int, count: int, width: int = 40) -> bytes:
    """`count` different lines from number `start` on."""
    return b"".join(b"%08d %s\n" % (number, b"x" * width) for number in range(start, start + count))


def numbers(lines: list[bytes]) -> list[int]:
    return [int(line[:8]) for line in lines]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_lines_carry_their_position_when_read(reader: Reader) -> None:
    """Each line has its origin, its generation and the offset of its first byte."""
    path = reader.root / "app.log"
    path.write_bytes(b"one\r\n\ntwo\nhalf")

    got = reader.poll()

    assert dict(got.lines.schema) == LINE_SCHEMA
    assert got.lines["line"].to_list() == [b"one", b"", b"two"]
    assert got.lines["offset"].to_list() == [0, 5, 6]
    assert set(got.lines["origin"]) == {str(path)}
    assert got.checkpoints[0].offset == 10
    assert got.counters["lines"] == 3


def test_growing_file_is_read_once_when_polled_between_halves(reader: Reader) -> None:
    """Half a line waits for its other half, also across a restart."""
    path = reader.root / "app.log"
    for piece in (b"", b"a", b"b\nc", b"d", b"\n", b"e\nf\n"):
        append(path, piece)
        reader.drain()

    assert reader.lines == [b"ab", b"cd", b"e", b"f"]
    assert len({generation for generation, _ in reader.ids}) == 1


def test_nothing_is_changed_when_nothing_happened(reader: Reader) -> None:
    """A poll that finds nothing new returns no line and no checkpoint."""
    (reader.root / "app.log").write_bytes(block(0, 10))
    (reader.root / "empty.log").touch()
    reader.drain()

    got = reader.poll()

    assert got.lines.is_empty()
    assert got.checkpoints == ()
    assert got.counters == {}


def test_equal_files_are_both_read_when_they_live_side_by_side(reader: Reader) -> None:
    """Two files with the same first KiB are two files, found together or one after the other."""
    for name in ("a.log", "b.log"):
        (reader.root / name).write_bytes(block(0, 100))
    reader.drain()
    append(reader.root / "b.log", block(900, 1))
    (reader.root / "c.log").write_bytes(block(0, 100))
    reader.drain()
    reader.drain()

    assert Counter(numbers(reader.lines)) == Counter([*range(100)] * 3 + [900])


def test_rotation_by_rename_when_under_load(reader: Reader) -> None:
    """Twenty renames, each with an unread rest, give every line once."""
    path = reader.root / "app.log"
    for turn in range(20):
        append(path, block(turn * 100, 60))
        reader.poll(max_bytes=1000, turn_bytes=500)
        append(path, block(turn * 100 + 60, 40))
        for old in range(turn, 0, -1):
            (reader.root / f"app.log.{old}").rename(reader.root / f"app.log.{old + 1}")
        path.rename(reader.root / "app.log.1")
    reader.drain()

    assert sorted(numbers(reader.lines)) == [*range(2000)]
    assert len(set(reader.ids)) == 2000


def test_inode_is_reused_when_a_file_is_deleted_and_made_again(reader: Reader) -> None:
    """A new file on an old inode is read from its first byte, even when it is longer than the old one."""
    path = reader.root / "app.log"
    reused = 0
    for turn in range(10):
        before = path.stat().st_ino if path.exists() else None
        path.unlink(missing_ok=True)
        path.write_bytes(block(turn * 100, 10 + turn))
        reused += path.stat().st_ino == before
        reader.drain()

    assert sorted(numbers(reader.lines)) == [turn * 100 + row for turn in range(10) for row in range(10 + turn)]
    assert reader.counters["truncated"] == reused


@pytest.mark.parametrize("behind", [0, 30])
def test_copytruncate_when_caught_up_or_behind(reader: Reader, behind: int) -> None:
    """The rest of a file that was copied and truncated is read from the copy."""
    path = reader.root / "app.log"
    path.write_bytes(block(0, 50))
    reader.drain()
    append(path, block(50, behind))
    shutil.copy(path, reader.root / "app.log.1")
    path.write_bytes(block(1000, 5))
    reader.drain()

    assert sorted(numbers(reader.lines)) == [*range(50 + behind), *range(1000, 1005)]
    assert reader.counters["copytruncated"] == 1


def test_copy_is_held_when_its_original_is_about_to_be_truncated(reader: Reader) -> None:
    """A poll between the copy and the truncation reads nothing twice."""
    path = reader.root / "app.log"
    path.write_bytes(block(0, 50))
    reader.drain()
    shutil.copy(path, reader.root / "app.log.1")
    held = reader.poll()
    path.write_bytes(block(100, 5))
    reader.drain()

    assert held.counters == {"waiting": 1}
    assert sorted(numbers(reader.lines)) == [*range(50), *range(100, 105)]


def test_archive_is_read_on_when_the_file_was_renamed_and_compressed(reader: Reader) -> None:
    """A gzip of a file read in part goes on where that was left; while both are there, the archive waits."""
    path = reader.root / "app.log"
    path.write_bytes(block(0, 50))
    reader.drain()
    append(path, block(50, 50) + b"00000100 tail")
    packed = gzip.compress(path.read_bytes())
    (reader.root / "app.log.1.gz").write_bytes(packed)
    path.rename(reader.root / "app.log.1")
    path.write_bytes(block(200, 1))
    reader.poll(max_bytes=100, turn_bytes=100)
    (reader.root / "app.log.1").unlink()
    reader.drain()
    reader.drain()

    assert sorted(numbers(reader.lines)) == [*range(101), 200]
    assert reader.marks == ["unterminated"]


def test_archive_is_read_when_its_original_was_never_seen(reader: Reader) -> None:
    """A gzip file of several members is read as the text it holds, across polls, once."""
    packed = gzip.compress(block(0, 5000)) + gzip.compress(block(5000, 5000))
    (reader.root / "old.gz").write_bytes(packed)
    with Inflaters() as inflaters:
        reader.drain(max_bytes=50_000, turn_bytes=10_000, inflaters=inflaters)
    reader.drain(max_bytes=50_000)

    assert numbers(reader.lines) == [*range(10_000)]


def test_damaged_archive_is_reported_when_read(reader: Reader) -> None:
    """What can be inflated is read, and the damage is named."""
    (reader.root / "cut.gz").write_bytes(gzip.compress(os.urandom(30).hex().encode() + b"\n" + block(0, 3000))[:-40])
    reader.drain()
    reader.drain()

    assert reader.lines
    assert reader.problems == [f"{reader.root / 'cut.gz'}: the gzip stream ends early"]


def test_bomb_is_given_up_when_it_inflates_too_far(reader: Reader) -> None:
    """A gzip file that no log can be is left with a reason."""
    (reader.root / "bomb.gz").write_bytes(gzip.compress(b"\0" * 90_000_000, 9))
    reader.drain()

    assert reader.lines == []
    assert "inflates more than 500-fold" in reader.problems[0]


def test_rest_is_emitted_when_a_rotated_file_is_quiet(reader: Reader) -> None:
    """The end without a newline of a rotated file is a line; that of a live file is not."""
    live = reader.root / "live.log"
    path = reader.root / "app.log"
    live.write_bytes(b"live half")
    path.write_bytes(b"first\nlast words")
    reader.drain()
    path.rename(reader.root / "app.log.1")
    path.write_bytes(b"new\n")
    reader.now_s = path.stat().st_ctime + 1
    reader.poll()
    before = list(reader.lines)
    reader.now_s += 100
    reader.drain()

    assert before == [b"first", b"new"]
    assert reader.lines == [b"first", b"new", b"last words"]


def test_long_line_is_cut_when_over_the_limit(reader: Reader) -> None:
    """A line over the limit gives its beginning, marked; the next line is whole; memory stays bounded."""
    path = reader.root / "app.log"
    with path.open("wb") as file:
        file.write(b"short\n")
        for _ in range(64):
            file.write(b"x" * 1_000_000)
    reader.drain()
    append(path, b"\nafter\n")
    reader.drain()

    assert [len(line) for line in reader.lines] == [5, 1024 * 1024, 5]
    assert reader.marks == ["cut"]
    assert reader.ids[2][1] == 6 + 64_000_000 + 1


def test_line_longer_than_a_turn_is_whole_when_under_the_limit(reader: Reader) -> None:
    """A turn stretches for one long line, up to the limit exactly."""
    path = reader.root / "app.log"
    path.write_bytes(b"a" * 1024 * 1024 + b"\n" + b"b" * (1024 * 1024 + 1) + b"\nc\n")
    reader.drain()

    assert [len(line) for line in reader.lines] == [1024 * 1024, 1024 * 1024, 1]
    assert reader.marks == ["cut"]


def test_nuls_are_passed_by_when_a_file_is_sparse(reader: Reader) -> None:
    """The hole that a truncation leaves before the writer's offset is no part of the next line."""
    path = reader.root / "app.log"
    with path.open("wb") as file:
        file.write(b"one\n")
        file.seek(300_000_000)
        file.write(b"two\n\0\0\0three\n")
    reader.drain()
    with path.open("ab") as file:
        file.truncate(300_100_000)
    reader.drain()

    assert reader.lines == [b"one", b"two", b"three"]


def test_only_regular_files_are_read_when_others_lie_there(reader: Reader, tmp_path: Path) -> None:
    """Links, pipes, hidden and temporary files are left alone; subfolders are read."""
    outside = tmp_path / "secret.log"
    outside.write_bytes(b"secret\n")
    (reader.root / "link.log").symlink_to(outside)
    (reader.root / "folder").symlink_to(tmp_path)
    os.mkfifo(reader.root / "pipe.log")
    for name in (".hidden", "a.swp", "a.tmp", "a.log~"):
        (reader.root / name).write_bytes(b"no\n")
    (reader.root / "old.zip").write_bytes(b"PK\n")
    (reader.root / "sub" / "deeper").mkdir(parents=True)
    (reader.root / "sub" / "deeper" / "b.log").write_bytes(b"yes\n")
    reader.drain()

    assert reader.lines == [b"yes"]
    assert reader.counters["special"] == 3
    named = {Path(problem.partition(": ")[0]).name for problem in reader.problems}
    assert named == {"old.zip", "link.log", "folder", "pipe.log"}


def test_hard_link_is_read_once_when_both_names_are_there(reader: Reader) -> None:
    """Two names of one file are one file."""
    (reader.root / "a.log").write_bytes(b"one\n")
    os.link(reader.root / "a.log", reader.root / "b.log")
    reader.drain()
    reader.drain()

    assert reader.lines == [b"one"]


def test_unreadable_file_is_reported_when_rights_are_missing(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is named and stops nothing; with its rights back it goes on where it was."""
    (reader.root / "a.log").write_bytes(block(0, 1))
    (reader.root / "b.log").write_bytes(block(1, 1))
    reader.drain()
    append(reader.root / "a.log", block(2, 1))
    append(reader.root / "b.log", block(3, 1))
    real_open = os.open

    def refuse(path: object, *rest: object, **more: object) -> int:
        if str(path).endswith("a.log"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("os.open", refuse)
        reader.poll()
    refused = list(reader.lines)
    reader.drain()

    assert numbers(refused) == [0, 1, 3]
    assert reader.problems == [f"{reader.root / 'a.log'}: Permission denied"]
    assert numbers(reader.lines) == [0, 1, 3, 2]


def test_every_file_gets_its_turn_when_one_is_huge(reader: Reader) -> None:
    """A small file is read in the first poll although a large one fills it."""
    (reader.root / "a-huge.log").write_bytes(block(0, 20_000))
    (reader.root / "b-small.log").write_bytes(block(90_000, 1))

    got = reader.poll(max_bytes=100_000, turn_bytes=50_000)

    assert got.is_more
    assert 90_000 in numbers(reader.lines)
    assert got.counters["bytes"] <= 150_000


def test_file_is_forgotten_when_gone_for_long(reader: Reader) -> None:
    """The register of files does not grow for ever."""
    path = reader.root / "app.log"
    path.write_bytes(block(0, 10))
    reader.drain()
    path.unlink()
    reader.drain()
    kept = dict(reader.kept)
    reader.now_s += 8 * 86_400
    reader.drain()

    assert len(kept) == 1
    assert reader.kept == {}


def test_missing_folder_is_an_error_when_polled(tmp_path: Path) -> None:
    """Without its folder nothing is taken for deleted: the caller is told."""
    with pytest.raises(TerminalError, match="LOG_SENTINEL_DIR"):
        poll(Watched.under(tmp_path / "nowhere"), [], now_s=0.0)


def test_path_is_valid_text_when_the_name_is_not_utf8(reader: Reader) -> None:
    """A name with other bytes is read, and shown escaped."""
    (reader.root / os.fsdecode(b"caf\xe9.log")).write_bytes(b"one\n")

    got = reader.poll()

    assert got.lines["origin"].to_list() == [str(reader.root / "caf\\xe9.log")]


def test_checkpoints_read_again_what_a_lost_commit_covered(reader: Reader) -> None:
    """The same checkpoints give the same lines at the same positions, so that a lost commit costs nothing."""
    path = reader.root / "app.log"
    path.write_bytes(block(0, 10))
    first = reader.poll()
    append(path, block(10, 10))
    kept = list(reader.kept.values())

    once = poll(Watched.under(reader.root), kept, now_s=reader.now_s)
    again = poll(Watched.under(reader.root), [replace(one) for one in kept], now_s=reader.now_s)

    assert first.lines.height == 10
    assert once.lines.equals(again.lines)
    assert once.checkpoints == again.checkpoints


@pytest.mark.parametrize("seed", range(12))
def test_id_that_comes_again_is_the_same_line(tmp_path: Path, seed: int) -> None:
    """Two homes, one put back from an older copy and one made anew read files that are appended, truncated, replaced
    and rotated: whatever (generation, offset) comes twice, the same bytes stood there."""
    dice, root, number = random.Random(seed), tmp_path / "in", itertools.count()
    root.mkdir()
    path = root / "app.log"
    readers, copies = [Reader(root), Reader(root)], [dict[str, Checkpoint]()]
    finished: list[Reader] = []

    def lines() -> bytes:
        widths = [dice.choice((3, 40, 900)) for _ in range(dice.randint(1, 9))]
        return b"".join(b"%08d %s\n" % (next(number), b"x" * width) for width in widths)

    for _ in range(60):
        step = dice.choice(("append", "append", "poll", "poll", "truncate", "replace", "rotate", "restore", "anew"))
        if step == "truncate":
            path.write_bytes(lines())  # the same inode
        elif step == "replace":
            path.unlink(missing_ok=True)
            path.write_bytes(lines())  # often the inode of the one before
        elif step == "rotate" and path.exists():
            path.rename(root / f"app.log.{next(number)}")
        elif step == "restore":
            copies.append(dict(readers[0].kept))
            readers[0].kept = dict(dice.choice(copies))
        elif step == "anew":
            finished.append(readers[1])
            readers[1] = Reader(root)
        elif step == "poll":
            dice.choice(readers).drain()
        else:
            append(path, lines())

    stood: dict[tuple[str, int], bytes] = {}
    for reader in (*readers, *finished):
        for place, line in zip(reader.ids, reader.lines, strict=True):
            assert stood.setdefault(place, line) == line
    generations = [{generation for generation, _ in reader.ids} for reader in (*readers, *finished)]
    assert sum(map(len, generations)) == len(set().union(*generations))
