"""Connections that drip are cut, those that are only slow to be answered are not; what is not HTTP gets a problem."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from serving import http_limits, sockets
from serving.listen import web_server

SLOW = 0.25
GET = b"GET /quick HTTP/1.1\r\nHost: test\r\n\r\n"


async def answer(send: Send, text: bytes) -> None:
    head = [(b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": text})


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/slow` thinks for longer than any limit, `/early` answers without reading, others read the body first."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    size = 0
    if scope["path"] != "/early":
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
    if scope["path"] == "/slow":
        await asyncio.sleep(4 * SLOW)
    await answer(send, b"%d" % size)


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(http_limits, "HEAD_TIMEOUT_S", SLOW)
    monkeypatch.setattr(http_limits, "BODY_WINDOW_S", SLOW)
    bound = sockets.bind("127.0.0.1", [0])
    stopped = asyncio.Event()

    async def on_stop() -> None:
        stopped.set()

    server = web_server(app, on_stop=on_stop)
    serving = asyncio.create_task(server.serve(sockets=bound))
    while not server.started:
        await asyncio.sleep(0.01)
    yield bound[0].getsockname()[1]
    server.should_exit = True
    await serving
    assert stopped.is_set()


@contextlib.asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def drip(writer: asyncio.StreamWriter, piece: bytes, every_s: float) -> None:
    """Send a piece again and again until the other side has had enough."""
    with contextlib.suppress(OSError):
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends; an abrupt end counts as one."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            received += chunk
    return received


async def exchange(port: int, begin: bytes, piece: bytes = b"", every_s: float = SLOW / 8) -> bytes:
    async with connection(port) as (reader, writer):
        writer.write(begin)
        dripping = asyncio.create_task(drip(writer, piece, every_s)) if piece else None
        received = await asyncio.wait_for(ended(reader), 20)
        if dripping is not None:
            dripping.cancel()
        return received


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"", b""),
        (b"GET /quick HTTP/1.1\r\nHo", b""),
        (b"GET /quick HTTP/1.1\r\n", b"X-A: b\r\n"),
        (b"\r\n", b"\r\n"),
        (b"POST /quick HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n", b""),
        (b"POST /quick HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"POST /quick HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["silence", "half a header", "endless headers", "line breaks", "no body", "body drips", "chunks drip"],
)
async def test_connection_is_cut_when_it_drips(port: int, begin: bytes, piece: bytes) -> None:
    """Neither headers nor body may take for ever, however alive the connection looks."""
    assert await exchange(port, begin, piece) == b""


async def test_connection_is_cut_when_it_drips_after_a_good_request(port: int) -> None:
    """A connection that was kept alive has the same limit for its next request."""
    received = await exchange(port, GET + b"GET /quick HTTP/1.1\r\n", b"X-A: b\r\n")

    assert received.count(b"200 OK") == 1


async def test_connection_stays_when_the_answer_takes_its_time(port: int) -> None:
    """It is the client that must not be slow; a training may last for minutes."""
    received = await exchange(
        port, b"POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    )

    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"1")


async def test_connection_stays_when_the_body_comes_steadily(port: int) -> None:
    """An upload that takes many windows is fine as long as it moves."""
    size = 40_000
    async with connection(port) as (reader, writer):
        writer.write(b"POST /quick HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(20):
            writer.write(bytes(size // 20))
            await writer.drain()
            await asyncio.sleep(SLOW / 6)
        received = await asyncio.wait_for(ended(reader), 20)

    assert received.endswith(b"%d" % size)


async def test_connection_ends_when_the_body_goes_on_after_the_answer(port: int) -> None:
    """An answer given early (413, say) is read by the client; an endless body after it is not waited out."""
    begin = b"POST /early HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"

    received = await exchange(port, begin, b"1000\r\n" + bytes(4096) + b"\r\n", 0.01)

    assert received.startswith(b"HTTP/1.1 200")


async def test_headers_are_refused_when_they_are_huge(port: int) -> None:
    """Headers have a size limit; the answer says so."""
    received = await exchange(port, b"GET /quick HTTP/1.1\r\nX-A: " + b"a" * 200_000)

    assert received.startswith(b"HTTP/1.1 431") or received == b""


@pytest.mark.parametrize(
    "begin",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELO mail\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_a_problem(port: int, begin: bytes) -> None:
    """TLS, mail and garbage get 400 with a sentence, and the connection ends."""
    received = await exchange(port, begin)

    assert received.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in received


async def test_requests_are_answered_in_order_when_they_are_pipelined(port: int) -> None:
    """Several requests sent at once are all answered."""
    received = await exchange(port, GET * 5 + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    assert received.count(b"HTTP/1.1 200") == 6
