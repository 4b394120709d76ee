"""The Drain3 peer: its environment, made the first time under var/bench, and a run of it."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks.measure import Skipped

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "peers" / "drain3"
HOME = ROOT / "var" / "bench" / "drain3"
INSTALL_S = 300


def python() -> Path:
    """The interpreter of Drain3's environment. Raises Skipped where it cannot be made (say, without a network)."""
    interpreter = HOME / "bin" / "python"
    stamp = HOME / "installed"
    if stamp.exists():
        return interpreter
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    steps = [
        [sys.executable, "-m", "venv", "--clear", str(HOME)],
        [*pip, "--require-hashes", "-r", str(FOLDER / "build.lock")],
        [*pip, "--require-hashes", "--no-build-isolation", "-r", str(FOLDER / "requirements.lock")],
    ]
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        except subprocess.TimeoutExpired:
            raise Skipped("Drain3's environment cannot be made within five minutes") from None
        if done.returncode:
            raise Skipped(f"Drain3's environment cannot be made: {done.stderr.strip()[-200:]}")
    stamp.touch()
    return interpreter


def mine(known: pl.Series, asked: pl.Series, *, has_masks: bool) -> dict[str, float]:
    """CPU seconds that Drain3 needs for the messages `asked` after `known`: `new`, and once more, `again`.

    With masks: those of the example in its own documentation, without which addresses and numbers stay in templates.
    """
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("known", "asked")]
        for file, messages in zip(files, (known, asked), strict=True):
            file.write_text("\n".join(messages.str.replace_all("\n", " ").to_list()))
        command = [str(python()), str(FOLDER / "mine.py"), *map(str, files), "masks" if has_masks else "plain"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds
