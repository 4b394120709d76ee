"""A small HTTP server that answers as a test tells it, and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

JSON = "application/vnd.elasticsearch+json;compatible-with=8"
VERSION = {"version": {"number": "8.14.1"}, "tagline": "You Know, for Search"}


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def ids(self) -> list[str]:
        """The ids of a bulk's documents, in order."""
        return [json.loads(line)["create"]["_id"] for line in self.body.split(b"\n")[:-1:2]]

    @property
    def is_quick(self) -> bool:
        """Whether only `errors` was asked for."""
        return self.query.get("filter_path") == ["errors,took"]


@dataclass(frozen=True)
class Answer:
    """One answer; `body` is JSON unless it is bytes. `cut` bytes of it are announced but not sent."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


def error(status: int, kind: str, reason: str = "told to") -> Answer:
    """An error as Elasticsearch writes it."""
    return Answer({"error": {"type": kind, "reason": reason, "root_cause": []}, "status": status}, status)


def item(name: str, status: int = 201, kind: str = "", reason: str = "") -> dict[str, object]:
    """One item of a bulk answer."""
    result: dict[str, object] = {"_id": name, "status": status}
    return {"create": result | ({"error": {"type": kind, "reason": reason}} if kind else {})}


def bulk_answer(items: list[dict[str, object]]) -> Answer:
    """An answer to a bulk."""
    statuses = [entry["create"]["status"] for entry in items]  # type: ignore[index]
    return Answer({"errors": any(status >= 300 for status in statuses), "items": items})


@dataclass
class Scripted:
    """The server; `bulk` answers bulks, `other` the rest (None: as an empty Elasticsearch would)."""

    url: str = ""
    bulk: Callable[[Asked], Answer] = lambda asked: bulk_answer([item(name) for name in asked.ids])
    other: Callable[[Asked], Answer | None] = lambda _: None
    asked: list[Asked] = field(default_factory=list)
    sent: dict[str, object] = field(default_factory=dict)  # the labels of each document that a bulk brought

    @property
    def bulks(self) -> list[Asked]:
        """The bulks it was sent."""
        return [asked for asked in self.asked if asked.path.endswith("/_bulk")]

    def answer(self, asked: Asked) -> Answer:
        """What to say."""
        self.asked.append(asked)
        if asked.path.endswith("/_bulk"):
            lines = [json.loads(line) for line in asked.body.split(b"\n")[:-1]]
            pairs = zip(lines[::2], lines[1::2], strict=False)  # none where it is a harmless question
            self.sent |= {action["create"]["_id"]: document.get("labels") for action, document in pairs}
            return self.bulk(asked)
        told = self.other(asked)
        if told is not None:
            return told
        if asked.path.endswith("/_mget"):
            names = json.loads(asked.body)["ids"]
            docs = [{"_id": name, "found": True, "_source": {"labels": self.sent[name]}} for name in names]
            return Answer({"docs": docs})
        if asked.path == "/":
            return Answer(VERSION)
        if asked.method == "GET":
            return error(404, "resource_not_found_exception")
        return Answer({"acknowledged": True}) if asked.method != "HEAD" else Answer(b"")


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    """A server on a free port."""
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked = Asked(
                self.command, parts.path, parse_qs(parts.query), {k.lower(): v for k, v in self.headers.items()}, body
            )
            told = script.answer(asked)
            content = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            headers = {"X-Elastic-Product": "Elasticsearch", "Content-Type": JSON, "Content-Length": str(len(content))}
            for name, value in (headers | told.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) - told.cut])
            if told.cut:
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
