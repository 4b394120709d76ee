"""Homes and disks that cannot be used: a sentence with the way out and exit code 1, never a traceback."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentinel import durable
from sentinel.durable import make_private_dir, read_file, write_file
from sentinel.home import is_for_others

Command = Callable[..., Any]
VERBS = ("collect", "load", "status", "spool list", "dead-letters list", "train", "score --file x --out y")


@pytest.mark.parametrize("verb", VERBS)
def test_home_that_cannot_be_made_is_told(
    sentinel_command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The setting is named."""
    home.write_text("in the way")
    monkeypatch.setenv("LOG_SENTINEL_HOME", str(home / "deeper"))
    Path("x").write_text("line\n")

    ran = sentinel_command(*verb.split())

    assert ran.code == 1
    assert "LOG_SENTINEL_HOME" in ran.err
    assert "Traceback" not in ran.err


def test_what_the_system_refuses_is_told(
    sentinel_command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk under a command that writes files: the file and the cause, and where to look."""
    home.mkdir()
    Path("lines.log").write_text("".join(f"line {i}\n" for i in range(3)))

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    ran = sentinel_command("train", "--file", "lines.log")

    assert ran.code == 1
    assert "No space left on device" in ran.err
    assert "sentinel doctor" in ran.err


def test_doctor_tells_of_a_home_that_may_not_be_written(
    sentinel_command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the home would have to be made."""
    monkeypatch.setattr("sentinel.cli.doctor.os.access", lambda path, mode: str(path) != str(home.parent))

    ran = sentinel_command("doctor")

    assert ran.code == 1
    assert f"may not write in {home.parent}" in ran.out


def test_all_folders_made_are_private(tmp_path: Path) -> None:
    """The ones above the wanted one too."""
    made = make_private_dir(tmp_path / "a" / "b" / "c")

    (made / "file").write_text("in the way")

    with pytest.raises(FileExistsError):
        make_private_dir(made / "file")
    assert [folder.stat().st_mode & 0o777 for folder in (made, made.parent, made.parent.parent)] == [0o700] * 3


def test_a_write_that_fails_names_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's error alone does not."""

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)

    with pytest.raises(OSError, match="No space left") as caught:
        write_file(tmp_path / "model.bin", b"x")

    assert caught.value.filename == str(tmp_path / "model.bin")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o2775])
def test_home_that_others_may_enter_is_tightened(
    sentinel_command: Command, home: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """A folder that was made before, with the rights of any folder, is the owner's alone afterwards, and says so."""
    home.mkdir()
    home.chmod(mode)

    sentinel_command("collect")

    assert home.stat().st_mode & 0o777 == 0o700
    assert "tightened" in caplog.text


def test_home_that_is_for_everybody_is_refused(sentinel_command: Command, home: Path) -> None:
    """Closing it would break what others do there; nothing is changed."""
    home.mkdir()
    home.chmod(0o1777)

    ran = sentinel_command("collect")

    assert ran.code == 2
    assert "LOG_SENTINEL_HOME" in ran.err
    assert home.stat().st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize("folder", ["/", "/tmp", "/var", "/var/log", "/usr/local", "/home", "/root", "~"])
def test_home_is_no_folder_of_the_system(folder: str) -> None:
    """Nor a user's own, in which everything else lies."""
    assert is_for_others(Path(folder).expanduser())


def test_home_may_lie_within_folders_of_the_system(tmp_path: Path) -> None:
    """As services have it."""
    assert not [path for path in ("/var/lib/sentinel", "/data", "/opt/sentinel/var") if is_for_others(Path(path))]
    assert not is_for_others(tmp_path)


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "huge", "gone"])
def test_file_of_ours_is_read_only_where_it_is_one(tmp_path: Path, kind: str) -> None:
    """What stands in its place is an error at once: a FIFO would be waited for without end."""
    path = tmp_path / "state"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "huge":
        path.write_bytes(bytes(11))

    with pytest.raises(OSError, match=str(path)):
        read_file(path, max_bytes=10)
