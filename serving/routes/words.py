"""`/feedback` and `/threshold`: what people say of what was found, and how loud it shall be; both act at once."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from sentinel.errors import TerminalError
from sentinel.pipeline import threshold
from sentinel.pipeline.feedback import Said, list_feedback, say, shown_word, undo
from sentinel.pipeline.incidents import one_incident
from serving.answers import json_answer
from serving.parameters import FEEDBACK_BODY, PREVIEW_QUERY, SOURCE_QUERY, THRESHOLD_BODY
from serving.parts import Parts
from serving.problems import ProblemError
from serving.query import Query, moment_of
from serving.schemas import Feedback, Preview, Threshold, answers
from serving.small import small_object

__all__ = ["router"]

Found = TypeVar("Found")
Id = Annotated[str, Path(alias="id", max_length=64)]
SAID = ("anomaly", "incident", "verdict", "scope", "until", "note")
LEVEL = ("nats", "alerts_per_day", "source")


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()
    _add_feedback(routes, parts)
    _add_threshold(routes, parts)
    _add_tries(routes, parts)
    return routes


def _add_feedback(routes: APIRouter, parts: Parts) -> None:
    spool = parts.sentinel.spool

    @routes.post(
        "/feedback",
        summary="Say what it was",
        status_code=201,
        responses=answers(201, Feedback, 400, 404, 422),
        openapi_extra=FEEDBACK_BODY,
    )
    async def post_feedback(request: Request) -> Response:
        """A false alarm alarms no more, from the next log on; what is real, and what is like it, ranks higher."""
        Query(request, (), clock=parts.clock)
        said = _said(_known(await small_object(request), SAID), parts.clock())
        word = await _ask(parts, lambda: say(spool, said, parts.clock()))
        if word is None:
            raise ProblemError(404, "There is no such anomaly or incident among those that are kept.")
        await _ask(parts, lambda: _heard(parts, word.incident))
        return json_answer(shown_word(word), status=201)

    @routes.get("/feedback", summary="What was said", responses=answers(200, list[Feedback], 400))
    async def get_feedback(request: Request) -> Response:
        """All verdicts that hold, the newest first, with who said them and until when."""
        Query(request, (), clock=parts.clock)
        words = await _ask(parts, lambda: list_feedback(spool, parts.clock()))
        return json_answer([shown_word(word) for word in words])

    @routes.delete("/feedback/{id}", summary="Take it back", status_code=204, responses=answers(204, None, 404))
    async def delete_feedback(request: Request, word: Id) -> Response:
        """As if it had never been said."""
        Query(request, (), clock=parts.clock)
        if not await _ask(parts, lambda: undo(spool, word)):
            raise ProblemError(404, "There is no such feedback; GET /feedback lists it.")
        await _ask(parts, lambda: _heard(parts, None))
        return Response(status_code=204)


def _add_threshold(routes: APIRouter, parts: Parts) -> None:
    spool, setting = parts.sentinel.spool, parts.sentinel.threshold_nats

    @routes.get("/threshold", summary="How loud it is", responses=answers(200, Threshold, 400))
    async def get_threshold(request: Request) -> Response:
        """The threshold in force, and those of single sources."""
        Query(request, (), clock=parts.clock)
        return json_answer(await _ask(parts, lambda: threshold.shown_threshold(spool, setting)))

    @routes.put(
        "/threshold",
        summary="Set how loud",
        responses=answers(200, Threshold, 400, 422),
        openapi_extra=THRESHOLD_BODY,
    )
    async def put_threshold(request: Request) -> Response:
        """By `nats`, or by `alerts_per_day`, a budget of incidents; for all, or for one `source`. Acts at once."""
        Query(request, (), clock=parts.clock)
        given = _known(await small_object(request), LEVEL)
        source = _text(given, "source")
        values = {name: threshold.number_of(given, name) for name in ("nats", "alerts_per_day")}
        return await _set(
            parts, lambda: threshold.set_threshold(spool, setting, **values, source=source, now_s=parts.clock())
        )


def _add_tries(routes: APIRouter, parts: Parts) -> None:
    spool, setting = parts.sentinel.spool, parts.sentinel.threshold_nats

    @routes.delete(
        "/threshold", summary="Back to the setting", responses=answers(200, Threshold, 400), openapi_extra=SOURCE_QUERY
    )
    async def delete_threshold(request: Request) -> Response:
        """Of one `source`, or of all."""
        source = Query(request, ("source",), clock=parts.clock).text("source")
        return await _set(parts, lambda: threshold.forget_threshold(spool, setting, source=source))

    @routes.get(
        "/threshold/preview",
        summary="Try how loud",
        responses=answers(200, Preview, 400, 422),
        openapi_extra=PREVIEW_QUERY,
    )
    async def get_preview(request: Request) -> Response:
        """The incidents of the last seven days that would have been told; changes nothing."""
        query = Query(request, LEVEL, clock=parts.clock)
        values = {name: query.real(name) for name in ("nats", "alerts_per_day")}
        source = query.text("source")
        return json_answer(
            await _ask(parts, lambda: threshold.preview(spool, setting, **values, source=source, now_s=parts.clock()))
        )


async def _set(parts: Parts, change: Callable[[], Mapping[str, Any]]) -> Response:
    """Change how loud it is, and let the next verdict know; the answer is what is in force then."""
    found = await _ask(parts, change)
    await _ask(parts, lambda: _heard(parts, None))
    return json_answer(found)


def _heard(parts: Parts, incident: str | None) -> None:
    """Let the next verdict know, and all who watch."""
    parts.live.listen()
    found = one_incident(parts.sentinel.spool, incident) if incident is not None else None
    if found is not None:
        parts.news.tell([found])


async def _ask(parts: Parts, ask: Callable[[], Found]) -> Found:
    """What reads or writes the spool, in a thread. What cannot be used is a ProblemError 422."""
    try:
        return await asyncio.get_running_loop().run_in_executor(parts.pools.read, ask)
    except TerminalError as exc:
        raise ProblemError(422, str(exc)) from exc


def _known(given: Mapping[str, Any], known: tuple[str, ...]) -> Mapping[str, Any]:
    if strange := sorted(set(given) - set(known)):
        raise ProblemError(400, f"There is no member {strange[0][:100]!r} here; known are {', '.join(known)}.")
    return given


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise ProblemError(422, f"{name} is a text.")
    return value or None


def _said(given: Mapping[str, Any], now_s: float) -> Said:
    texts = {name: _text(given, name) for name in SAID}
    until = texts["until"]
    return Said(
        verdict=texts["verdict"] or "",
        anomaly=texts["anomaly"],
        incident=texts["incident"],
        scope=texts["scope"],
        until_s=moment_of("until", until, now_s, ahead=True) if until else None,
        note=texts["note"],
    )
