"""Figures say when and with which commit they were measured."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import sentinel
from sentinel.evaluation.measured import measured

NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    found = subprocess.run(["git", "-C", root, *who, *arguments], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def test_date_and_commit_are_told(tmp_path: Path) -> None:
    """Of a checkout the commit, and whether more than that was measured; else the version."""
    version = measured(NOW, root=tmp_path)
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    commit = git(tmp_path, "rev-parse", "--short", "HEAD")
    clean = measured(NOW, root=tmp_path)
    (tmp_path / "file").write_text("two")

    assert version == f"Measured on 2026-11-28 at version {sentinel.__version__}."
    assert clean == f"Measured on 2026-11-28 at {commit}."
    assert measured(NOW, root=tmp_path) == f"Measured on 2026-11-28 at {commit}, with changes that are not committed."
