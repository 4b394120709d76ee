"""A hundred thousand lines get the same scores in one batch, line by line, and across kills in mid-stream."""

import os
import pickle
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sentinel.detect import One, Scorer
from sentinel.detect.learn.fit import Trained
from sentinel.simulate import fleet, inject

LINES = 100_000
EXACT = 1e-12
CHILD = """
import os, pickle, sys
from pathlib import Path
import numpy as np, polars as pl
from sentinel.detect import Scorer

folder = Path(sys.argv[1])
model, state = pickle.loads((folder / "model").read_bytes())
lines = pl.read_ipc(folder / "lines.arrow")
at, nats = 0, np.zeros(0)
if (folder / "saved").exists():
    at, state, nats = pickle.loads((folder / "saved").read_bytes())
scorer = Scorer(model, state)
while at < lines.height:
    part = lines[at : at + 4_000]
    nats = np.concatenate([nats, scorer.score(part)["nats"].to_numpy()])
    at += part.height
    (folder / "new").write_bytes(pickle.dumps((at, scorer.state(), nats)))
    os.replace(folder / "new", folder / "saved")
    Scorer(model, scorer.state()).score(lines[at : at + 50])  # seen, not saved
"""


@pytest.fixture(scope="module")
def stream() -> pl.DataFrame:
    """A hundred thousand lines of three days, with attacks of all kinds in them."""
    background = fleet(seed=5, start=datetime(2026, 3, 3, tzinfo=UTC), duration_s=75 * 3600)
    lines = inject(background, seed=6, each=2).lines.head(LINES)
    return lines.select("timestamp", "level", "source", "host", "message").with_columns(
        attributes=pl.lit(None, dtype=pl.String)
    )


@pytest.fixture(scope="module")
def whole(trained: Trained, stream: pl.DataFrame) -> np.ndarray:
    return Scorer(trained.model, trained.state).score(stream)["nats"].to_numpy()


@pytest.mark.slow
def test_line_by_line_is_the_same(trained: Trained, stream: pl.DataFrame, whole: np.ndarray) -> None:
    """Each line alone gets the nats that the batch gives it, for 100,000 lines."""
    scorer = Scorer(trained.model, trained.state)
    times = stream["timestamp"].dt.epoch("ns").to_numpy() / 1e9
    rest = stream.select("level", "source", "message").iter_rows()

    alone = [
        scorer.score_one(One(t, level, source, text)).nats for t, (level, source, text) in zip(times, rest, strict=True)
    ]

    assert len(alone) == LINES
    assert np.max(np.abs(whole - np.array(alone))) <= EXACT


@pytest.mark.slow
@pytest.mark.faults
def test_killed_in_mid_stream_is_the_same(
    trained: Trained, stream: pl.DataFrame, whole: np.ndarray, tmp_path: Path
) -> None:
    """A process killed twice by SIGKILL goes on from its saved state: every line has the nats of the whole."""
    (tmp_path / "model").write_bytes(pickle.dumps((trained.model, trained.state)))
    stream.write_ipc(tmp_path / "lines.arrow")
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    saved = tmp_path / "saved"

    for share in (0.2, 0.6):
        child = subprocess.Popen(command)
        while not saved.exists() or pickle.loads(saved.read_bytes())[0] < share * LINES:
            assert child.poll() is None
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    subprocess.run(command, check=True)

    at, _, nats = pickle.loads(saved.read_bytes())
    assert at == len(nats) == LINES
    assert np.max(np.abs(whole - nats)) <= EXACT
