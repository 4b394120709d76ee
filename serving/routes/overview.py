"""`GET /anomalies` and `GET /status`: what was found, and how everything is; both answer while the store is away."""

import asyncio
import re
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from sentinel.secrecy import blot_all
from serving.anomalies import anomalies
from serving.answers import json_answer
from serving.parts import Parts
from serving.problems import ProblemError
from serving.schemas import ANOMALIES_QUERY, Anomaly, Status, answers
from serving.status import status

__all__ = ["router"]

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000
NUMBER = re.compile(r"[0-9]{1,6}")


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()

    @routes.get(
        "/anomalies",
        summary="What was strange",
        responses=answers(200, list[Anomaly], 422),
        openapi_extra=ANOMALIES_QUERY,
    )
    async def get_anomalies(request: Request) -> Response:
        """The newest anomalies first, each with its record and its reasons."""
        limit, since_s = _limit(request.query_params.get("limit", "")), _since_s(request.query_params.get("since", ""))
        loop = asyncio.get_running_loop()
        return json_answer(
            await loop.run_in_executor(parts.pools.read, anomalies, parts.sentinel.spool, limit, since_s)
        )

    @routes.get("/status", summary="How everything is", responses=answers(200, Status))
    async def get_status() -> Response:
        """The books, the readers, the store, the model, the spool."""
        health = await parts.watch.health()
        loop = asyncio.get_running_loop()
        return json_answer(blot_all(await loop.run_in_executor(parts.pools.read, status, parts, health)))

    return routes


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    limit = int(text) if NUMBER.fullmatch(text) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise ProblemError(422, f"The parameter limit is a number from 1 to {MAX_LIMIT}.")
    return limit


def _since_s(text: str) -> float | None:
    """A time as Unix time; UTC where the text names no zone."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(
            text.replace(" ", "+") if "T" in text else text
        )  # an unescaped + comes as a space
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, OverflowError):
        raise ProblemError(422, "The parameter since is a time as 2026-11-23T12:00:00Z.") from None
