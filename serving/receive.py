"""A request's body as documents or lines: read, inflated, decoded; big bodies in a thread, all within bounds."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
from starlette.requests import Request

from sentinel.parse import (
    Body,
    Document,
    Parsed,
    TooManyLogsError,
    UnknownCharsetError,
    decode_body,
    decoded_bytes,
    parse_documents,
    parse_lines,
)
from serving.bodies import FREE_BYTES, Held, inflate, read_raw
from serving.parts import Parts
from serving.problems import ProblemError

__all__ = ["Received", "flag", "receive", "records_of"]

INLINE_BYTES = 16 * 1024
"""Bodies up to this many bytes are decoded in the event loop: it takes less time than a change of threads."""

WHOLE_TIMES = 6  # the memory of a body's records beside that of the body, where they are all there at once
LINE_SCHEMA = {"line": pl.Binary(), "origin": pl.String(), "event_id": pl.String()}
YES, NO = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Received:
    """A decoded body; `digest` (hex SHA-256 of the inflated bytes) is empty unless asked for."""

    body: Body
    digest: str
    size: int  # bytes, inflated


@dataclass(frozen=True, slots=True)
class _Heavy:
    """An inflated body that may only be decoded when it is its turn."""

    plain: bytes
    decoded_bytes: int

    @property
    def size(self) -> int:
        """Bytes, inflated."""
        return len(self.plain)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a body says it is to be read, and how big it may be."""

    encoding: str
    content_type: str | None
    max_bytes: int
    max_items: int
    wants_digest: bool
    may_be_empty: bool
    is_parsed_whole: bool


async def receive(
    request: Request,
    parts: Parts,
    held: Held,
    *,
    max_items: int | None = None,
    wants_digest: bool = False,
    may_be_empty: bool = False,
    is_parsed_whole: bool = False,
) -> Received:
    """The decoded body of a request, when it is its turn; a blank one has no documents where it `may_be_empty`.

    A body that `is_parsed_whole`, rather than slice by slice, needs more room. Raises ProblemError (400 damaged, 413
    too big, 415 unknown encoding or charset), BadBodyError (400, what and where).
    """
    limits = parts.limits
    raw = await read_raw(request, max_bytes=limits.max_body_bytes, take=held.take)
    encoding = ", ".join(request.headers.getlist("content-encoding"))
    form = _Form(
        encoding,
        request.headers.get("content-type"),
        limits.max_body_bytes,
        limits.max_items if max_items is None else max_items,
        wants_digest,
        may_be_empty,
        is_parsed_whole,
    )
    loop, threads = asyncio.get_running_loop(), parts.pools.decode
    if len(raw) <= INLINE_BYTES and not encoding:
        found = _decode_light(raw, form)
    else:
        found = await loop.run_in_executor(threads, _decode_light, raw, form)
    if encoding:
        held.take(found.size)
    if isinstance(found, _Heavy):
        del raw
        await held.turn(found.decoded_bytes)
        found = await loop.run_in_executor(threads, _decode, found.plain, form)
    return found


def _decode_light(raw: bytes, form: _Form) -> Received | _Heavy:
    """Inflate a body, and decode it where that needs little memory."""
    plain = inflate(raw, form.encoding, max_bytes=form.max_bytes)
    size = decoded_bytes(plain) * (WHOLE_TIMES if form.is_parsed_whole else 1)
    return _decode(plain, form) if size <= FREE_BYTES else _Heavy(plain, size)


def _decode(plain: bytes, form: _Form) -> Received:
    digest = hashlib.sha256(plain).hexdigest() if form.wants_digest else ""
    if form.may_be_empty and not plain.strip():
        return Received(Body(documents=[]), digest, 0)
    try:
        body = decode_body(plain, form.content_type, max_items=form.max_items)
    except TooManyLogsError as exc:
        raise ProblemError(413, f"{exc}; send it in smaller parts.") from exc
    except UnknownCharsetError as exc:
        raise ProblemError(415, f"The body's charset is not understood: {exc.why}.") from exc
    return Received(body, digest, len(plain))


def records_of(body: Body, *, now_s: float, origin: str) -> Parsed:
    """The records of a body that is not taken in: their ids only number them."""
    now = datetime.fromtimestamp(now_s, UTC)
    if body.lines is None:
        documents = [Document(document, f"{index:022d}", origin) for index, document in enumerate(body.documents or ())]
        return parse_documents(documents, now=now)
    columns = {
        "line": body.lines,
        "origin": [origin] * len(body.lines),
        "event_id": [f"{index:022d}" for index in range(len(body.lines))],
    }
    return parse_lines(pl.DataFrame(columns, schema=LINE_SCHEMA), now=now)


def flag(request: Request, name: str) -> bool:
    """A query parameter that is true or false; False where it is not given. Raises ProblemError 422 else."""
    value = request.query_params.get(name, "").strip().lower()
    if value not in YES | NO:
        raise ProblemError(422, f"The parameter {name} is true or false; leave it out for false.")
    return value in YES
