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

from sentinel.detect import Model, Scorer, Switches
from sentinel.evaluation.blocks import make_blocks
from sentinel.evaluation.case import records_of
from sentinel.evaluation.logs import read_log
from sentinel.evaluation.measure import auroc, average_precision, best_f1
from sentinel.evaluation.ours import OURS, model_of

__all__ = [
    "WHOLE",
    "SessionCase",
    "fault_sequences",
    "run_sessions",
    "score_whole",
    "sequences_case",
    "session_cases",
]

Floats = npt.NDArray[np.float64]
START = datetime(2026, 11, 2, tzinfo=UTC)
LETTERS = "bcdfghjklmnpqrstvwxz"
BLOCK = r"(blk_-?\d+)"
BLOCKS, FAILING = 6_000, 0.02
WHOLE = f"{OURS}: whole session"
ANY = f"{OURS}: session or any line"


@dataclass(frozen=True, slots=True)
class SessionCase:
    """Records whose attributes name their session; `truth` has session and label (1 anomalous) of the test sessions."""

    name: str
    about: str
    train: pl.DataFrame
    test: pl.DataFrame
    truth: pl.DataFrame


def session_cases(data: Path) -> Iterator[SessionCase]:
    """HDFS raw lines, made blocks, HDFS sequences, OpenStack and Hadoop sequences."""
    yield _hdfs_lines(data)
    yield _made_blocks()
    yield _hdfs_sequences(data)
    yield _faults(
        data, "openstack", ["openstack_test_abnormal"], "event ids of instance life cycles; 25 normal ones teach"
    )
    kinds = ("disk_full", "machine_down", "network_disconnection")
    about = "event ids of containers; 9 normal ones teach; 84 % of the test are faulty: flagging all scores F1 .915"
    yield _faults(data, "hadoop", [f"hadoop_test_abnormal_{kind}" for kind in kinds], about)


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


def _made_blocks() -> SessionCase:
    """Blocks that are not cut off: those that begin in the first half teach, anomalous ones among them."""
    lines, blocks = make_blocks(BLOCKS, start=START, anomalous=FAILING, seed=1)
    first_late = START + timedelta(seconds=blocks["begins"][BLOCKS // 2])
    one_block = pl.col("message").str.count_matches(BLOCK) == 1  # else it is for the detector to tell
    named = pl.when(one_block).then(pl.col("message").str.extract(BLOCK)).alias("session")
    early = named.is_in(blocks["session"][: BLOCKS // 2].to_list()).fill_null(pl.col("timestamp") < first_late)
    split = lines.select(early.alias("early"))["early"]
    records = records_of(lines.with_columns(named))
    about = "lines made after HDFS, whole blocks, 2 % of them failing in the ways that Xu et al. list"
    truth = blocks[BLOCKS // 2 :].select("session", "label")
    return SessionCase("made blocks", about, records.filter(split), records.filter(~split), truth)


def _hdfs_sequences(data: Path) -> SessionCase:
    with gzip.open(data / "hdfs_100k_sessions.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    parts = {part: [row for row in rows if row["split"] == part] for part in ("train", "test")}
    about = "deep-loglizer's 100k blocks (stands for HDFS of AIT), unlabelled training with its anomalies"
    return sequences_case(
        "HDFS sequences", about, [row["templates"] for row in parts["train"]],
        [row["templates"] for row in parts["test"]], [int(row["label"]) for row in parts["test"]],
    )  # fmt: skip


def _faults(data: Path, system: str, faults: list[str], about: str) -> SessionCase:
    normal = fault_sequences(data, f"{system}_test_normal")
    faulty = [sequence for fault in faults for sequence in fault_sequences(data, fault)]
    labels = [0] * len(normal) + [1] * len(faulty)
    name = {"openstack": "OpenStack", "hadoop": "Hadoop"}[system]
    return sequences_case(
        f"{name} sequences", about, fault_sequences(data, f"{system}_train"), [*normal, *faulty], labels
    )


def fault_sequences(data: Path, name: str) -> list[list[str]]:
    """The sequences of a file of event ids, each event as a text."""
    lines = (data / name).read_text(encoding="utf-8").splitlines()
    return [[f"event {_word(number)}" for number in line.partition(",")[2].split()] for line in lines if line]


def _word(number: str) -> str:
    """An event's number as letters, since figures in a message are masked."""
    return "".join(LETTERS[int(digit)] + LETTERS[int(digit) + 10] for digit in number)


def sequences_case(
    name: str, about: str, train: list[list[str]], test: list[list[str]], labels: list[int]
) -> SessionCase:
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
    """Figures of our verdicts on whole sessions, of our lines' nats taken together by session, and of the peers."""
    model, state = model_of(case.train, seed=seed)
    label = case.truth["label"].to_numpy().astype(np.int64)
    whole = _whole(case, model, state)
    highest, mean = _lines(case, model, state)
    own = model.threshold_nats
    return [
        _figures(case, WHOLE, label, whole, own),
        _figures(case, ANY, label, np.maximum(whole, highest), own),
        _figures(case, f"{OURS}: highest line", label, highest, own),
        _figures(case, f"{OURS}: mean of the lines", label, mean, float("nan")),
        *(_figures(case, name, label, *found) for name, found in _peers(case, seed).items()),
    ]


def score_whole(case: SessionCase, *, seed: int) -> dict[str, Any]:
    """Figures of our verdicts on whole sessions alone."""
    model, state = model_of(case.train, seed=seed)
    label = case.truth["label"].to_numpy().astype(np.int64)
    return _figures(case, WHOLE, label, _whole(case, model, state), model.threshold_nats)


def _whole(case: SessionCase, model: Model, state: bytes) -> Floats:
    """The highest nats that the detector gave each session of the truth, in flight or when it was over."""
    scorer = Scorer(model, state)
    scorer.score(case.test)
    scorer.ended(for_good=True)
    given = scorer.standing()
    return np.array([given.get(name, 0.0) for name in case.truth["session"].to_list()])


def _lines(case: SessionCase, model: Model, state: bytes) -> tuple[Floats, Floats]:
    """The highest and the mean nats of each session's lines, by themselves."""
    verdicts = Scorer(model, state, switches=Switches(sessions=False)).score(case.test)
    by_line = pl.DataFrame({"session": _sessions_of(case.test), "nats": verdicts["nats"]})
    by_session = by_line.group_by("session").agg(highest=pl.col("nats").max(), mean=pl.col("nats").mean())
    joined = case.truth.join(by_session, on="session", how="left", maintain_order="left").fill_null(0.0)
    return joined["highest"].to_numpy(), joined["mean"].to_numpy()


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
    """Count vectors with an Isolation Forest (as loglizer does), events never seen, length, flagging all.

    The last is no method but a bound: the best ranking by counts of events that knows the labels.
    """
    from sklearn.ensemble import IsolationForest

    learnt, asked = _counts(case, case.train, None), _counts(case, case.test, case.truth["session"])
    known = learnt.sum(0) > 0
    weight = np.log(len(learnt) / np.maximum((learnt > 0).sum(0), 0.5)) * known
    forest = IsolationForest(n_estimators=100, random_state=seed, n_jobs=1).fit(learnt * weight)
    unseen = asked[:, ~known].sum(1).astype(float)
    lengths, usual = asked.sum(1), learnt.sum(1)
    odd = np.maximum(lengths / usual.max(), usual.min() / np.maximum(lengths, 1.0))
    return {
        "event-count isolation forest": (-forest.score_samples(asked * weight), -float(forest.offset_)),
        "event never seen": (unseen, 0.5),
        "length": (odd, 1.0 + 1e-9),
        "flag everything": (np.ones(len(asked)), 0.5),
        "bound: counts and labels known": (_bound(asked, case.truth["label"].to_numpy()), float("nan")),
    }


def _bound(counts: Floats, label: npt.NDArray[np.int64]) -> Floats:
    """The share of anomalous sessions among those with the very same counts: nothing made of counts ranks better."""
    _, which = np.unique(counts, axis=0, return_inverse=True)
    which = which.ravel()
    shares: Floats = np.bincount(which, label == 1) / np.maximum(np.bincount(which), 1)
    return shares[which]


def _counts(case: SessionCase, records: pl.DataFrame, sessions: pl.Series | None) -> Floats:
    """(n_sessions, n_shapes) event counts; shapes are those of the whole case, sessions in the given order."""
    mask = pl.col("message").str.replace_all(r"\d[\w.:/-]*|blk_-?", "#")
    shapes = (
        pl.concat([case.train, case.test]).select(mask.alias("shape")).unique().sort("shape").with_row_index("column")
    )
    coded = records.select(mask.alias("shape")).join(shapes, on="shape", how="left", maintain_order="left")
    own = _sessions_of(records)
    order = own.drop_nulls().unique(maintain_order=True) if sessions is None else sessions
    rows = pl.DataFrame({"session": order, "row": range(len(order))})
    places = own.to_frame().join(rows, on="session", how="left", maintain_order="left")
    of_one = places["row"].is_not_null()
    counts = np.zeros((len(order), len(shapes)))
    np.add.at(counts, (places["row"].filter(of_one).to_numpy(), coded["column"].filter(of_one).to_numpy()), 1.0)
    return counts
