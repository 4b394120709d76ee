"""Which files are read: places, globs, what is left out, links, and names of other people's files."""

import os
from pathlib import Path

import pytest

from sentinel.collect import Watched, walk
from sentinel.errors import TerminalError

SHOP = ["shop/eu/app.log", "shop/us/app.log"]
WEB = ["web/access.log", "web/error.log", "web/old/access.log"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "web/access.log",
        "web/error.log",
        "web/old/access.log",
        "shop/eu/app.log",
        "shop/us/app.log",
        "shop/us/debug.txt",
        ".cache/app.log",
        "alone.log",
    ):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"line\n")
    return tmp_path / "logs"


def names(tree: Path, *places: str, **more: tuple[str, ...]) -> list[str]:
    found = walk(Watched(tuple(str(tree / place) for place in places), **more))  # type: ignore[arg-type]
    assert found.problems == []
    return [str(Path(entry.path).relative_to(tree)) for entry in found.entries]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("", ["alone.log", *SHOP, "shop/us/debug.txt", *WEB]),
        ("alone.log", ["alone.log"]),
        ("*.log", ["alone.log"]),
        ("web", WEB),
        ("w*", WEB),
        ("*/*.log", ["web/access.log", "web/error.log"]),
        ("**/*.log", ["alone.log", *SHOP, *WEB]),
        ("shop/??/app.log", SHOP),
        ("shop/[a-u][r-t]/*", ["shop/us/app.log", "shop/us/debug.txt"]),
        ("shop/**/debug*", ["shop/us/debug.txt"]),
        (".cache/*.log", [".cache/app.log"]),
        ("nothing*", []),
    ],
)
def test_place_finds_its_files(tree: Path, place: str, found: list[str]) -> None:
    """A folder stands for all in it, a glob for what it matches: `*` within one name, `**` across folders."""
    assert names(tree, place) == found


def test_places_that_overlap_give_each_file_once(tree: Path) -> None:
    """A file that two places name is there once."""
    assert names(tree, "web", "web/access.log", "web/*.log") == [
        "web/access.log",
        "web/error.log",
        "web/old/access.log",
    ]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (("*.txt", "web"), ["alone.log", "shop/eu/app.log", "shop/us/app.log"]),
        (("web/old",), ["alone.log", "shop/eu/app.log", "shop/us/app.log", "shop/us/debug.txt", "web/access.log"]),
        (("us/*.log", "web/**/access.log"), ["alone.log", "shop/eu/app.log", "shop/us/debug.txt"]),
    ],
)
def test_excluded_files_are_left_out(tree: Path, exclude: tuple[str, ...], left: list[str]) -> None:
    """A glob without a slash names files and folders anywhere, one with a slash the end of a path."""
    assert [name for name in names(tree, "", exclude=exclude) if name != "web/error.log"] == left


def test_absolute_path_is_excluded_alone(tree: Path) -> None:
    """An absolute glob means that path and no other."""
    assert names(tree, "web", exclude=(f"{tree}/web/*.log",)) == ["web/old/access.log"]


def test_missing_place_hides_no_other(tree: Path) -> None:
    """A place that is not there is named, and nothing under it counts as deleted; with none left it is an error."""
    found = walk(Watched.under(tree / "web", tree / "nowhere"))

    assert len(found.entries) == 3
    assert [path for path, _ in found.problems] == [str(tree / "nowhere")] == found.blind
    with pytest.raises(TerminalError, match="LOG_SENTINEL_DIR"):
        walk(Watched.under(tree / "nowhere", tree / "neither"))


def test_link_is_followed_when_it_ends_in_a_named_folder(tree: Path, tmp_path: Path) -> None:
    """A chain of links is followed to a regular file under an allowed folder, and to nothing else."""
    pods, secret = tmp_path / "pods", tmp_path / "secret"
    (pods / "web").mkdir(parents=True)
    (pods / "web" / "0.log").write_bytes(b"pod\n")
    secret.write_bytes(b"no\n")
    (pods / "bad.log").symlink_to(secret)
    links = tree / "containers"
    links.mkdir()
    (links / "a.log").symlink_to(pods / "web" / "0.log")
    (links / "b.log").symlink_to(links / "a.log")
    (links / "bad.log").symlink_to(pods / "bad.log")
    (links / "folder").symlink_to(pods / "web")
    (links / "gone.log").symlink_to(pods / "gone")

    allowed = walk(Watched((str(links),), links=(str(pods),)))
    refused = walk(Watched((str(links),)))

    assert [Path(entry.path).name for entry in allowed.entries] == ["a.log", "b.log"]
    assert len({entry.inode for entry in allowed.entries}) == 1
    assert {Path(path).name for path, _ in allowed.passed} == {"bad.log", "folder", "gone.log"}
    assert refused.entries == []
    assert {reason for _, reason in refused.passed} == {
        "a link is not followed: LOG_SENTINEL_LINKS names the folders in which links may end"
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
def test_hard_link_to_another_users_file_is_named(tree: Path, tmp_path: Path) -> None:
    """Who may write to a folder of logs cannot have the files of others read by linking them there."""
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"secret\n")
    os.link(foreign, tree / "web" / "foreign.log")
    os.chown(foreign, 4711, 4711)
    os.link(tree / "web" / "access.log", tree / "web" / "own.log")

    found = walk(Watched.under(tree / "web"))

    assert "foreign.log" not in {Path(entry.path).name for entry in found.entries}
    assert "own.log" in {Path(entry.path).name for entry in found.entries}
    assert found.passed == [(str(tree / "web/foreign.log"), "a hard link to another user's file is not read")]


def test_folder_swapped_for_a_link_is_not_entered(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that becomes a link between the look and the opening leads nowhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.log").write_bytes(b"secret\n")
    real, swapped = os.open, []

    def swap(path: str, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        if path == "old" and dir_fd is not None and not swapped:
            (tree / "web/old").rename(tmp_path / "was")
            (tree / "web/old").symlink_to(outside)
            swapped.append(path)
        return real(path, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swap)
    found = walk(Watched.under(tree))

    assert swapped
    assert not [entry for entry in found.entries if "secret" in entry.path]
