"""One training in a process of its own: `python -m benchmarks.fitting ours|plain FILE`, the figures as JSON."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl


def ours(records: pl.DataFrame) -> None:
    """Fit our detector."""
    from sentinel.detect.learn.fit import fit

    fit(records, now=datetime(2026, 11, 23, tzinfo=UTC))


def plain(records: pl.DataFrame) -> None:
    """What a user would write: TF-IDF of the words, an Isolation Forest on it, a threshold from the training scores."""
    import numpy as np
    from sklearn.ensemble import IsolationForest
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    messages = records["message"].to_list()
    pipeline = make_pipeline(TfidfVectorizer(max_features=1000), IsolationForest(random_state=0))
    pipeline.fit(messages)
    np.quantile(pipeline.score_samples(messages), 0.001)


WAYS: dict[str, Callable[[pl.DataFrame], None]] = {"ours": ours, "plain": plain}


def _peak_mb() -> float:
    """The most memory this process ever had; `ru_maxrss` would begin with that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    records = pl.read_ipc(sys.argv[2])
    wall, cpu = time.perf_counter(), time.process_time()
    WAYS[sys.argv[1]](records)
    figures = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": _peak_mb(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
