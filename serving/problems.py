"""Errors as `application/problem+json` (RFC 9457), each with a sentence on what to do."""

import http
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import orjson
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from sentinel.errors import ArtifactError, NoModelError, SpoolFullError, TerminalError, TransientError
from sentinel.parse import BadBodyError
from sentinel.secrecy import blot_all

__all__ = ["MEDIA_TYPE", "STOPPING", "InWords", "ProblemError", "as_it_is", "install", "problem", "problem_bytes"]

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
NO_MODEL_RETRY_S = 60  # a training takes seconds to minutes
STOPPING = "The server is stopping, and this request was not finished; send it again when it is up."

ADVICE = {
    404: "There is no such address here; see the routes in the documentation, or GET /openapi.json on this machine.",
    405: "This address takes another method; the header Allow names it.",
}


InWords: TypeAlias = Callable[[Request, Response], Response]
"""Makes a page of a problem where a person looks at the answer."""


class ProblemError(Exception):
    """A request that cannot be answered as asked: the status, what is wrong and what to do, and further members."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.members = status, detail, dict(headers or {}), members


def problem_bytes(status: int, detail: str, members: Mapping[str, object] | None = None) -> bytes:
    """The body of a problem: title from the status, detail with what to do, and further members."""
    title = http.HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **(members or {})}
    return orjson.dumps(blot_all(body), default=str)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object) -> Response:
    """The answer to a request that failed."""
    body = problem_bytes(status, detail, members)
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


async def _of_problem(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, ProblemError)
    return problem(exc.status, exc.detail, headers=exc.headers, **exc.members)


async def _of_http(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return problem(exc.status_code, ADVICE.get(exc.status_code, str(exc.detail)), headers=exc.headers)


async def _of_full_spool(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, SpoolFullError)
    return problem(503, str(exc), headers={"Retry-After": str(max(1, round(exc.retry_after_s)))})


async def _of_body(_: Request, exc: Exception) -> Response:
    return problem(400, str(exc))


async def _of_transient(_: Request, exc: Exception) -> Response:
    return problem(503, str(exc), headers={"Retry-After": str(RETRY_AFTER_S)})


async def _of_no_model(_: Request, exc: Exception) -> Response:
    return problem(503, str(exc), headers={"Retry-After": str(NO_MODEL_RETRY_S)})


async def _of_artifact(_: Request, exc: Exception) -> Response:
    return problem(409, str(exc))


async def _of_terminal(_: Request, exc: Exception) -> Response:
    return problem(422, str(exc))


async def _of_bug(_: Request, exc: Exception) -> Response:
    return problem(
        500, "The server failed; its own log says where. Send the request again, and report this if it stays."
    )


def as_it_is(_: Request, answer: Response) -> Response:
    """The problem for everybody alike, where there is no page."""
    return answer


def install(
    app: FastAPI,
    *,
    left: Callable[[], None] | None = None,
    in_words: InWords = as_it_is,
) -> None:
    """Answer every error of `app` as a problem; `left` is called for each client that leaves before its answer, and
    `in_words` may make a page of an answer to a browser.

    All handlers are coroutines, so that they and `left` run on the event loop: plain functions would be handed to
    threads, beside each other.
    """

    async def _of_cut(_: Request, exc: Exception) -> Response:
        if left is not None:
            left()
        return problem(400, "The connection ended before the whole body was here; send the request again.")

    for kind, handler in (
        (ProblemError, _of_problem),
        (HTTPException, _of_http),
        (BadBodyError, _of_body),
        (SpoolFullError, _of_full_spool),
        (TransientError, _of_transient),
        (NoModelError, _of_no_model),
        (ArtifactError, _of_artifact),
        (TerminalError, _of_terminal),
        (ClientDisconnect, _of_cut),
        (Exception, _of_bug),
    ):
        app.add_exception_handler(kind, _answering(handler, in_words))


def _answering(
    handler: Callable[[Request, Exception], Awaitable[Response]], in_words: InWords
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, exc: Exception) -> Response:
        return in_words(request, await handler(request, exc))

    return answer
