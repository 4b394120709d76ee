"""`POST /logs`: records in, 202 after the commit."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sentinel.pipeline.batch import Answer, Submission
from serving.answers import json_answer, verdict_of
from serving.parameters import LOGS_BODY
from serving.parts import Parts
from serving.problems import ProblemError
from serving.receive import flag, receive
from serving.schemas import LogsAnswer, answers

__all__ = ["router"]

MAX_KEY_CHARS = 255


def router(parts: Parts) -> APIRouter:
    """The route, on these parts."""
    routes = APIRouter()

    @routes.post(
        "/logs",
        status_code=202,
        summary="Take in logs",
        responses=answers(202, LogsAnswer, 400, 413, 415, 422, 503),
        openapi_extra=LOGS_BODY,
    )
    async def post_logs(request: Request) -> Response:
        """One object, an array, NDJSON or text lines; answered when they are committed to disk."""
        wants_verdicts, started_s = flag(request, "score"), time.perf_counter()
        key = _idempotency_key(request)
        with parts.budget.hold() as held:
            received = await receive(request, parts, held, wants_digest=key is not None)
            submission = Submission(received.body, _client(request, parts), key, received.digest, received.size)
            # shielded: a request that is given up must not cancel what others wait for too
            answer = await asyncio.shield(asyncio.wrap_future(parts.intake.submit(submission)))
            del received, submission
            parts.meters.intake_s.observe(time.perf_counter() - started_s)
            if wants_verdicts:
                held.end_turn()  # what is left is the wait for the live reader
            return await _answer(parts, answer, wants_verdicts=wants_verdicts)

    return routes


def _how_many(answer: Answer) -> dict[str, Any]:
    """The count of the rejected ones, where an answer kept for a key no longer lists them all."""
    return {"rejected_count": answer.rejected_count} if answer.rejected_count > len(answer.rejected) else {}


async def _answer(parts: Parts, answer: Answer, *, wants_verdicts: bool) -> Response:
    """What is told of a body that was worked on; ProblemError 400 where nothing of it was accepted."""
    if not answer.accepted:
        what = (
            "No log in the body could be accepted; `rejected` says why, by its position."
            if answer.rejected
            else "The body holds no log; send an object, an array, NDJSON or lines of text."
        )
        raise ProblemError(400, what, accepted=0, rejected=list(answer.rejected), **_how_many(answer))
    content: dict[str, object] = {"accepted": answer.accepted, "rejected": answer.rejected, **_how_many(answer)}
    if wants_verdicts:
        content["verdicts"] = await _verdicts(parts, answer)
    return json_answer(content, status=202)


async def _verdicts(parts: Parts, answer: Answer) -> list[dict[str, object] | None]:
    """One verdict an accepted record, in the order of the body; None where the live reader was slower."""
    await parts.detect.first_load(timeout_s=parts.limits.first_load_s)
    if answer.span is None or parts.live.model is None:
        return [None] * answer.accepted
    found = await parts.detect.verdicts(answer.span, timeout_s=parts.limits.score_wait_s)
    return [
        verdict_of(found[sequence]) if sequence in found else None
        for sequence in range(answer.span.first, answer.span.last + 1)
    ]


def _client(request: Request, parts: Parts) -> str:
    """Who sent it: the name of the API key where one is asked for, else the peer's address."""
    if parts.key is not None:
        return "api-key"
    return request.client.host if request.client is not None else "unknown"


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        raise ProblemError(400, f"The Idempotency-Key takes 1 to {MAX_KEY_CHARS} printable ASCII characters.")
    return key
