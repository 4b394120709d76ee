"""`GET /templates` and `GET /sources`: what was seen in service, how often, since when, and who has gone quiet."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.answers import json_answer
from serving.parameters import SEEN_QUERY
from serving.parts import Parts
from serving.query import Query
from serving.schemas import Seen, answers

__all__ = ["router", "seen"]

SORTS = ("count", "first", "last")
DEFAULT_LIMIT, MAX_LIMIT = 100, 3_000
QUIET_GAPS = 10  # usual gaps without a line after which a source counts as quiet


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()

    @routes.get(
        "/templates",
        summary="Patterns of lines",
        responses=answers(200, list[Seen], 400, 422),
        openapi_extra=SEEN_QUERY,
    )
    async def get_templates(request: Request) -> Response:
        """Each pattern with its count, share, lines by hour, first and last line; the newest pattern first."""
        return json_answer(_asked(parts, request, "template", default="first"))

    @routes.get(
        "/sources", summary="Who writes", responses=answers(200, list[Seen], 400, 422), openapi_extra=SEEN_QUERY
    )
    async def get_sources(request: Request) -> Response:
        """Each source with its count, lines by hour, usual gap, and whether it has been quiet for much longer."""
        return json_answer(_asked(parts, request, "source", default="last"))

    return routes


def _asked(parts: Parts, request: Request, which: str, *, default: str) -> list[dict[str, Any]]:
    query = Query(request, ("sort", "since", "limit"), clock=parts.clock)
    sort, since_s = query.choice("sort", SORTS) or default, query.moment_s("since")
    found = [row for row in seen(parts, which) if since_s is None or row["last"].timestamp() >= since_s]
    found.sort(key=lambda row: row[sort], reverse=True)
    return found[: query.number("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)]


def seen(parts: Parts, which: str) -> list[dict[str, Any]]:
    """Templates or sources (`which`), the most frequent first, with times as times."""
    return [_shown(row, which, parts.clock()) for row in parts.live.tally.rows(which)]


def _shown(row: Mapping[str, Any], which: str, now_s: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        **{name: row[name] for name in (which, "count", "share", "trend")},
        "trend_end": datetime.fromtimestamp(row["trend_end_s"], UTC),
        "first": datetime.fromtimestamp(row["first_s"], UTC),
        "last": datetime.fromtimestamp(row["last_s"], UTC),
    }
    if which == "source":
        usual_s = row["gap_s"]
        quiet_s = max(0.0, now_s - row["last_s"])
        is_quiet = usual_s > 0 and quiet_s > max(QUIET_GAPS * usual_s, 60.0)
        found["heartbeat"] = {"usual_gap_s": round(usual_s, 3), "quiet_s": round(quiet_s, 1), "is_quiet": is_quiet}
    return found
