"""Bodies are read and inflated under a cap; what is damaged, chained or past belief is refused."""

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard
from starlette.requests import Request

from serving.bodies import BodyBudget, inflate, read_raw
from serving.problems import ProblemError

CAP = 8 * 1024 * 1024
TEXT = b"".join(b'{"message": "user %d logged in from 10.0.%d.%d"}\n' % (n, n % 7, n % 251) for n in range(2_000))


def zstd(text: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(text)


def request_of(chunks: list[bytes], headers: dict[str, str] | None = None) -> Request:
    async def messages() -> AsyncIterator[dict[str, object]]:
        for position, chunk in enumerate(chunks):
            yield {"type": "http.request", "body": chunk, "more_body": position < len(chunks) - 1}

    stream = messages()
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, stream.__anext__)


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), " GZIP "),
        (gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]), "gzip"),
        (gzip.compress(TEXT, 0), "x-gzip"),
        (zstd(TEXT), "zstd"),
        (zstd(TEXT[:1000]) + zstd(TEXT[1000:]), "zstd"),
    ],
)
def test_inflate_gives_the_text_back(raw: bytes, encoding: str) -> None:
    """A body comes out as it went in, whatever it was sent with, in one part or in several."""
    assert inflate(raw, encoding, max_bytes=CAP) == TEXT


@pytest.mark.parametrize(
    ("raw", "encoding", "status"),
    [
        (gzip.compress(bytes(64 * 1024 * 1024)), "gzip", 413),
        (zstd(bytes(64 * 1024 * 1024)), "zstd", 413),
        (gzip.compress(bytes(7 * 1024 * 1024)), "gzip", 413),  # under the cap, past belief
        (gzip.compress(TEXT)[:-9], "gzip", 400),
        (gzip.compress(TEXT) + b"tail", "gzip", 400),
        (TEXT, "gzip", 400),
        (b"", "gzip", 400),
        (zlib.compress(TEXT), "gzip", 400),
        (zstd(TEXT)[:-9], "zstd", 400),
        (TEXT, "zstd", 400),
        (b"", "zstd", 400),
        (TEXT, "br", 415),
        (zlib.compress(TEXT), "deflate", 415),
        (gzip.compress(gzip.compress(TEXT)), "gzip, gzip", 415),
        (TEXT, "gz\u00efp", 415),
    ],
)
def test_inflate_refuses_what_is_damaged_chained_or_a_bomb(raw: bytes, encoding: str, status: int) -> None:
    """413 past cap or ratio, 400 for bytes that are not whole, 415 for an encoding that is not known."""
    with pytest.raises(ProblemError) as raised:
        inflate(raw, encoding, max_bytes=CAP)

    assert raised.value.status == status
    assert raised.value.detail.endswith(".")


def test_inflate_stops_early_when_zstd_is_a_bomb() -> None:
    """A bomb of half a gigabyte is left before it has become more than the cap and one step."""
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(512 * 1024 * 1024))
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(ProblemError):
        inflate(bomb, "zstd", max_bytes=CAP)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(bomb) < 100_000
    assert peak < 64 * 1024 * 1024


def test_inflate_takes_dense_logs_when_they_are_small() -> None:
    """Ten thousand equal lines compress past the ratio, and are fine: they are small all the same."""
    text = b"heartbeat ok\n" * 10_000

    assert inflate(zstd(text), "zstd", max_bytes=CAP) == text


async def test_read_raw_joins_the_chunks_when_they_fit() -> None:
    """A body in several chunks is one body, and each chunk was counted."""
    taken: list[int] = []

    raw = await read_raw(request_of([b"ab", b"", b"cde"]), max_bytes=5, take=taken.append)

    assert raw == b"abcde"
    assert sum(taken) == 5


async def test_read_raw_refuses_when_no_length_is_given() -> None:
    """Without Content-Length the cap holds while reading."""
    with pytest.raises(ProblemError) as raised:
        await read_raw(request_of([b"abc", b"def"]), max_bytes=5, take=lambda _: None)

    assert raised.value.status == 413


async def test_read_raw_reads_nothing_when_the_length_says_too_much() -> None:
    """A Content-Length past the cap is refused before the first chunk is asked for."""
    with pytest.raises(ProblemError) as raised:
        await read_raw(request_of([], {"content-length": "6"}), max_bytes=5, take=lambda _: None)

    assert raised.value.status == 413


def test_budget_refuses_for_now_when_it_is_used_up() -> None:
    """What all bodies together may take is bounded; it is given back at the end of each request."""
    budget = BodyBudget(10)

    with budget.hold() as held:
        held.take(8)
        with pytest.raises(ProblemError) as raised, budget.hold() as other:
            other.take(3)

    assert raised.value.status == 503
    assert raised.value.headers["Retry-After"] == "1"
    assert budget.used_bytes == 0
