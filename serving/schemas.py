"""The shapes of bodies and answers, for the OpenAPI document only: requests are checked by the room `parse`."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Anomaly",
    "Feedback",
    "Incident",
    "Log",
    "LogsAnswer",
    "ModelRow",
    "PinAnswer",
    "Preview",
    "Problem",
    "PromoteAnswer",
    "Seen",
    "Status",
    "Threshold",
    "TrainAnswer",
    "Verdict",
    "answers",
]


class Log(BaseModel):
    """One log. Only `message` is needed; further members become attributes."""

    model_config = ConfigDict(extra="allow")

    message: str = Field(description="what happened, as the program said it")
    timestamp: datetime | str | float | None = Field(None, description="ISO 8601, syslog style, or Unix time")
    level: str | None = Field(None, description="trace, debug, info, warn, error, fatal, or a common synonym")
    source: str | None = Field(None, description="program or logger")
    host: str | None = Field(None, description="machine")


class Rejected(BaseModel):
    """One log that was not accepted."""

    index: int = Field(description="its position in the body, from 0")
    reason: str


class Verdict(BaseModel):
    """What the model says of one log."""

    anomaly_score: float = Field(ge=0, le=1, description="high is strange")
    is_anomaly: bool = Field(description="the score has reached the threshold")
    threshold: float = Field(ge=0, le=1)
    kind: str | None = Field(description="what kind of anomaly; null where nothing is strange")
    reasons: list[str] = Field(description="in words, the most telling first")
    template: str | None = Field(description="the message with its variables masked")
    model_version: str
    confidence: str = Field(description="`low` after a handful of logs, else `normal`")


class LogsAnswer(BaseModel):
    """What became of a request to /logs, after the commit."""

    accepted: int
    rejected: list[Rejected]
    rejected_count: int | None = Field(None, description="of a repeat, where `rejected` has the first ten only")
    verdicts: list[Verdict | None] | None = Field(
        None, description="with ?score=true: one an accepted log, in order; null where scoring took longer than 1 s"
    )


class Check(BaseModel):
    """One check of the gate."""

    name: str
    passed: bool
    detail: str


class TrainAnswer(BaseModel):
    """What a training did."""

    model_config = ConfigDict(extra="allow")

    model_version: str
    rows: int
    left_out: int = Field(0, description="rows that did not teach: incidents")
    excluded: int = Field(0, description="those of them that the model in service calls an attack")
    promoted: bool = Field(description="false: a check failed, and the model before stays in service")
    in_service: bool = Field(False, description="this server has loaded it")
    confidence: str
    checks: list[Check | list[Any]] = Field(default_factory=list)
    rejected: list[Rejected] = Field(default_factory=list)


class ModelRow(BaseModel):
    """One model of the registry."""

    model_config = ConfigDict(extra="allow")

    version: str
    champion: bool = Field(description="the one in service")
    pinned: bool = Field(False, description="kept: never pruned, and not replaced by a training while in service")


class PromoteAnswer(BaseModel):
    """The model that is in service now."""

    version: str
    in_service: bool = Field(description="false: this server has not loaded it yet")


class PinAnswer(BaseModel):
    """Whether the model is kept now."""

    version: str
    pinned: bool


class Nearest(BaseModel):
    """What is usual and nearest to a strange line; `line` is its newest one, where one was seen in service."""

    template: str
    line: str | None
    last_seen: datetime | None


class Explanation(BaseModel):
    """What a strange line is held against."""

    event: str
    template: str
    template_odd: list[str] = Field(description="the pieces of the template that are strange, as they stand there")
    line: str = Field(description="as it came in, at most 2,000 characters")
    line_odd: list[str]
    origin: str | None
    offset: int | None = Field(description="of a file: where the line begins, in bytes")
    nearest: Nearest | None = Field(description="null where nothing like it is known")
    normal: list[str] = Field(description="what would make each reason go away")


class Anomaly(BaseModel):
    """One anomaly: the record and why it is strange."""

    model_config = ConfigDict(extra="allow")

    event: dict[str, Any]
    anomaly_score: float
    threshold: float
    kind: str | None
    reasons: list[str]
    explanation: Explanation
    model_version: str


class Incident(BaseModel):
    """Anomalies of one cause."""

    model_config = ConfigDict(extra="allow")

    id: str
    title: str
    kind: str
    severity: str = Field(description="low, medium, high or critical")
    state: str = Field(description="open, acknowledged, resolved or muted")
    first: datetime
    last: datetime
    lines: int
    peak_score: float
    sources: list[str]
    actors: list[str]
    templates: list[str]
    reasons: list[str]
    explanation: Explanation | None = Field(description="of the line that names it; null in incidents of before")
    sample: list[dict[str, Any]] = Field(description="at most five of its records")


class Seen(BaseModel):
    """One template or source as it was met in service."""

    model_config = ConfigDict(extra="allow")

    count: int
    share: float = Field(ge=0, le=1, description="of all lines")
    trend: list[int] = Field(description="lines an hour, the last of them up to `trend_end`")
    first: datetime
    last: datetime


class Ledger(BaseModel):
    """The books: received = accepted + rejected; accepted = delivered + waiting + dead."""

    received: int
    rejected: int
    accepted: int
    delivered: int
    waiting: int
    dead: int


class Status(BaseModel):
    """How the server is."""

    model_config = ConfigDict(extra="allow")

    ledger: Ledger
    model: dict[str, Any] | None
    store: dict[str, Any]


class Feedback(BaseModel):
    """What a person said of an anomaly or an incident."""

    model_config = ConfigDict(extra="allow")

    id: str
    verdict: str = Field(description="false_alarm or real")
    scope: str = Field(description="line, template, source or actor")
    at: str
    by: str
    until: str | None
    note: str | None


class Threshold(BaseModel):
    """How loud it is."""

    model_config = ConfigDict(extra="allow")

    nats: float
    anomaly_score: float
    alerts_per_day: float | None = Field(description="the budget it came from; null where it was set by nats")
    sources: dict[str, Any]


class Preview(BaseModel):
    """What the last seven days would have shown."""

    model_config = ConfigDict(extra="allow")

    nats: float
    per_day: float
    incidents: list[dict[str, Any]]


class Problem(BaseModel):
    """Why a request failed and what to do (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


MEANINGS = {
    400: "The body cannot be read, or holds no log that could be accepted",
    404: "No such model",
    409: "Not now, or not this one",
    413: "The body is too big",
    415: "The Content-Encoding or the charset is not understood",
    422: "The body can be read, but not used",
    503: "Not for now; Retry-After says when to come back",
}


def answers(status: int, model: Any, *problems: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: what it answers when all is well, and the problems it may answer."""
    found: dict[int | str, dict[str, Any]] = {status: {"model": model, "description": "Done"}}
    for code in problems:
        found[code] = {"model": Problem, "description": MEANINGS[code]}
    return found
