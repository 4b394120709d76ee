"""`sentinel collect`: the folder that is read where none was chosen, and the logs that nobody reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentinel import settings as reading

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
    monkeypatch.setattr(reading, "SYSTEM_FOLDER", usual)
    silent = sentinel_command("collect").err
    monkeypatch.delenv("LOG_SENTINEL_DIR")

    told = sentinel_command("collect").err
    doctor = sentinel_command("doctor").out

    advice = f"LOG_SENTINEL_DIR={usual} has them read"
    assert advice not in silent
    assert advice in told
    assert advice in doctor
