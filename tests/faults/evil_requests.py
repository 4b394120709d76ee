"""Requests that nobody in their right mind sends: made by hand, and at random after the routes; each as bytes."""

import gzip
import json
import random
from collections.abc import Callable

import zstandard

__all__ = ["BIG", "SMALL", "any_request"]

MIB = 1024 * 1024
POSTS = (
    "/logs",
    "/predict",
    "/train",
    "/logs?score=true",
    "/predict?observe=true",
    "/models/x/promote",
    "/incidents/x",
)
GETS = (
    "/anomalies",
    "/status",
    "/metrics",
    "/models",
    "/health",
    "/ready",
    "/incidents",
    "/sources",
    "/templates",
    "/",
)
TYPES = ("application/json", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded", "", "image/png")
CODECS = ("punycode", "idna", "utf-7", "zip", "rot13", "unicode_escape", "utf-16", "utf-16be", "windows-1252", "\\x00")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "PROPFIND")

Make = Callable[[random.Random], bytes]


def request(method: str, path: str, body: bytes = b"", *headers: str, host: str = "localhost") -> bytes:
    """A whole request that asks for the connection to be closed."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def post(rng: random.Random, body: bytes, kind: str = "application/json", *headers: str) -> bytes:
    """A body to one of the routes that take logs."""
    return request(
        "POST", rng.choice(POSTS[:2] + POSTS[3:5]), body, *([f"Content-Type: {kind}"] if kind else []), *headers
    )


def _value(rng: random.Random, depth: int = 0) -> object:
    plain = [
        None,
        True,
        -1,
        1e308,
        2**70,
        "",
        "\ud83d",
        "\x00",
        "a" * rng.randrange(200),
        "%s %n {0}",
        "<script>",
        "\u2028",
    ]
    if depth > 3 or rng.random() < 0.6:
        return rng.choice(plain)
    if rng.random() < 0.5:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {
        rng.choice(("message", "timestamp", "level", "source", "a.b", "", "\n")): _value(rng, depth + 1)
        for _ in range(4)
    }


def _random_document(rng: random.Random) -> bytes:
    return post(rng, json.dumps([_value(rng) for _ in range(rng.randrange(1, 6))]).encode(), rng.choice(TYPES))


def _random_bytes(rng: random.Random) -> bytes:
    whole = bytearray(_random_document(rng))
    for _ in range(rng.randrange(1, 8)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole)


def _odd_target(rng: random.Random) -> bytes:
    path = rng.choice(
        ("/../etc/passwd", "//", "/%00", "/models/%2e%2e/promote", "/logs/", "*", "/?" + "a=b&" * 900, "/\u00e9")
    )
    return request(rng.choice(METHODS), path)


def _odd_query(rng: random.Random) -> bytes:
    query = rng.choice(
        ("limit=-1", "limit=1e9", "since=yesterday", "since=9999-99-99", "limit=%00", "q=" + "(" * 500, "score=2")
    )
    return request("GET", f"{rng.choice(GETS)}?{query}")


def _odd_host(rng: random.Random) -> bytes:
    return request(
        "GET", rng.choice(GETS), host=rng.choice(("evil.example", "", "a b", "[::1", "localhost\r\nHost: x", "::1"))
    )


def _foreign(rng: random.Random) -> bytes:
    header = rng.choice(("Origin: null", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"))
    return request("POST", rng.choice(POSTS), b'{"message":"x"}', header)


def _odd_headers(rng: random.Random) -> bytes:
    odd = (
        *("Content-Length: 1", "Transfer-Encoding: chunked", "Expect: 100-continue", "Upgrade: websocket"),
        *("Content-Encoding: br", "Content-Encoding: gzip, gzip", "Idempotency-Key: " + "k" * 300),
        *("Authorization: Bearer \udcff", "Cookie: " + "c" * 4000, "X: " + "y" * 70_000),
    )
    paths = [path for path in POSTS if path != "/train"]  # a training is meant, and takes its time
    return request("POST", rng.choice(paths), b'{"message":"x"}', rng.choice(odd))


def _charset(rng: random.Random) -> bytes:
    return post(rng, b"a" * rng.randrange(1, 200_000), f"text/plain; charset={rng.choice(CODECS)}")


def _damaged(rng: random.Random) -> bytes:
    packed = bytearray(gzip.compress(b'{"message":"x"}\n' * 1000))
    packed[rng.randrange(len(packed))] ^= 255
    return post(rng, bytes(packed[: rng.randrange(1, len(packed))]), "application/x-ndjson", "Content-Encoding: gzip")


def _chunks(rng: random.Random) -> bytes:
    head = b"POST /logs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + rng.choice(
        (b"zz\r\n", b"5\r\nab", b"FFFFFFFFFFFFFFFFFF\r\n", b"1\r\nx\r\n" * 500 + b"0\r\n\r\n", b"-1\r\n\r\n")
    )


def _no_http(rng: random.Random) -> bytes:
    return rng.choice(
        (b"\x16\x03\x01\x02\x00\x01", b"HELO x\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 500, rng.randbytes(300))
    )


def _deep(rng: random.Random) -> bytes:
    depth = rng.choice((1_000, 50_000))
    return post(rng, rng.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth)))


def _get(rng: random.Random) -> bytes:
    return request(rng.choice(("GET", "HEAD", "OPTIONS")), rng.choice(GETS))


def _train(rng: random.Random) -> bytes:
    return request(
        "POST",
        "/train",
        rng.choice((b"[]", b"null", b"{", b"\xff\xfe", b'[{"message":1}]')),
        "Content-Type: application/json",
    )


def _bomb(rng: random.Random) -> bytes:
    plain = bytes(rng.choice((20, 200)) * MIB)
    packed = gzip.compress(plain, 1) if rng.random() < 0.5 else zstandard.compress(plain, 1)
    return post(rng, packed, "text/plain", "Content-Encoding: " + ("gzip" if packed[:2] == b"\x1f\x8b" else "zstd"))


def _too_big(rng: random.Random) -> bytes:
    return post(rng, b"a\n" * (rng.choice((8, 10, 20)) * MIB), "text/plain")


def _many_values(rng: random.Random) -> bytes:
    piece = rng.choice((b"{},", b"[],", b'"a",', b"1.5,", b'{"":0},', b"}{", b'\\"', b"]"))
    return post(rng, b"[" + piece * (12 * MIB // len(piece)) + b"{}]", rng.choice(TYPES[:3]))


def _many_lines(rng: random.Random) -> bytes:
    piece = rng.choice((b"\n", b"\r\n", b"}\n", b"{}\n", b" \n", b'{"message":"x"}'))
    return post(rng, piece * (12 * MIB // len(piece)), rng.choice(TYPES[:3]))


def _one_long_line(rng: random.Random) -> bytes:
    return post(rng, rng.choice((b"a", b" ", b"\xff", b"%s", b"{", b"\\")) * (12 * MIB), "text/plain")


def _many_sources(rng: random.Random) -> bytes:
    rows = [{"message": "x", "source": f"{rng.getrandbits(40):x}"} for _ in range(20_000)]
    return request("POST", "/logs", json.dumps(rows).encode(), "Content-Type: application/json")


def _many_rejected(rng: random.Random) -> bytes:
    return request("POST", "/logs", b"[" + b"5," * 150_000 + b'{"message":"x"}]', "Content-Type: application/json")


SMALL: tuple[Make, ...] = (
    *(_random_document, _random_bytes, _odd_target, _odd_query, _odd_host, _foreign, _odd_headers, _charset, _damaged),
    *(_chunks, _no_http, _deep, _get, _train),
)
BIG: tuple[Make, ...] = (_bomb, _too_big, _many_values, _many_lines, _one_long_line, _many_sources, _many_rejected)


def any_request(rng: random.Random, *, big_share: float) -> tuple[str, bytes]:
    """Its kind and its bytes; `big_share` of them are megabytes."""
    make = rng.choice(BIG if rng.random() < big_share else SMALL)
    return make.__name__.removeprefix("_"), make(rng)
