"""`GET /anomalies` and `GET /status`: what was found, and how everything is; both answer while the store is away."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from sentinel.secrecy import blot_all
from serving.anomalies import anomalies
from serving.answers import json_answer
from serving.parameters import ANOMALIES_QUERY
from serving.parts import Parts
from serving.query import FILTERS, Query, incidents_wanted
from serving.schemas import Anomaly, Status, answers
from serving.status import status

__all__ = ["router"]

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()

    @routes.get(
        "/anomalies",
        summary="What was strange",
        responses=answers(200, list[Anomaly], 400, 422),
        openapi_extra=ANOMALIES_QUERY,
    )
    async def get_anomalies(request: Request) -> Response:
        """The newest anomalies first, each with its record and its reasons."""
        wanted = incidents_wanted(Query(request, FILTERS, clock=parts.clock), limit=DEFAULT_LIMIT, most=MAX_LIMIT)
        loop = asyncio.get_running_loop()
        given = (parts.sentinel.spool, wanted, parts.live.explanations)
        return json_answer(await loop.run_in_executor(parts.pools.read, anomalies, *given))

    @routes.get("/status", summary="How everything is", responses=answers(200, Status))
    async def get_status() -> Response:
        """The books, the readers, the store, the model, the spool."""
        health = await parts.watch.health()
        loop = asyncio.get_running_loop()
        return json_answer(blot_all(await loop.run_in_executor(parts.pools.read, status, parts, health)))

    return routes
