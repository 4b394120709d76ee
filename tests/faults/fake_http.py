"""As much of HTTP/1.1 as the fake Elasticsearch needs: requests read from a stream, answers written or cut short."""

import asyncio
import gzip
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import orjson

__all__ = ["Answer", "Request", "error", "read_request", "write_answer"]

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
JSON_TYPE = "application/vnd.elasticsearch+json;compatible-with=8"


@dataclass
class Request:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes


@dataclass
class Answer:
    """What goes back; `cut` sends so many bytes fewer than announced and closes."""

    status: int = 200
    body: bytes = b"{}"
    cut: int = 0


def error(status: int, kind: str, reason: str) -> Answer:
    """An error as Elasticsearch writes it."""
    cause = {"type": kind, "reason": reason}
    return Answer(status, orjson.dumps({"error": {"root_cause": [cause], **cause}, "status": status}))


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head[:-4].split(b"\r\n")
    headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(b":") for line in lines)}
    body = bytearray()
    try:
        if headers.get(b"transfer-encoding", b"") == b"chunked":
            while size := int((await reader.readline()).split(b";")[0], 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            body += await reader.readexactly(int(headers.get(b"content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, target, _ = first.decode().split(" ")
    parts = urlsplit(target)
    packed = headers.get(b"content-encoding") == b"gzip"
    return Request(method, parts.path, parse_qs(parts.query), gzip.decompress(body) if packed else bytes(body))


def write_answer(writer: asyncio.StreamWriter, request: Request, answer: Answer) -> None:
    """Send an answer, in full or cut."""
    reason = REASONS.get(answer.status, "Status")
    head = f"HTTP/1.1 {answer.status} {reason}\r\nX-elastic-product: Elasticsearch\r\nContent-Type: {JSON_TYPE}\r\n"
    head += f"Content-Length: {len(answer.body)}\r\n\r\n"
    body = b"" if request.method == "HEAD" else answer.body[: len(answer.body) - answer.cut]
    writer.write(head.encode() + body)
