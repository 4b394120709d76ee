"""A fake Elasticsearch in a process of its own that can be told to fail: by odds, by script, or by standing rules.

`python -m tests.faults.fake_elastic PORT CONTROL_PORT SEED` serves what the store room asks for on the first port; the
second one takes `POST /odds`, `/script`, `/rules`, `/down`, `/up` and answers `GET /dump`, `/stats`.
"""

import asyncio
import contextlib
import random
import socket
import struct
import sys
from collections import Counter, deque
from dataclasses import dataclass, field, fields
from urllib.parse import unquote

import orjson
import uvloop

from tests.faults.fake_http import Answer, Request, error, read_request, write_answer
from tests.faults.fake_index import Index, Rules, answer_items, filtered, read_items

VERSION = {"number": "8.14.1", "build_flavor": "default", "lucene_version": "9.10.0"}
ROOT_ANSWER = {"name": "fake", "cluster_name": "fake", "cluster_uuid": "f" * 22, "version": VERSION}
ROOT_ANSWER["tagline"] = "You Know, for Search"


class Abort(Exception):
    """The connection is to be reset without an answer."""


@dataclass
class Fake:
    """Documents, rules, and the faults to come."""

    random: random.Random
    index: Index = field(default_factory=Index)
    rules: Rules = field(default_factory=Rules)
    odds: list[tuple[float, dict[str, object]]] = field(default_factory=list)
    script: deque[dict[str, object]] = field(default_factory=deque)
    counts: Counter[str] = field(default_factory=Counter)
    templates: dict[str, object] = field(default_factory=dict)

    def next_fault(self) -> dict[str, object]:
        """The fault of this bulk: the script's next, else by the odds, else none."""
        if self.script:
            return self.script.popleft()
        dice = self.random.random()
        for chance, fault in self.odds:
            if dice < chance:
                return fault
            dice -= chance
        return {}

    async def answer(self, request: Request) -> Answer:
        """Answer any request but those of the control port."""
        self.counts["requests"] += 1
        while self.rules.hang:
            await asyncio.sleep(0.05)
        if self.rules.status:
            return error(self.rules.status, "security_exception", f"told to answer {self.rules.status}")
        if request.path.endswith("/_bulk"):
            return await self.bulk(request)
        if request.path == "/":
            return Answer(body=orjson.dumps(ROOT_ANSWER))
        return self.manage(request)

    async def bulk(self, request: Request) -> Answer:
        """One bulk request, with the fault that is due."""
        fault = self.next_fault()
        kind = str(fault.get("fault", "none"))
        self.counts["bulks"] += 1
        self.counts[f"fault {kind}"] += 1
        self.counts["max bulk bytes"] = max(self.counts["max bulk bytes"], len(request.body))
        if pause := self.rules.latency_s + float(fault.get("seconds", 0)):
            await asyncio.sleep(pause)
        if kind == "reset":
            raise Abort
        if kind == "status":
            return error(int(fault["status"]), str(fault.get("type", "exception")), "told to refuse the whole request")
        if self.rules.max_bytes and len(request.body) > self.rules.max_bytes:
            return error(413, "content_too_large_exception", "entity content is too long")
        if self.rules.spoiler and self.rules.spoiler in request.body:
            return error(400, "illegal_argument_exception", "told to refuse the whole request for one document")
        index = request.path.strip("/").rpartition("_bulk")[0].strip("/") or None
        try:
            items = read_items(request.body, index)
        except (ValueError, TypeError) as exc:
            return error(400, "illegal_argument_exception", str(exc))
        self.counts["items"] += len(items)
        return self.spoil(kind, fault, answer_items(items, self.index, self.rules, fault), request)

    def spoil(self, kind: str, fault: dict[str, object], full: dict[str, object], request: Request) -> Answer:
        """The answer after the documents went in, damaged as the fault says."""
        items = full["items"]
        assert isinstance(items, list)
        if kind == "lost":
            raise Abort
        if kind == "applied-status":
            return error(int(fault["status"]), "exception", "told to answer so although all went in")
        if kind == "fewer":
            del items[len(items) // 2 :]
        elif kind == "more":
            items.append(items[-1])
        elif kind == "swapped":
            items.reverse()
        elif kind == "strangers":
            for item in items:
                next(iter(item.values()))["_id"] = "of-somebody-else"
        answer: object = full
        if paths := request.query.get("filter_path"):
            answer = filtered(full, [path.split(".") for path in ",".join(paths).split(",")]) or {}
        body = orjson.dumps(answer)
        if kind == "cut-json":
            body = body[: len(body) * 2 // 3]
        elif kind == "html":
            body = b"<html><body>502 Bad Gateway</body></html>"
        elif kind == "empty":
            body = b""
        elif kind == "no-items":
            body = b'{"took":1}'
        elif kind == "cut-body":
            return Answer(body=body, cut=max(1, len(body) // 3))
        return Answer(body=body)

    def manage(self, request: Request) -> Answer:
        """Templates, aliases, counts and whatever else is asked beside bulks."""
        first, _, rest = request.path.strip("/").partition("/")
        if request.path.endswith("/_count"):
            shelves = self.index.documents.items()
            count = sum(len(shelf) for name, shelf in shelves if matches(first, name))
            return Answer(body=orjson.dumps({"count": count, "_shards": {"total": 1, "successful": 1, "failed": 0}}))
        if request.path.endswith("/_mget"):
            return self.get(first, orjson.loads(request.body)["ids"], request.query.get("_source_includes"))
        if request.path.endswith("/_search"):
            return self.search(first, orjson.loads(request.body))
        if first in ("_index_template", "_component_template", "_ilm", "_ingest"):
            return self.template(request, first, rest)
        if first == "_cluster" and rest.startswith("health"):
            return Answer(body=orjson.dumps({"status": "green", "number_of_nodes": 1}))
        if "_doc/" in rest or "_source/" in rest:
            name = unquote(rest.rpartition("/")[2])
            found = name in self.index.documents.get(first, {})
            return Answer(200 if found else 404, orjson.dumps({"found": found, "_id": name}))
        if first.startswith("_") or rest.startswith("_refresh"):
            return Answer(body=orjson.dumps({"acknowledged": True}))
        if request.method in ("GET", "HEAD"):
            found = first in self.index.documents
            missing = error(404, "index_not_found_exception", f"no such index [{first}]")
            return Answer(body=orjson.dumps({first: {"aliases": {}}})) if found else missing
        self.index.documents.setdefault(first, {})
        return Answer(body=orjson.dumps({"acknowledged": True, "shards_acknowledged": True, "index": first}))

    def get(self, index: str, ids: list[str], fields: list[str] | None) -> Answer:
        """Documents by their ids; of each all that was sent, or the fields that are asked for."""
        self.counts["mgets"] += 1
        shelf, docs = self.index.sources.get(index, {}), []
        for name in ids:
            document: object = shelf.get(name)
            if fields and document is not None:
                document = filtered(document, [path.split(".") for path in ",".join(fields).split(",")]) or {}
            docs.append({"_index": index, "_id": name, "found": document is not None, "_source": document})
        return Answer(body=orjson.dumps({"docs": docs}))

    def search(self, pattern: str, body: dict[str, dict[str, dict[str, list[str]]]]) -> Answer:
        """Which of some ids are there: the only query that is asked while records are delivered."""
        wanted = body["query"]["ids"]["values"]
        shelves = [(name, shelf) for name, shelf in self.index.documents.items() if matches(pattern, name)]
        hits = [{"_index": name, "_id": one} for name, shelf in shelves for one in wanted if one in shelf]
        return Answer(body=orjson.dumps({"hits": {"hits": hits}, "timed_out": False, "_shards": {"failed": 0}}))

    def template(self, request: Request, kind: str, name: str) -> Answer:
        """Keep a template, or give it back."""
        key = f"{kind}/{name}"
        if request.method in ("PUT", "POST"):
            self.templates[key] = orjson.loads(request.body or b"{}")
            return Answer(body=orjson.dumps({"acknowledged": True}))
        if key not in self.templates:
            return error(404, "resource_not_found_exception", f"{name} is missing")
        entry = {"name": name, kind.strip("_"): self.templates[key]}
        return Answer(body=orjson.dumps({f"{kind.strip('_')}s": [entry]}))


def matches(pattern: str, name: str) -> bool:
    """Whether an index is meant by a name with `*`, a list, or a prefix that is an alias."""
    return any(name == one or name.startswith(one.rstrip("*")) for one in unquote(pattern).split(","))


async def converse(fake: Fake, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until it ends or is to be reset."""
    try:
        while (request := await read_request(reader)) is not None:
            answer = await fake.answer(request)
            write_answer(writer, request, answer)
            await writer.drain()
            if answer.cut:
                break
        writer.close()
    except (Abort, ConnectionError):
        if (own := writer.get_extra_info("socket")) is not None:  # not gone already
            with contextlib.suppress(OSError):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


class Door:
    """The listening port, which can be shut: then connections are refused and the open ones reset."""

    def __init__(self, fake: Fake, port: int) -> None:
        self._fake, self._port = fake, port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=2**20)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await converse(self._fake, reader, writer)
        finally:
            self._writers.discard(writer)


async def control(fake: Fake, door: Door, request: Request) -> bytes:
    """One order of the harness."""
    value = orjson.loads(request.body) if request.body else None
    match request.path:
        case "/odds":
            fake.odds = [(chance, fault) for chance, fault in value]
        case "/script":
            fake.script.extend(value)
        case "/rules":
            known = {one.name for one in fields(Rules)}
            made = {key: (inner.encode() if key in ("poison", "spoiler") else inner) for key, inner in value.items()}
            assert set(made) <= known, made
            for key, inner in made.items():
                setattr(fake.rules, key, inner)
        case "/forget":
            fake.index, fake.rules, fake.odds = Index(), Rules(), []
            fake.script.clear()
            fake.counts.clear()
        case "/down":
            await door.shut()
        case "/up":
            await door.open()
        case "/dump":
            shelves = fake.index.documents.items()
            rows = (orjson.dumps([index, name, *kept]) for index, shelf in shelves for name, kept in shelf.items())
            return b"\n".join(rows)
        case "/stats":
            names = ("duplicates", "differing", "overwritten", "created", "conflicts", "without_id")
            found = {name: getattr(fake.index, name) for name in names}
            return orjson.dumps({**found, **fake.counts, "documents": fake.index.count(), "script": len(fake.script)})
    return b"{}"


async def main(port: int, control_port: int, seed: int) -> None:
    """Serve until killed."""
    fake = Fake(random.Random(seed))
    door = Door(fake, port)

    async def steer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            write_answer(writer, request, Answer(body=await control(fake, door, request)))
            await writer.drain()
        writer.close()

    await door.open()
    server = await asyncio.start_server(steer, "127.0.0.1", control_port, limit=2**20)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:4])))
