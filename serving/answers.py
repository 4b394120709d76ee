"""Answers as JSON, made by orjson: numbers that are not finite become null, times ISO 8601 in UTC."""

from collections.abc import Mapping

import orjson
import polars as pl
from starlette.responses import Response

__all__ = ["VERDICT_FIELDS", "json_answer", "verdict_of", "verdicts_of"]

VERDICT_FIELDS = (
    "anomaly_score",
    "is_anomaly",
    "threshold",
    "kind",
    "reasons",
    "template",
    "model_version",
    "confidence",
)
"""What a verdict shows over HTTP, in this order."""

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


def json_answer(content: object, *, status: int = 200) -> Response:
    """An answer with this content."""
    return Response(orjson.dumps(content, option=OPTIONS, default=str), status, media_type="application/json")


def verdict_of(row: Mapping[str, object]) -> dict[str, object]:
    """One verdict, from a row of VERDICT_SCHEMA."""
    return {name: row[name] for name in VERDICT_FIELDS}


def verdicts_of(frame: pl.DataFrame) -> list[dict[str, object]]:
    """The verdicts of a frame (VERDICT_SCHEMA), in its order."""
    return [verdict_of(row) for row in frame.iter_rows(named=True)]
