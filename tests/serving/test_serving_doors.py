"""The whole server, as it is started: which requests come in at all, on every route and port."""

import asyncio
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from serving import problems
from serving.app import ROUTES
from serving.leavers import Leavers
from tests.serving.server_process import ROOT, Server, eventually, serving

LEFT = "clients left before their answer"
PROBES = ("/health", "/ready")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("doors"), LOG_SENTINEL_ALLOWED_HOSTS="logs.example") as running:
        yield running


def exchange(url: str, request: bytes) -> bytes:
    """What comes back for these bytes, until the end."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as client:
        client.sendall(request)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_refuses_other_sites_and_other_names(server: Server, route: str) -> None:
    """A route is guarded because it is a route: none has to think of it."""
    method, path = route.split(" ")
    path = path.replace("{version}", "20260101T000000-000000")
    for url in server.urls:
        with httpx.Client(base_url=url, timeout=30) as client:
            for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
                assert client.request(method, path, headers=headers).status_code == 403
            rebound = client.request(method, path, headers={"Host": "evil.example"}).status_code
            assert (rebound == 421) is (path not in PROBES)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /status HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /status HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /status HTTP/1.0\r\nHost: evil.example\r\n\r\n", b"421"),
        (b"GET /status HTTP/1.1\r\nHost: LOGS.example.:1\r\nConnection: close\r\n\r\n", b"200"),
        (b"HEAD /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
def test_host_is_looked_at_as_it_was_sent(server: Server, request_: bytes, status: bytes) -> None:
    """HTTP/1.1 names its host once; HTTP/1.0 need not; HEAD has no body on the wire."""
    received = exchange(server.urls[0], request_)

    assert received.startswith(b"HTTP/1.1 " + status)
    assert received.endswith(b"\r\n\r\n") is request_.startswith(b"HEAD")


LOG = b'{"message":"one"}'
CUT = b'{"message":"half \\ud83d"}'
FORM = b"name=shop&msg=lost+%25s&args=%284711%2C%29&levelname=ERROR&created=1782918245.034"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "accepted"),
    [
        *((LOG * 3, kind, 202, 3) for kind in ("application/json", "application/x-ndjson", None)),
        (b"[" + LOG + b"," + CUT + b"]", "application/json", 202, 2),
        (b'[{"message":NaN},' + LOG + b"]", "application/json", 202, 1),
        (FORM, "application/x-www-form-urlencoded", 202, 1),
        (b"a=1&b=2", "application/x-www-form-urlencoded", 400, None),
        ("é\nü".encode("utf-16"), "text/plain; charset=utf-16", 202, 2),
        (b"a" * 400_000, "text/plain; charset=punycode", 415, None),
        (b"\n" * 300_000 + b"a", "text/plain", 413, None),
    ],
)
def test_bodies_are_taken_in_as_they_are_sent(
    server: Server, body: bytes, content_type: str | None, status: int, accepted: int | None
) -> None:
    """Shippers join documents, programs post forms, texts are cut within a character."""
    headers = {"Host": "localhost"} | ({"Content-Type": content_type} if content_type else {})

    answer = server.client.post("/logs", content=body, headers=headers)

    assert answer.status_code == status
    assert answer.json().get("accepted") == accepted


def test_process_ends_when_a_thread_still_works() -> None:
    """What computes on a client's body is not waited for: the request was answered 503, all is put away."""
    begin = "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()"
    code = f"{begin}; from serving.__main__ import leave; leave(3)"

    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)

    assert ended.returncode == 3


def test_clients_that_leave_are_one_line_a_minute(server: Server) -> None:
    """Whenever they leave: within the headers or the body, or before the answer; no traceback, and a count."""
    body = b"a" * 50_000
    head = b"POST /logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    begins = [head[:20], head, head + body, head + 2 * body, b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    address, began_s = urlsplit(server.urls[0]), time.monotonic()
    for number in range(150):
        with socket.create_connection((address.hostname, address.port), timeout=30) as client:
            client.sendall(begins[number % len(begins)])
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not close

    eventually(lambda: "sentinel_http_clients_left_total 0.0" not in server.client.get("/metrics").text)
    eventually(lambda: LEFT in "".join(server.said))
    said, minutes = "".join(server.said), (time.monotonic() - began_s) / 60
    assert "Traceback" not in said
    assert said.count(LEFT) <= 1 + minutes


def test_document_names_problems_as_they_are_sent(server: Server) -> None:
    """Every error of every route is `application/problem+json`."""
    document = server.client.get("/openapi.json", headers={"Host": "localhost"}).json()
    kinds = {
        (status[0], kind)
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        for kind in response.get("content", {})
        if status >= "400"
    }

    assert kinds == {("4", "application/problem+json"), ("5", "application/problem+json")}
    assert "detail" in document["components"]["schemas"]["Problem"]["properties"]
    assert "HTTPValidationError" not in str(document)


def test_leavers_are_noted_on_the_event_loop() -> None:
    """However many leave at once: never by threads beside each other, where a count is lost or a line told twice."""
    app, by = FastAPI(), set[int]()
    problems.install(app, left=lambda: by.add(threading.get_ident()))

    @app.get("/")
    async def cut() -> None:
        by.add(threading.get_ident())
        raise ClientDisconnect

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return [answer.status_code for answer in await asyncio.gather(*[client.get("/") for _ in range(5)])]

    assert asyncio.run(ask()) == [400] * 5
    assert len(by) == 1


def test_leavers_are_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Those in between are counted into the next line."""
    now_s = [0.0]
    counted: list[int] = []
    leavers = Leavers(lambda: counted.append(1), clock=lambda: now_s[0])
    with caplog.at_level("INFO"):
        for now_s[0] in (0.0, 1.0, 59.0, 61.0, 62.0):
            leavers.note()

    assert [record.getMessage().rsplit("=", 1)[1] for record in caplog.records] == ["1", "3"]
    assert len(counted) == 5
