"""`GET /incidents`, `GET /incidents/{id}`, `POST /incidents/{id}`: what is wrong, in detail, and what is done."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from sentinel.pipeline.incidents import change_state, list_incidents
from serving.answers import json_answer
from serving.incidents import detail
from serving.origin import wants_html
from serving.parameters import INCIDENTS_QUERY, STATE_BODY
from serving.parts import Parts
from serving.problems import ProblemError
from serving.query import FILTERS, Query, incidents_wanted
from serving.schemas import Incident, answers
from serving.small import small_object

__all__ = ["router"]

CHANGES = ("open", "acknowledged", "resolved")
DEFAULT_LIMIT, MAX_LIMIT = 100, 5_000
Id = Annotated[str, Path(alias="id", max_length=64)]
NONE = "There is no such incident; GET /incidents lists those that are kept."


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()
    spool = parts.sentinel.spool

    @routes.get(
        "/incidents",
        summary="What is wrong",
        responses=answers(200, list[Incident], 400, 422),
        openapi_extra=INCIDENTS_QUERY,
    )
    async def get_incidents(request: Request) -> Response:
        """Anomalies of one cause as one incident, the newest `last` first."""
        found = await _ask(
            parts,
            list_incidents,
            spool,
            incidents_wanted(Query(request, FILTERS, clock=parts.clock), limit=DEFAULT_LIMIT, most=MAX_LIMIT),
        )
        return json_answer([incident.shown() for incident in found])

    @routes.get("/incidents/{id}", summary="One incident", responses=answers(200, Incident, 400, 404))
    async def get_incident(request: Request, incident: Id) -> Response:
        """The incident with its anomalies, the lines around them, its rate beside the usual, and related ones."""
        if wants_html(request.scope):  # a link in an alert leads a person to the page
            return RedirectResponse(f"/?incident={incident}" if incident.isalnum() else "/", 303)
        Query(request, (), clock=parts.clock)
        found = await _ask(parts, detail, parts, incident)
        if found is None:
            raise ProblemError(404, NONE)
        return json_answer(found)

    _add_change(routes, parts)
    return routes


def _add_change(routes: APIRouter, parts: Parts) -> None:
    @routes.post(
        "/incidents/{id}",
        summary="Open, acknowledge or resolve an incident",
        responses=answers(200, Incident, 400, 404),
        openapi_extra=STATE_BODY,
    )
    async def post_incident(request: Request, incident: Id) -> Response:
        """Its new state; the answer is the incident."""
        state = (await small_object(request)).get("state")
        if state not in CHANGES:
            raise ProblemError(400, f'Send {{"state": …}} with one of {", ".join(CHANGES)}.')
        found = await _ask(parts, change_state, parts.sentinel.spool, incident, state)
        if found is None:
            raise ProblemError(404, NONE)
        parts.news.tell([found])
        return json_answer(found.shown())


async def _ask(parts: Parts, function: Callable[..., Any], *given: object) -> Any:
    """A function that reads the spool or the store, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(parts.pools.read, function, *given)
