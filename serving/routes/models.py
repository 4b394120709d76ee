"""`GET /models`, `POST /models/{version}/promote` and `…/pin`: what was trained, what is in service, what is kept."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from sentinel.detect.models.registry import Registry
from sentinel.errors import ArtifactError
from serving.answers import json_answer
from serving.parts import Parts
from serving.problems import ProblemError
from serving.schemas import ModelRow, PinAnswer, PromoteAnswer, answers
from serving.small import small_object

__all__ = ["router"]


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()

    @routes.get("/models", summary="List the models", responses=answers(200, list[ModelRow], 503))
    async def get_models() -> Response:
        """All models that are kept, with what they were trained on and how they passed the gate."""
        rows = await asyncio.get_running_loop().run_in_executor(parts.pools.read, _listed, parts)
        return json_answer(rows)

    @routes.post(
        "/models/{version}/promote",
        summary="Put a model in service",
        responses=answers(200, PromoteAnswer, 404, 409, 503),
    )
    async def post_promote(version: str) -> Response:
        """Make this version the champion: the way back, too. The server loads it at once."""
        await asyncio.get_running_loop().run_in_executor(parts.pools.read, _promote, parts, version)
        in_service = await parts.detect.serve(version, timeout_s=parts.limits.reload_wait_s)
        return json_answer({"version": version, "in_service": in_service})

    @routes.post(
        "/models/{version}/pin", summary="Keep a model", responses=answers(200, PinAnswer, 400, 404, 409, 413, 503)
    )
    async def post_pin(version: str, request: Request) -> Response:
        """Keep this version, and where it is in service no training replaces it; `{"pinned": false}` lets go of it."""
        content = await small_object(request, default={})
        pinned = content.get("pinned", True)
        if not isinstance(pinned, bool):
            raise ProblemError(400, 'The member pinned is true or false: {"pinned": false}.')
        await asyncio.get_running_loop().run_in_executor(parts.pools.read, _pin, parts, version, pinned)
        return json_answer({"version": version, "pinned": pinned})

    return routes


def _registry(parts: Parts) -> Registry:
    """The models. Raises ProblemError 503 where they cannot be opened: not for now, until somebody mends that."""
    try:
        return parts.sentinel.registry
    except (ArtifactError, OSError) as exc:
        raise ProblemError(503, f"Detection is off: {exc}.", headers={"Retry-After": "5"}) from exc


def _with_version(parts: Parts, version: str) -> Registry:
    """The models. Raises ProblemError 404 where this one is not among them, else as `_registry`."""
    registry = _registry(parts)
    if version not in registry.versions():
        raise ProblemError(404, "There is no such model; GET /models lists them.")
    return registry


def _promote(parts: Parts, version: str) -> None:
    _with_version(parts, version).promote(version)


def _pin(parts: Parts, version: str, pinned: bool) -> None:
    _with_version(parts, version).pin(version, pinned=pinned)


def _listed(parts: Parts) -> list[dict[str, object]]:
    """The registry's rows, each with the checks of its gate."""
    registry = _registry(parts)
    rows = []
    for row in registry.list():
        gate = registry.manifest(str(row["version"])).gate if row["problem"] is None else None
        rows.append({**row, "checks": gate["checks"] if gate else []})
    return rows
