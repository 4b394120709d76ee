"""The guard asks for the key everywhere but at the probes, and never breaks on what it is given."""

import httpx
import pytest
from fastapi import FastAPI

from serving import problems
from serving.guard import Guard, is_loopback

KEY = "s3cret-ключ"


def guarded(key: str | None) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None)
    problems.install(app)
    for path in ("/status", "/health", "/ready"):
        app.add_api_route(path, lambda: {"ok": True})
    app.add_middleware(Guard, key=key)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {KEY}".encode()},
        {"Authorization": "Bearer naïve".encode("latin-1")},
        {"Authorization": b"Bearer \xff\xfe\x00"},
        {"X-API-Key": ""},
        {"X-API-Key": "ключ".encode()},
        {"X-API-Key": KEY[:-1].encode()},
        {"X-API-Key": (KEY + "x").encode()},
    ],
)
async def test_guard_answers_401_when_the_key_is_not_right(headers: dict[str, bytes]) -> None:
    """A missing, wrong, or unreadable key is 401 with what to do, never 500."""
    async with guarded(KEY) as client:
        answer = await client.get("/status", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "LOG_SENTINEL_KEY" in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}".encode()},
        {"Authorization": f"bearer  {KEY} ".encode()},
        {"X-API-Key": KEY.encode()},
    ],
)
async def test_guard_lets_in_when_the_key_is_right(headers: dict[str, bytes]) -> None:
    """Both headers carry the key, in UTF-8."""
    async with guarded(KEY) as client:
        answer = await client.get("/status", headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_guard_leaves_the_probes_open_when_a_key_is_set(path: str) -> None:
    """A load balancer needs no key."""
    async with guarded(KEY) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/nothing-here", "/docs", "/openapi.json", "/health/../status", "//health"])
async def test_guard_asks_for_the_key_before_it_says_what_is_there(path: str) -> None:
    """Also an address that does not exist, or a way around, is 401 without the key."""
    async with guarded(KEY) as client:
        assert (await client.get(path)).status_code == 401


async def test_guard_adds_the_security_headers_to_every_answer() -> None:
    """Answers and refusals alike are not sniffed, framed or cached."""
    async with guarded(None) as client:
        answers = [await client.get("/status"), await client.get("/nothing-here"), await client.delete("/status")]

    assert [answer.status_code for answer in answers] == [200, 404, 405]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answers[2].headers["allow"] == "GET, HEAD"
    assert {answer.headers["content-type"] for answer in answers[1:]} == {"application/problem+json"}


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        *(("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.4", False), ("example.org", False), ("", False)),
    ],
)
def test_loopback_is_known_when_named_or_numbered(host: str, is_local: bool) -> None:
    """Only an address of this machine alone is loopback."""
    assert is_loopback(host) is is_local
