"""`POST /train`: logs in, or nothing (then the store's), a new model out, in service at once if it passed the gate."""

import asyncio

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from sentinel.parse import Body, Parsed
from serving.answers import json_answer
from serving.bodies import Held
from serving.parameters import TRAIN_BODY
from serving.parts import Parts
from serving.problems import ProblemError
from serving.receive import Received, receive, records_of
from serving.relearn import learn_from_store, take_up
from serving.schemas import TrainAnswer, answers

__all__ = ["router"]


def router(parts: Parts) -> APIRouter:
    """The route, on these parts."""
    routes = APIRouter()

    @routes.post(
        "/train",
        summary="Learn what is normal",
        responses=answers(200, TrainAnswer, 400, 409, 413, 415, 422, 503),
        openapi_extra=TRAIN_BODY,
    )
    async def post_train(request: Request, exclude_anomalies: bool | None = None) -> Response:
        """Fit, check at the gate, promote. Takes seconds to minutes; goes on if the client leaves.

        `exclude_anomalies` leaves out the attacks that the model in service finds; unset: from the store yes, from the
        body no.
        """
        with parts.budget.hold() as held:
            received = receive(request, parts, held, may_be_empty=True, is_parsed_whole=True)
            training = asyncio.ensure_future(_train(parts, await received, held, exclude_anomalies))
            answer = await asyncio.shield(training)
        return json_answer(answer)

    return routes


async def _train(parts: Parts, received: Received, held: Held, exclude: bool | None) -> dict[str, object]:
    """Train, and serve the new model before the answer. ProblemError 409 where a training is under way."""
    if not received.size:
        return await learn_from_store(parts, exclude_anomalies=exclude)
    with parts.trainer.claim():
        loop = asyncio.get_running_loop()
        lines, rejected = await loop.run_in_executor(parts.pools.decode, _lines, received.body, parts.clock())
        del received
        held.end_turn()  # others need not wait for the training
        learnt = await parts.trainer.from_lines(lines, exclude_anomalies=exclude)
    return await take_up(parts, {**learnt, "rejected": rejected})


def _lines(body: Body, now_s: float) -> tuple[bytes, list[dict[str, object]]]:
    """The readable logs as NDJSON, and the others with their reasons. ProblemError 422 where none is readable."""
    parsed = records_of(body, now_s=now_s, origin="train")
    rejected = parsed.rejected.to_dicts()
    if parsed.records.is_empty():
        raise ProblemError(
            422,
            "There is no log to learn from in the body; send a list of {timestamp, level, message, source}, "
            "or an empty body to learn from the store.",
            rejected=rejected,
        )
    return _ndjson(parsed), rejected


def _ndjson(parsed: Parsed) -> bytes:
    """One record a line, as `sentinel train --file` reads it."""
    shown = parsed.records.select("timestamp", "level", "source", "host", "message", "attributes")
    lines = []
    for row in shown.iter_rows(named=True):
        attributes = orjson.loads(row.pop("attributes") or b"{}")
        lines.append(orjson.dumps({**attributes, **{k: v for k, v in row.items() if v is not None}}))
    return b"\n".join(lines) + b"\n"
