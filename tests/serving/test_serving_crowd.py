"""Many connections at once, clients that write first, and the stop: probes are answered, refusals are heard."""

import asyncio
import contextlib
import http.client
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request

from serving import http_limits, problems, sockets
from serving.crowd import FASTEST_BYTES_S, SLOWEST_BYTES_S, Crowd
from serving.guard import Guard
from serving.listen import WebServer, web_server
from serving.problems import ProblemError

BIG = 24 * 1024 * 1024  # more than all buffers of a connection together
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


def app() -> FastAPI:
    """`/logs` reads its body, `/early` refuses without, `/long` takes its time."""
    made = FastAPI(openapi_url=None)
    problems.install(made)

    async def logs(request: Request) -> int:
        return len(await request.body())

    async def early() -> None:
        raise ProblemError(413, "This is too much for such a route; send less of it.")

    async def long() -> None:
        await asyncio.sleep(60)

    made.add_api_route("/logs", logs, methods=["POST"])
    made.add_api_route("/early", early, methods=["POST"])
    made.add_api_route("/long", long)
    for path in ("/health", "/ready", "/status"):
        made.add_api_route(path, lambda: {"ok": True})
    made.add_middleware(Guard, key=None, hosts=set())
    return made


@contextlib.asynccontextmanager
async def running(crowd: Crowd | None = None) -> AsyncIterator[tuple[int, WebServer]]:
    """Port and server; stopped at the end."""
    bound = sockets.bind("127.0.0.1", [0])

    async def on_stop() -> None:
        return

    server = web_server(app(), on_stop=on_stop, crowd=crowd)
    serving = asyncio.create_task(server.serve(sockets=bound))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield bound[0].getsockname()[1], server
    finally:
        server.should_exit = True
        await serving


async def answered(port: int, request: bytes) -> bytes:
    """The head of the answer, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


async def test_probes_have_a_reserve_when_there_are_too_many_connections() -> None:
    """The others hear when to come back, as a problem; those who came before are served."""
    async with running(Crowd(max_connections=3)) as (port, _):
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in slow:
            writer.write(HEAD)
        refused = await answered(port, GET % b"/status")
        probes = [await answered(port, GET % path) for path in (b"/health", b"/ready")]
        slow[0][1].write(bytes(100_000))
        served = await slow[0][0].readuntil(b"\r\n\r\n")
        for _, writer in slow:
            writer.close()

    assert refused.startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in refused.lower()
    assert b"application/problem+json" in refused
    assert b"x-content-type-options" in refused.lower()
    assert [probe.split(b" ")[1] for probe in probes] == [b"200", b"200"]
    assert served.startswith(b"HTTP/1.1 200")


async def test_silent_connections_make_room_when_there_are_far_too_many() -> None:
    """The oldest that has said nothing goes first, so that the next can be accepted."""
    async with running(Crowd(max_connections=2, max_open=4)) as (port, _):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        probe = await answered(port, GET % b"/health")
        gone = [await asyncio.wait_for(reader.read(1), 20) for reader, _ in silent[:2]]
        for _, writer in silent:
            writer.close()

    assert probe.startswith(b"HTTP/1.1 200")
    assert gone == [b"", b""]


async def test_connections_are_counted_to_nothing_when_all_have_gone() -> None:
    """However they end."""
    crowd = Crowd()
    async with running(crowd) as (port, _):
        await answered(port, GET % b"/health")
        await answered(port, b"nonsense\r\n\r\n")
        await answered(port, HEAD.replace(b"/logs", b"/early"))
        for request in (b"", b"GET /he", HEAD, HEAD + bytes(1000)):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            await writer.drain()
            writer.transport.abort()
    assert (crowd.open, crowd.bodies, len(crowd._waiting)) == (0, 0, 0)


def test_body_pays_the_more_the_more_there_are() -> None:
    """By bytes a second, within bounds."""
    crowd = Crowd()
    asked = []
    for crowd.bodies in (0, 100, 200, 400, 2_000):
        asked.append(crowd.least_bytes_s)

    assert asked == [SLOWEST_BYTES_S, SLOWEST_BYTES_S, 4 * SLOWEST_BYTES_S, 16 * SLOWEST_BYTES_S, FASTEST_BYTES_S]


async def test_slow_bodies_are_cut_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drip that one alone may have is too slow for a crowd."""
    monkeypatch.setattr(http_limits, "BODY_WINDOW_S", 0.25)
    ends = []
    for others in (0, 5_000):
        crowd = Crowd(max_connections=10_000)
        async with running(crowd) as (port, _):
            crowd.bodies += others
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD)
            for _ in range(10):
                writer.write(bytes(500))
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
                await asyncio.sleep(0.1)
            ends.append(reader.at_eof() or reader.exception() is not None)
            writer.transport.abort()

    assert ends == [False, True]


def write_first(port: int, path: str, headers: dict[str, str], chunks: int) -> int:
    """The status that a client hears who writes all before it reads."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        body: object = (bytes(BIG // chunks) for _ in range(chunks)) if chunks > 1 else bytes(BIG)
        client.request("POST", path, body, headers, encode_chunked=chunks > 1)  # type: ignore[arg-type]
        return client.getresponse().status
    finally:
        client.close()


@pytest.mark.parametrize("headers", [{"Connection": "close"}, {}], ids=["close", "keep-alive"])
@pytest.mark.parametrize("chunks", [1, 24])
@pytest.mark.parametrize(
    ("path", "host", "status"), [("/early", "localhost", 413), ("/none", "localhost", 404), ("/logs", "x", 421)]
)
async def test_early_refusal_is_heard(headers: dict[str, str], chunks: int, path: str, host: str, status: int) -> None:
    """A client that writes first and closes hears why; the rest of its body is read and thrown away."""
    sent = {"Host": host, **headers, **({"Transfer-Encoding": "chunked"} if chunks > 1 else {})}
    async with running() as (port, _):
        heard = [await asyncio.to_thread(write_first, port, path, sent, chunks) for _ in range(3)]

    assert heard == [status] * 3


async def test_crowded_refusal_is_heard() -> None:
    """Also the one for too many connections."""
    async with running(Crowd(max_connections=0)) as (port, _):
        assert await asyncio.to_thread(write_first, port, "/logs", {"Connection": "close"}, 1) == 503


async def stopped_with(request: bytes, monkeypatch: pytest.MonkeyPatch, *, timeout_s: int = 30) -> bytes:
    """What a request hears that is on its way when the server stops."""
    async with running() as (port, server):
        server.config.timeout_graceful_shutdown = timeout_s
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await writer.drain()
        await asyncio.sleep(0.2)
        server.should_exit = True
        received = await asyncio.wait_for(reader.read(), 25)
        writer.close()
    return received


@pytest.mark.parametrize(
    "begin", [HEAD, HEAD + bytes(500), HEAD.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked")]
)
async def test_stop_waits_for_no_body(begin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body on its way is given up at once: its request was never acknowledged, and hears that."""
    received = await stopped_with(begin, monkeypatch)

    assert received.startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in received
    assert b"stopping" in received


async def test_what_outlasts_the_stop_gets_503(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no failure of ours, and no traceback."""
    received = await stopped_with(GET % b"/long", monkeypatch, timeout_s=1)

    assert received.startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in received.lower()
    assert "Traceback" not in caplog.text
