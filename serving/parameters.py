"""What requests may carry, for the OpenAPI document only: query parameters, headers and the forms of bodies."""

from typing import Any

from sentinel.incidents.feedback import SCOPES, VERDICTS
from serving.schemas import Log

__all__ = [
    "ANOMALIES_QUERY",
    "FEEDBACK_BODY",
    "INCIDENTS_QUERY",
    "LOGS_BODY",
    "PREDICT_BODY",
    "PREVIEW_QUERY",
    "SEEN_QUERY",
    "SOURCE_QUERY",
    "STATE_BODY",
    "THRESHOLD_BODY",
    "TRAIN_BODY",
]


def _body(forms: tuple[str, ...], *, required: bool) -> dict[str, Any]:
    one = Log.model_json_schema()
    log_or_logs = {"anyOf": [one, {"type": "array", "items": one}]}
    shapes: dict[str, Any] = {
        "application/json": {"schema": log_or_logs},
        "application/x-ndjson": {"schema": {"type": "string", "description": "one log object a line"}},
        "text/plain": {"schema": {"type": "string", "description": "one log a line, in any common format"}},
    }
    return {"requestBody": {"required": required, "content": {form: shapes[form] for form in forms}}}


FORMS = ("application/json", "application/x-ndjson", "text/plain")
LOGS_BODY = _body(FORMS, required=True)
LOGS_BODY["parameters"] = [
    {
        "name": "score",
        "in": "query",
        "schema": {"type": "boolean", "default": False},
        "description": "wait up to 1 s for verdicts",
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 255},
        "description": "the same key and body within a day get the first answer, and are taken in once",
    },
]
TRAIN_BODY = _body(FORMS, required=False)
PREDICT_BODY = _body(FORMS, required=True)
PREDICT_BODY["parameters"] = [
    {
        "name": "observe",
        "in": "query",
        "schema": {"type": "boolean", "default": False},
        "description": "let the logs count as seen",
    }
]


def _filters(default: int, most: int) -> dict[str, Any]:
    """The query parameters of what is narrowed as incidents are."""
    texts = {
        "since": "only what happened from this time on: ISO 8601, or a span back from now as 1h, 7d",
        "until": "only what happened before this time",
        "kind": "of this kind",
        "source": "of this source",
        "actor": "of this address or user",
        "severity": "low, medium, high or critical",
        "state": "open, acknowledged, resolved or muted",
        "sort": "last (if left out), first, severity, lines or peak_score",
        "after": "the id that ended the page before",
    }
    named = [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": text} for name, text in texts.items()
    ]
    number = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return {
        "parameters": [*named, {"name": "limit", "in": "query", "schema": number, "description": "at most so many"}]
    }


ANOMALIES_QUERY = _filters(100, 10_000)
INCIDENTS_QUERY = _filters(100, 5_000)
SEEN_QUERY: dict[str, Any] = {
    "parameters": [
        {"name": "sort", "in": "query", "schema": {"enum": ["count", "first", "last"]}, "description": "largest first"},
        {
            "name": "since",
            "in": "query",
            "schema": {"type": "string"},
            "description": "seen from this time on, or 1h, 7d",
        },
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 3_000, "default": 100}},
    ]
}
STATE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["state"],
                    "properties": {"state": {"enum": ["open", "acknowledged", "resolved"]}},
                }
            }
        },
    }
}


def _object(required: tuple[str, ...], **members: dict[str, Any]) -> dict[str, Any]:
    """A small JSON object as a body."""
    schema = {"type": "object", "required": list(required), "properties": members, "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
FEEDBACK_BODY = _object(
    ("verdict",),
    anomaly=_TEXT,
    incident=_TEXT,
    verdict={"enum": list(VERDICTS)},
    scope={"enum": list(SCOPES)},
    until={"type": ["string", "null"], "description": "ISO 8601, or a span from now on as 7d; null: for ever"},
    note=_TEXT,
)
THRESHOLD_BODY = _object((), nats=_NUMBER, alerts_per_day=_NUMBER, source=_TEXT)
SOURCE_QUERY: dict[str, Any] = {"parameters": [{"name": "source", "in": "query", "schema": _TEXT}]}
PREVIEW_QUERY: dict[str, Any] = {
    "parameters": [
        *({"name": name, "in": "query", "schema": _NUMBER} for name in ("nats", "alerts_per_day")),
        *SOURCE_QUERY["parameters"],
    ]
}
