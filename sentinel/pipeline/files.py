"""NDJSON files and single documents, outside the spool: read, learnt from, judged. Nothing here is delivered."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from sentinel.errors import NoModelError, TerminalError
from sentinel.parse import Document, decode_body, parse_documents
from sentinel.pipeline import state as states
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Progress, nobody
from sentinel.pipeline.scorers import scorer_of
from sentinel.pipeline.words import Heard
from sentinel.records import empty_records

__all__ = ["NO_MODEL", "judge", "read_documents", "read_training"]

CHUNK_LINES = 50_000
NDJSON = "application/x-ndjson"
NO_MODEL = "there is no model yet; run `sentinel train --file F.ndjson`, or POST /train"


def read_documents(
    path: Path, now: datetime, progress: Progress = nobody
) -> Iterator[tuple[list[int], pl.DataFrame, pl.DataFrame]]:
    """Chunks of an NDJSON file: the line of each document, from 1; their records (event_id is the document's number,
    from 0); the rejected. Where documents share lines or spread over several, their own number stands for the line's.
    """
    start, line, done, total = 0, 1, 0, path.stat().st_size
    with path.open("rb") as file:
        while lines := list(itertools.islice(file, CHUNK_LINES)):
            numbers = [n for n, text in enumerate(lines, line) if text.strip()]
            written = b"".join(text for text in lines if text.strip())
            bodies = (decode_body(written, NDJSON).documents or []) if written else []
            if len(bodies) != len(numbers):
                numbers = list(range(start + 1, start + 1 + len(bodies)))
            documents = [Document(body, f"{start + i:022d}", "file") for i, body in enumerate(bodies)]
            parsed = parse_documents(documents, now=now)  # the partition does not matter: nothing of it is kept
            yield numbers, parsed.records, parsed.rejected.with_columns(pl.col("index") + start)
            start, line, done = start + len(documents), line + len(lines), done + sum(map(len, lines))
            progress("reading", done, total, start)


def read_training(path: Path, *, now: datetime, progress: Progress = nobody) -> tuple[pl.DataFrame, int]:
    """The records of an NDJSON file of `{timestamp, level, message, source}`, and how many lines were rejected."""
    frames, rejected = [empty_records()], 0
    for _, records, refused in read_documents(path, now, progress):
        frames.append(records)
        rejected += refused.height
    return pl.concat(frames), rejected


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
    scorer, _ = scorer_of(model, model_state, running, threshold_nats=sentinel.threshold_nats)
    heard = Heard(sentinel.spool, sentinel.threshold_nats, now.timestamp())
    heard.tune(scorer)
    return heard.apply(parsed.records, scorer.peek(parsed.records)).row(0, named=True)
