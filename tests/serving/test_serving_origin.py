"""Pages of other sites and other names of this machine are refused, programs and the server's own pages are not."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from serving import problems
from serving.guard import Guard
from serving.origin import host_of
from serving.page import trouble
from serving.page.render import POLICY

FOREIGN_PAGES = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:3000"},
    {"Origin": "http://localhost:8000"},  # the Host is 127.0.0.1: another origin
    {"Origin": "https://127.0.0.1:8000"},
    {"Origin": "http://127.0.0.1:8000.evil.example"},
    {"Origin": "http://127.0.0.1:8000@evil.example"},
    {"Origin": "chrome-extension://abcdef"},
    {"Origin": "http://127.0.0.1:8000 http://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "Cross-Site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "application/json"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Accept": "text/html"},
]
OWN_PAGES = [
    {},
    {"Origin": "http://127.0.0.1:8000"},
    {"Origin": "HTTP://127.0.0.1:8000"},
    {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-site"},
]
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html,*/*;q=0.8"}


def door(
    hosts: set[str] | None = None, key: str | None = None, in_words: problems.InWords = problems.as_it_is
) -> httpx.AsyncClient:
    """A client of an app that listens on loopback."""
    app = FastAPI(openapi_url=None)
    problems.install(app)

    async def endless() -> StreamingResponse:
        async def pieces():  # type: ignore[no-untyped-def]
            while True:
                yield b"again"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    for path in ("/status", "/health", "/ready"):
        app.add_api_route(path, lambda: {"ok": True}, methods=["GET"])
    app.add_api_route("/logs", lambda: {"ok": True}, methods=["POST"])
    app.add_api_route("/stream", endless, methods=["GET"])
    app.add_middleware(Guard, key=key, hosts=hosts if hosts is not None else set(), in_words=in_words)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize("headers", FOREIGN_PAGES, ids=str)
@pytest.mark.parametrize(("method", "path"), [("GET", "/status"), ("POST", "/logs"), ("GET", "/health"), ("PUT", "/x")])
async def test_guard_answers_403_when_a_page_of_another_site_asks(
    headers: dict[str, str], method: str, path: str
) -> None:
    """No route serves another site's page, also one that is not there."""
    async with door() as client:
        answer = await client.request(method, path, headers=headers)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("headers", OWN_PAGES, ids=str)
async def test_guard_lets_in_when_its_own_page_or_a_program_asks(headers: dict[str, str]) -> None:
    """Programs send neither header, our own pages say that they are ours."""
    async with door() as client:
        assert (await client.post("/logs", headers=headers)).status_code == 200


async def test_guard_lets_in_when_a_link_is_clicked_but_not_when_a_form_is_sent() -> None:
    """A link of an alert leads here from anywhere; what changes something does not."""
    async with door() as client:
        assert (await client.get("/status", headers=LINK)).status_code == 200
        assert (await client.post("/logs", headers=LINK)).status_code == 403


async def test_guard_takes_the_scheme_from_a_proxy_when_it_ends_tls() -> None:
    """Behind a proxy the page is https although the request is not."""
    headers = {"Host": "logs.example", "Origin": "https://logs.example"}
    async with door({"logs.example"}) as client:
        assert (await client.post("/logs", headers=headers)).status_code == 403
        assert (await client.post("/logs", headers={**headers, "X-Forwarded-Proto": "https"})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "localhost:8000",
            "LOCALHOST:1",
            "localhost.",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8000",
        ),
        *("[0:0:0:0:0:0:0:1]:80", "logs.example", "Logs.Example.:443"),
    ],
)
async def test_guard_lets_in_when_the_host_is_one_of_its_names(host: str) -> None:
    """Names match whatever their case, port, last dot or spelling."""
    async with door({"logs.example"}) as client:
        assert (await client.get("/status", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "127.0.0.2",
            "0.0.0.0:8000",
        ),
        *("[::]", "[::ffff:127.0.0.1]", "2130706433", "", ":8000", "xlogs.example"),
    ],
)
async def test_guard_answers_421_when_the_host_is_another(host: str) -> None:
    """A name that only resolves to this machine (DNS rebinding) opens nothing but the probes."""
    async with door({"logs.example"}, key="k") as client:
        answers = [await client.get(path, headers={"Host": host}) for path in ("/status", "/health", "/ready")]

    assert [answer.status_code for answer in answers] == [421, 200, 200]
    assert "LOG_SENTINEL_ALLOWED_HOSTS" in answers[0].json()["detail"]


@pytest.mark.parametrize(
    "host", ["a b", "127.0.0.1, evil", "user@127.0.0.1", "[::1", "::1", "127.0.0.1:x", "[1]", "a/b", "ключ"]
)
@pytest.mark.parametrize("path", ["/status", "/health"])
async def test_guard_answers_400_when_the_host_is_none(host: str, path: str) -> None:
    """What is no name and no address is no request (RFC 9112)."""
    async with door() as client:
        assert (await client.get(path, headers={"Host": host.encode()})).status_code == 400


async def test_guard_answers_400_when_there_are_two_hosts() -> None:
    """Two parties could read two hosts differently."""
    async with door() as client:
        answer = await client.get("/health", headers=[("Host", "127.0.0.1"), ("Host", "127.0.0.1")])

    assert answer.status_code == 400


async def test_guard_takes_any_host_when_it_has_no_names() -> None:
    """Reached from elsewhere, and behind a key, the server has whatever name the network gives it."""
    app = FastAPI()
    app.add_api_route("/status", lambda: {"ok": True})
    app.add_middleware(Guard, key=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://any.example") as client:
        assert (await client.get("/status")).status_code == 200


@pytest.mark.parametrize("path", ["/status", "/health", "/ready", "/stream"])
async def test_head_answers_as_get_without_a_body(path: str) -> None:
    """Probes of balancers ask with HEAD; also an answer that never ends has a head that does."""
    async with door() as client:
        answer = await client.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


async def test_head_is_named_when_a_method_is_not_there() -> None:
    """405 names what would be answered."""
    async with door() as client:
        answers = [await client.put("/status"), await client.head("/logs")]

    assert [(answer.status_code, answer.headers["allow"]) for answer in answers] == [(405, "GET, HEAD"), (405, "POST")]


def test_host_is_none_when_it_is_too_odd() -> None:
    """The longest port has five digits."""
    assert host_of("localhost:123456") is None


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({"Host": "rebound.example"}, 421, "não atende pelo nome &#39;rebound.example&#39;"),
        ({"Host": "<script>"}, 400, "O cabeçalho Host não é um nome"),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403, "Uma página de outro site"),
    ],
)
async def test_refusal_is_a_page_in_a_browser(headers: dict[str, str], status: int, said: str) -> None:
    """In the reader's language and under the page's strict policy; a program gets the problem."""
    async with door(in_words=trouble.in_words) as client:
        page = await client.get("/status", headers={"Accept": "text/html", "Accept-Language": "pt", **headers})
        program = await client.get("/status", headers=headers)
        sent = await client.post("/logs", headers={"Accept": "text/html", **headers})

    assert [answer.status_code for answer in (page, program, sent)] == [status] * 3
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == POLICY
    assert said in page.text
    assert "<script" not in page.text
    assert {answer.headers["content-type"] for answer in (program, sent)} == {problems.MEDIA_TYPE}


async def test_refusal_keeps_its_headers_when_it_is_a_page() -> None:
    """A browser that asks for an address of the API without a key is told how to send one."""
    async with door(key="secret", in_words=trouble.in_words) as client:
        page = await client.get("/status", headers={"Accept": "text/html"})

    assert page.status_code == 401
    assert page.headers["www-authenticate"].startswith("Bearer")
    assert "LOG_SENTINEL_KEY" in page.text
