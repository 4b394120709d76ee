"""NDJSON files and single documents, outside the spool: read, learn from, score, judge. Nothing here is delivered."""

import itertools
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from sentinel.detect import Scorer
from sentinel.detect.models.registry import Registry
from sentinel.errors import NoModelError, TerminalError
from sentinel.parse import Document, decode_body, parse_documents
from sentinel.pipeline import state as states
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report
from sentinel.pipeline.scorers import scorer_of
from sentinel.pipeline.words import Heard
from sentinel.records import VERDICT_SCHEMA, empty_records

__all__ = ["judge", "read_training", "score_file"]

CHUNK_LINES = 50_000
NDJSON = "application/x-ndjson"
NO_MODEL = "there is no model yet; run `sentinel train --file F.ndjson`, or POST /train"


def _read_documents(path: Path, now: datetime) -> Iterator[tuple[int, pl.DataFrame, pl.DataFrame]]:
    """Chunks of an NDJSON file: how many documents, their records (event_id is the document's number), the rejected."""
    start = 0
    with path.open("rb") as file:
        while lines := list(itertools.islice(file, CHUNK_LINES)):
            written = b"".join(line for line in lines if line.strip())
            bodies = (decode_body(written, NDJSON).documents or []) if written else []
            documents = [Document(body, f"{start + i:022d}", "file") for i, body in enumerate(bodies)]
            parsed = parse_documents(documents, now=now)  # the partition does not matter: nothing of it is kept
            yield len(documents), parsed.records, parsed.rejected.with_columns(pl.col("index") + start)
            start += len(documents)


def read_training(path: Path, *, now: datetime) -> tuple[pl.DataFrame, int]:
    """The records of an NDJSON file of `{timestamp, level, message, source}`, and how many lines were rejected."""
    frames, rejected = [empty_records()], 0
    for _, records, refused in _read_documents(path, now):
        frames.append(records)
        rejected += refused.height
    return pl.concat(frames), rejected


def score_file(registry: Registry, path: Path, out: Path, *, threshold_nats: float, now: datetime) -> Report:
    """Score an NDJSON file with the champion; one verdict a line in the order of the input, scored in order of time.

    A session that is strange as a whole stands at its last line. A line that cannot be read gets `{"error": reason}`.
    Where the file begins before the training's last line, scoring begins with an empty state, else with what the
    training had seen.
    """
    started_s = time.monotonic()
    version = registry.champion()
    if version is None:
        raise NoModelError(f"score {path}: {NO_MODEL}")
    model, state = registry.load(version)
    total, frames, problems = 0, [empty_records()], dict[int, str]()
    for count, records, refused in _read_documents(path, now):
        total += count
        frames.append(records)
        problems |= dict(refused.iter_rows())
    records = pl.concat(frames).sort("timestamp", "event_id")
    begins_later = records.height and records["timestamp"][0].timestamp() > model.span[1]
    scorer = Scorer(model, state if begins_later else None)
    scorer.threshold_nats = threshold_nats
    verdicts = scorer.score_whole(records) if records.height else pl.DataFrame(schema=VERDICT_SCHEMA)
    by_number = pl.concat(
        [records.select(pl.col("event_id").cast(pl.Int64).alias("number")), verdicts], how="horizontal"
    )
    answers: dict[int, Mapping[str, object]] = {n: {"error": reason} for n, reason in problems.items()}
    with out.open("wb") as file:
        rows = by_number.sort("number").iter_rows(named=True)
        following = next(rows, None)
        for number in range(total):
            if following is not None and following["number"] == number:
                file.write(orjson.dumps({name: following[name] for name in VERDICT_SCHEMA}) + b"\n")
                following = next(rows, None)
            else:
                file.write(orjson.dumps(answers.get(number, {"error": "the line is blank"})) + b"\n")
    counts = {
        "received": total,
        "rejected": len(problems),
        "scored": records.height,
        "anomalies": int(verdicts["is_anomaly"].sum()),
    }
    return Report("score", counts, took_s=time.monotonic() - started_s)


def judge(sentinel: Sentinel, document: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The champion's verdict on one document, against the newest saved state; changes nothing."""
    version = sentinel.registry.champion()
    if version is None:
        raise NoModelError(f"predict: {NO_MODEL}")
    parsed = parse_documents([Document(dict(document), "0" * 22, "command")], now=now)
    if parsed.records.is_empty():
        raise TerminalError(
            f"predict: {parsed.rejected['reason'][0] if parsed.rejected.height else 'nothing to judge'}"
        )
    model, model_state = sentinel.registry.load(version)
    found = states.read_newest(sentinel.spool, sentinel.home / "detector")
    running = found[1] if found is not None else None
    scorer = scorer_of(model, model_state, running, threshold_nats=sentinel.threshold_nats)
    heard = Heard(sentinel.spool, sentinel.threshold_nats, now.timestamp())
    heard.tune(scorer)
    return heard.apply(parsed.records, scorer.peek(parsed.records)).row(0, named=True)
