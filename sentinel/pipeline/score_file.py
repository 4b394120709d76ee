"""An NDJSON file in, a verdict for each of its lines out, with the line's number and the incident it belongs to."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import orjson
import polars as pl

from sentinel.detect import Model, Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.detect.models.registry import Registry
from sentinel.errors import NoModelError
from sentinel.incidents import Incident, group
from sentinel.pipeline.anomalies import anomalies_of
from sentinel.pipeline.files import NO_MODEL, read_documents
from sentinel.pipeline.incidents import odds_of, worst_first
from sentinel.pipeline.report import Progress, Report, nobody
from sentinel.records import VERDICT_SCHEMA, empty_records

__all__ = ["score_file"]

PIECE_LINES = 20_000
SHOWN = 20  # incidents that the report names


def score_file(
    registry: Registry,
    path: Path,
    out: Path,
    *,
    threshold_nats: float,
    now: datetime,
    progress: Progress = nobody,
) -> Report:
    """Score an NDJSON file with the champion; one verdict a line in the order of the input, scored in order of time.

    A session that is strange as a whole stands at its last line. A line that cannot be read gets `{"line", "error"}`.
    Where the file begins before the training's last line, scoring begins with an empty state, else with what the
    training had seen. The report names the incidents, the gravest first.
    """
    started_s = time.monotonic()
    version = registry.champion()
    if version is None:
        raise NoModelError(f"score {path}: {NO_MODEL}")
    model, state = registry.load(version)
    numbers, frames, problems = list[int](), [empty_records()], dict[int, str]()
    for lines, records, refused in read_documents(path, now, progress):
        numbers.extend(lines)
        frames.append(records)
        problems |= dict(refused.iter_rows())
    records = pl.concat(frames).sort("timestamp", "event_id")
    verdicts = _verdicts(model, state, records, threshold_nats, progress)
    of_event, incidents = _incidents(records, verdicts)
    judged = pl.concat([records.select("event_id", "message"), verdicts], how="horizontal").with_columns(
        number=pl.col("event_id").cast(pl.Int64),
        incident=pl.col("event_id").replace_strict(of_event, default=None, return_dtype=pl.String),
    )
    _write(out, numbers, problems, judged, progress)
    counts = {"received": len(numbers), "rejected": len(problems), "scored": records.height}
    counts |= {"anomalies": int(verdicts["is_anomaly"].sum()), "incidents": len(incidents)}
    return Report("score", counts, [_row(incident) for incident in incidents[:SHOWN]], time.monotonic() - started_s)


def _verdicts(
    model: Model, state: bytes, records: pl.DataFrame, threshold_nats: float, progress: Progress
) -> pl.DataFrame:
    begins_later = records.height and records["timestamp"][0].timestamp() > model.span[1]
    scorer = Scorer(model, state if begins_later else None)
    scorer.threshold_nats = threshold_nats

    def told(done: int) -> None:
        progress("judging", done, records.height, done)

    if records.is_empty():
        return pl.DataFrame(schema=VERDICT_SCHEMA)
    return scorer.score_whole(records, piece_rows=PIECE_LINES, progress=told)


def _incidents(records: pl.DataFrame, verdicts: pl.DataFrame) -> tuple[dict[str, str], list[Incident]]:
    """Which record belongs to which incident, and these, the gravest first."""
    anomalies = anomalies_of(records, verdicts)
    ids, incidents = group(odds_of(anomalies, actors_of(anomalies)), [])
    return dict(zip(anomalies["event"].to_list(), ids, strict=True)), sorted(incidents, key=worst_first)


def _row(incident: Incident) -> dict[str, object]:
    return {name: getattr(incident, name) for name in ("id", "severity", "lines", "title")}


def _write(
    out: Path, numbers: Sequence[int], problems: Mapping[int, str], judged: pl.DataFrame, progress: Progress
) -> None:
    """A line for each document, in their order. `judged` has a row for each that could be read."""
    rows = judged.sort("number").select("number", *VERDICT_SCHEMA, "message", "incident").iter_rows(named=True)
    with out.open("wb") as file:
        following = next(rows, None)
        for number, line in enumerate(numbers):
            if following is not None and following["number"] == number:
                del following["number"]
                file.write(orjson.dumps({"line": line, **following}) + b"\n")
                following = next(rows, None)
            else:
                file.write(orjson.dumps({"line": line, "error": problems[number]}) + b"\n")
            if number % PIECE_LINES == 0:
                progress("writing", number, len(numbers), number)
