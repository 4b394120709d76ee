"""`sentinel collect`: the folder that is read where none was chosen, and the logs that nobody reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentinel import settings as settings_room
from sentinel.cli.progress import working
from sentinel.pipeline.report import nobody

Command = Callable[..., Any]


def test_own_folder_is_read_when_none_is_chosen(
    sentinel_command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without LOG_SENTINEL_DIR every command reads `in` under the home, and makes it."""
    monkeypatch.delenv("LOG_SENTINEL_DIR")

    looked = sentinel_command("doctor")
    empty = sentinel_command("collect")
    (home / "in" / "app.log").write_text("one\n")
    filled = sentinel_command("collect", "--json")

    assert f"{home / 'in'} can be read" in looked.out
    assert empty.code == filled.code == 0
    assert '"accepted":1' in filled.out.replace(" ", "")


def test_logs_that_nobody_reads_are_pointed_out(
    sentinel_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the usual folder of a system has logs and no folder was chosen, doctor and collect say so."""
    usual = tmp_path / "usual"
    usual.mkdir()
    (usual / "app.log").write_text("one\n")
    monkeypatch.setattr(settings_room, "SYSTEM_FOLDER", usual)
    silent = sentinel_command("collect").err
    monkeypatch.delenv("LOG_SENTINEL_DIR")

    told = sentinel_command("collect").err
    doctor = sentinel_command("doctor").out

    advice = f"LOG_SENTINEL_DIR={usual} has them read"
    assert advice not in silent
    assert advice in told
    assert advice in doctor


def test_chosen_paths_are_read_once_and_nothing_else(sentinel_command: Command, home: Path, tmp_path: Path) -> None:
    """A backfill reads its files from their beginning, a second one nothing; the watched files go on as before."""
    watched, old = tmp_path / "in" / "app.log", tmp_path / "old"
    watched.write_text("INFO one\n")
    old.mkdir()
    (old / "a.log").write_text("INFO old a\n")
    (old / "b.txt").write_text("INFO old b\n")
    counts = []
    for arguments in ([], [str(old / "*.log")], [str(old)], [str(old)], []):
        with watched.open("a") as file:
            file.write("INFO more\n")
        told = json.loads(sentinel_command("collect", *arguments, "--json").out)
        counts.append((told["files"], told["accepted"]))

    assert counts == [(1, 2), (1, 1), (1, 1), (0, 0), (1, 4)]


def test_progress_is_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar tells lines a second and bytes; without a terminal there is none."""
    with working() as quiet:
        assert quiet is nobody
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with working() as show:
        assert show is not nobody
        show("reading", 2_000_000, 5_000_000, 1_000)
