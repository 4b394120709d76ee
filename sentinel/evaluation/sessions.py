"""Whole sessions (blocks, requests) instead of lines: what they are scored by, and the peers beside it."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.detect import Scorer
from sentinel.evaluation.case import records_of
from sentinel.evaluation.logs import read_log
from sentinel.evaluation.measure import auroc, average_precision, best_f1
from sentinel.evaluation.ours import OURS, model_of

__all__ = ["SessionCase", "run_sessions", "session_cases"]

Floats = npt.NDArray[np.float64]
START = datetime(2026, 11, 2, tzinfo=UTC)
LETTERS = "bcdfghjklmnpqrstvwxz"
BLOCK = r"(blk_-?\d+)"


@dataclass(frozen=True, slots=True)
class SessionCase:
    """Records whose attributes name their session; `truth` has session and label (1 anomalous) of the test sessions."""

    name: str
    about: str
    train: pl.DataFrame
    test: pl.DataFrame
    truth: pl.DataFrame


def session_cases(data: Path) -> Iterator[SessionCase]:
    """HDFS raw lines, HDFS sequences and OpenStack sequences, as far as they are there."""
    yield _hdfs_lines(data)
    yield _hdfs_sequences(data)
    yield _openstack(data)


def _hdfs_lines(data: Path) -> SessionCase:
    """Blocks whose first line is in the earlier half of the blocks teach, anomalous ones among them."""
    block = pl.col("message").str.extract(BLOCK).alias("session")
    lines = read_log(data / "HDFS_20000.log").with_columns(block).filter(pl.col("session").is_not_null())
    order = lines["session"].unique(maintain_order=True)
    early = pl.col("session").is_in(order[: len(order) // 2].to_list())
    truth = pl.read_csv(data / "HDFS_20000_labels.csv").rename({"block": "session"})
    truth = truth.filter(pl.col("session").is_in(order[len(order) // 2 :].to_list()))
    records = records_of(lines.select("timestamp", "level", "source", "host", "message", "session"))
    split = lines.select(early.alias("early"))["early"]
    about = "20,000 lines (stands for HDFS 2 %): blocks of the first half teach, their anomalies too"
    return SessionCase("HDFS lines", about, records.filter(split), records.filter(~split), truth)


def _hdfs_sequences(data: Path) -> SessionCase:
    with gzip.open(data / "hdfs_100k_sessions.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    parts = {part: [row for row in rows if row["split"] == part] for part in ("train", "test")}
    about = "deep-loglizer's 100k blocks (stands for HDFS of AIT), unlabelled training with its anomalies"
    return _sequences(
        "HDFS sequences", about, [row["templates"] for row in parts["train"]],
        [row["templates"] for row in parts["test"]], [int(row["label"]) for row in parts["test"]],
    )  # fmt: skip


def _openstack(data: Path) -> SessionCase:
    def read(name: str) -> list[list[str]]:
        lines = (data / name).read_text(encoding="utf-8").splitlines()
        return [[f"event {_word(number)}" for number in line.partition(",")[2].split()] for line in lines if line]

    normal, faulty = read("openstack_test_normal"), read("openstack_test_abnormal")
    labels = [0] * len(normal) + [1] * len(faulty)
    about = "event ids of instance life cycles; 25 normal ones teach"
    return _sequences("OpenStack sequences", about, read("openstack_train"), [*normal, *faulty], labels)


def _word(number: str) -> str:
    """An event's number as letters, since figures in a message are masked."""
    return "".join(LETTERS[int(digit)] + LETTERS[int(digit) + 10] for digit in number)


def _sequences(name: str, about: str, train: list[list[str]], test: list[list[str]], labels: list[int]) -> SessionCase:
    """Sequences of templates as records: a second between events, a minute between sessions."""
    learnt, end = _laid_out(train, "t", START)
    asked, _ = _laid_out(test, "s", end)
    truth = pl.DataFrame({"session": [f"s{i}" for i in range(len(test))], "label": labels})
    return SessionCase(name, about, learnt, asked, truth)


def _laid_out(sequences: list[list[str]], prefix: str, start: datetime) -> tuple[pl.DataFrame, datetime]:
    at_s = 0.0
    rows = []
    for i, sequence in enumerate(sequences):
        for text in sequence:
            rows.append((start + timedelta(seconds=at_s), None, "sequence", text.replace("<*>", "7"), f"{prefix}{i}"))
            at_s += 1.0
        at_s += 60.0
    names = ("timestamp", "level", "source", "message", "session")
    types: list[pl.DataType] = [pl.Datetime("us", "UTC"), *(pl.String() for _ in names[1:])]
    schema = dict(zip(names, types, strict=True))
    return records_of(pl.DataFrame(rows, schema=schema, orient="row")), start + timedelta(seconds=at_s)


def _sessions_of(records: pl.DataFrame) -> pl.Series:
    return records["attributes"].str.json_path_match("$.session").alias("session")


def run_sessions(case: SessionCase, *, seed: int) -> list[dict[str, Any]]:
    """Figures of our lines' nats, taken together by session, and of the peers."""
    model, state = model_of(case.train, seed=seed)
    scorer = Scorer(model, state)
    verdicts = scorer.score(case.test)
    by_line = pl.DataFrame({"session": _sessions_of(case.test), "nats": verdicts["nats"]})
    by_session = by_line.group_by("session").agg(highest=pl.col("nats").max(), mean=pl.col("nats").mean())
    joined = case.truth.join(by_session, on="session", how="left", maintain_order="left").fill_null(0.0)
    label = joined["label"].to_numpy().astype(np.int64)
    highest, mean = joined["highest"].to_numpy(), joined["mean"].to_numpy()
    return [
        _figures(case, f"{OURS}: highest line", label, highest, scorer.threshold_nats),
        _figures(case, f"{OURS}: mean of the lines", label, mean, float("nan")),
        *(_figures(case, name, label, *found) for name, found in _peers(case, seed).items()),
    ]


def _figures(
    case: SessionCase, method: str, label: npt.NDArray[np.int64], scores: Floats, threshold: float
) -> dict[str, Any]:
    said = scores >= threshold
    true = int((said & (label == 1)).sum())
    own = float("nan") if np.isnan(threshold) else 2 * true / max(int(said.sum() + label.sum()), 1)
    return {
        "case": case.name,
        "method": method,
        "sessions": len(label),
        "anomalous": int(label.sum()),
        "auroc": auroc(label, scores),
        "ap": average_precision(label, scores),
        "f1_own": own,
        "f1_best": best_f1(label, scores),
    }


def _peers(case: SessionCase, seed: int) -> dict[str, tuple[Floats, float]]:
    """Count vectors with an Isolation Forest (as loglizer does), events never seen in training, and flagging all."""
    from sklearn.ensemble import IsolationForest

    learnt, asked = _counts(case, case.train, None), _counts(case, case.test, case.truth["session"])
    known = learnt.sum(0) > 0
    weight = np.log(len(learnt) / np.maximum((learnt > 0).sum(0), 0.5)) * known
    forest = IsolationForest(n_estimators=100, random_state=seed, n_jobs=1).fit(learnt * weight)
    unseen = asked[:, ~known].sum(1).astype(float)
    return {
        "event-count isolation forest": (-forest.score_samples(asked * weight), -float(forest.offset_)),
        "event never seen": (unseen, 0.5),
        "flag everything": (np.ones(len(asked)), 0.5),
    }


def _counts(case: SessionCase, records: pl.DataFrame, sessions: pl.Series | None) -> Floats:
    """(n_sessions, n_shapes) event counts; shapes are those of the whole case, sessions in the given order."""
    mask = pl.col("message").str.replace_all(r"\d[\w.:/-]*|blk_-?", "#")
    shapes = (
        pl.concat([case.train, case.test]).select(mask.alias("shape")).unique().sort("shape").with_row_index("column")
    )
    coded = records.select(mask.alias("shape")).join(shapes, on="shape", how="left", maintain_order="left")
    own = _sessions_of(records)
    order = own.unique(maintain_order=True) if sessions is None else sessions
    rows = pl.DataFrame({"session": order, "row": range(len(order))})
    places = own.to_frame().join(rows, on="session", how="left", maintain_order="left")
    counts = np.zeros((len(order), len(shapes)))
    np.add.at(counts, (places["row"].to_numpy(), coded["column"].to_numpy()), 1.0)
    return counts
