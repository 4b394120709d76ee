"""Say of figures when they were measured, and with which commit."""

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import sentinel

__all__ = ["measured"]

ROOT = Path(__file__).parents[2]
GIT_S = 30.0


def measured(now: datetime, *, root: Path = ROOT) -> str:
    """A sentence with the date (of `now`) and the commit of `root`, or the version where it is no checkout."""
    return f"Measured on {now:%Y-%m-%d} at {_commit(root)}."


def _commit(root: Path) -> str:
    commit = _git(root, "rev-parse", "--short", "HEAD") if (root / ".git").exists() else ""
    if not commit:
        return f"version {sentinel.__version__}"
    return f"{commit}, with changes that are not committed" if _git(root, "status", "--porcelain") else commit


def _git(root: Path, *arguments: str) -> str:
    """What git says; nothing where there is no git, or it fails."""
    if (git := shutil.which("git")) is None:
        return ""
    command = [git, "-C", str(root), *arguments]
    found = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=False)  # noqa: S603 words of ours
    return found.stdout.strip() if found.returncode == 0 else ""
