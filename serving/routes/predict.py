"""`POST /predict`: one log or a sequence of them in, verdicts out; changes nothing unless asked to."""

import asyncio
import time

import polars as pl
from fastapi import APIRouter, Request
from starlette.responses import Response

from sentinel.errors import NoModelError
from sentinel.parse import Body
from serving.answers import json_answer, verdicts_of
from serving.parameters import PREDICT_BODY
from serving.parts import Parts
from serving.problems import ProblemError
from serving.receive import flag, receive, records_of
from serving.schemas import Verdict, answers

__all__ = ["router"]


def router(parts: Parts) -> APIRouter:
    """The route, on these parts."""
    routes = APIRouter()

    @routes.post(
        "/predict",
        summary="Judge logs",
        responses=answers(200, Verdict | list[Verdict], 400, 413, 415, 422, 503),
        openapi_extra=PREDICT_BODY,
    )
    async def post_predict(request: Request) -> Response:
        """One object gives one verdict; an array, NDJSON or lines give an array, each seeing those before it."""
        observe = flag(request, "observe")
        if parts.live.model is None:
            raise NoModelError(_no_model(parts))
        with parts.budget.hold() as held:
            received = await receive(request, parts, held, max_items=parts.limits.max_predicted, is_parsed_whole=True)
            verdicts = await asyncio.get_running_loop().run_in_executor(
                parts.pools.predict, _predict, parts, received.body, observe
            )
            shown = verdicts_of(verdicts)
            return json_answer(shown[0] if received.body.is_one else shown)

    return routes


def _no_model(parts: Parts) -> str:
    if parts.live.is_outdated:
        anew = (
            "A new one is being learnt from the store: ask again. Where the store holds nothing, POST logs to /train."
        )
        return f"Another release made the model ({parts.live.problem}). {anew}"
    problem = f" (the newest could not be loaded: {parts.live.problem})" if parts.live.problem else ""
    return f"There is no model yet{problem}: POST logs to /train, or run `sentinel train`, then ask again."


def _predict(parts: Parts, body: Body, observe: bool) -> pl.DataFrame:
    """The verdicts on all logs of a body. Raises ProblemError 422 where one of them cannot be read."""
    started_s = time.perf_counter()
    parsed = records_of(body, now_s=parts.clock(), origin="predict")
    if parsed.rejected.height:
        raise ProblemError(
            422,
            "Some logs cannot be read, so none was judged; `rejected` says which, by position, and why.",
            rejected=parsed.rejected.to_dicts(),
        )
    if parsed.records.is_empty():
        raise ProblemError(422, 'The body holds no log; send one as {"message": "…"}, or an array of them.')
    verdicts = parts.live.predict(parsed.records, observe=observe)
    parts.meters.predict_s.observe(time.perf_counter() - started_s)
    return verdicts
