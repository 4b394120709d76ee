"""A request's body as bytes: read and inflated under a cap, and both they and what they become bounded over all."""

import contextlib
import zlib
from collections.abc import Callable, Iterator

import zstandard
from starlette.requests import Request

from serving.problems import ProblemError
from serving.turns import Turns

__all__ = ["FREE_BYTES", "MAX_RATIO", "BodyBudget", "Held", "inflate", "read_raw"]

MAX_RATIO = 250
"""How many bytes one compressed byte may become. Logs rarely pass 50; a bomb has 1,000 (gzip) and more (zstd)."""

FREE_BYTES = 1024 * 1024
"""A body that becomes no more than this when it is decoded waits for nobody: some thousand logs."""

MIDDLING_BYTES = 8 * 1024 * 1024
MIDDLING_ROOM_BYTES, BIGGEST_ROOM_BYTES = 32 * 1024 * 1024, 32 * 1024 * 1024
RATIO_FREE_BYTES = 4 * 1024 * 1024  # below this, many equal lines may be as dense as they like
STEP_BYTES = 256 * 1024  # of output a step of gzip
GZIP_STEP_BYTES = 16 * 1024  # of input a step of gzip
ZSTD_STEP_BYTES = 256  # of input a step: one block of 4 bytes can become 128 KiB
ZSTD_WINDOW_BYTES = 8 * 1024 * 1024  # what RFC 8878 asks decoders to support
BUSY_RETRY_S = 1


class BodyBudget:
    """How many bytes of bodies may be in memory at once, over all requests. Used by the event loop alone.

    What they become when they are decoded is many times as much: bodies of which that is more than FREE_BYTES take
    turns, the middling ones in a room of their own, so that they do not wait for the biggest.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.used_bytes = max_bytes, 0
        self.middling, self.biggest = Turns(MIDDLING_ROOM_BYTES), Turns(BIGGEST_ROOM_BYTES)

    @contextlib.contextmanager
    def hold(self) -> Iterator["Held"]:
        """What one request holds; all of it is given back at the end."""
        held = Held(self)
        try:
            yield held
        finally:
            held.end_turn()
            self.used_bytes -= held.bytes


class Held:
    """The part of a budget that one request has."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget, self.bytes = budget, 0
        self._turn: tuple[Turns, int] | None = None

    def take(self, n_bytes: int) -> None:
        """Take so many bytes more, as sent or inflated. Raises ProblemError 503 at the bound."""
        if self._budget.used_bytes + n_bytes > self._budget.max_bytes:
            raise ProblemError(
                503,
                "Too many big bodies are being read at once; send this one again in a moment.",
                headers={"Retry-After": str(BUSY_RETRY_S)},
            )
        self.bytes += n_bytes
        self._budget.used_bytes += n_bytes

    async def turn(self, decoded_bytes: int) -> None:
        """Wait until a body that becomes so many bytes may be decoded; once a request."""
        if decoded_bytes > FREE_BYTES:
            turns = self._budget.middling if decoded_bytes <= MIDDLING_BYTES else self._budget.biggest
            self._turn = turns, await turns.take(decoded_bytes)

    def end_turn(self) -> None:
        """What was decoded is gone: the next may begin. The bytes as they were sent are held on."""
        if self._turn is not None:
            turns, taken = self._turn
            self._turn = None
            turns.give_back(taken)


async def read_raw(request: Request, *, max_bytes: int, take: Callable[[int], None]) -> bytes:
    """The body as it was sent, at most `max_bytes`. Raises ProblemError 413 as soon as it is known to be more."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise _too_big(max_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise _too_big(max_bytes)
        take(len(chunk))
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def inflate(raw: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """The body without its Content-Encoding: none, identity, gzip or zstd, at most `max_bytes`.

    Raises ProblemError: 415 for another or a chained encoding, 413 past the cap or the ratio, 400 for damaged bytes.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return raw
    if name in {"gzip", "x-gzip"}:
        pieces = _gunzip(raw)
    elif name == "zstd":
        pieces = _unzstd(raw)
    else:
        shown = encoding.encode("ascii", "replace").decode()[:40]
        raise ProblemError(
            415,
            f"The Content-Encoding {shown!r} is not understood; send the body plain, or with gzip or zstd, once.",
            headers={"Accept-Encoding": "gzip, zstd"},
        )
    chunks: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes or (size > RATIO_FREE_BYTES and size > MAX_RATIO * len(raw)):
            raise _too_big(max_bytes)
        chunks.append(piece)
    return b"".join(chunks)


def _gunzip(raw: bytes) -> Iterator[bytes]:
    """One or more gzip members (RFC 1952), a bounded step at a time."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        for start in range(0, len(raw), GZIP_STEP_BYTES):
            rest = raw[start : start + GZIP_STEP_BYTES]
            while rest:
                if inflater.eof:
                    inflater = zlib.decompressobj(wbits=31)
                yield inflater.decompress(rest, STEP_BYTES)
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        while not inflater.eof:
            piece = inflater.decompress(b"", STEP_BYTES)
            if not piece and not inflater.eof:
                raise _damaged("gzip")
            yield piece
    except zlib.error as exc:
        raise _damaged("gzip") from exc


def _unzstd(raw: bytes) -> Iterator[bytes]:
    """One or more zstd frames (RFC 8878), a few hundred bytes of input at a time."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
    inflater = decompressor.decompressobj()
    try:
        for start in range(0, len(raw), ZSTD_STEP_BYTES):
            rest = raw[start : start + ZSTD_STEP_BYTES]
            while rest:
                if inflater.eof:
                    inflater = decompressor.decompressobj()
                yield inflater.decompress(rest)
                rest = inflater.unused_data if inflater.eof else b""
    except zstandard.ZstdError as exc:
        raise _damaged("zstd") from exc
    if not inflater.eof:
        raise _damaged("zstd")


def _damaged(encoding: str) -> ProblemError:
    return ProblemError(
        400, f"The body is not whole {encoding}; send it again, or without Content-Encoding if it is plain text."
    )


def _too_big(max_bytes: int) -> ProblemError:
    return ProblemError(
        413,
        f"The body is bigger than {max_bytes} bytes (inflated), or is compressed past belief; send it in "
        "smaller parts, or raise LOG_SENTINEL_MAX_BODY_MB.",
    )
