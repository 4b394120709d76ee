"""What the fake Elasticsearch keeps: documents by (index, id), and how a bulk request is answered item by item."""

from collections import Counter
from dataclasses import dataclass, field

import orjson

KEPT = (("log", "level"), ("event", "dataset"), ("host", "name"))
SUCCESS = {"_shards": {"total": 1, "successful": 1, "failed": 0}}

PARSING = {
    "type": "document_parsing_exception",
    "reason": "[1:2] failed to parse field [message] of type [long]",
    "caused_by": {"type": "illegal_argument_exception", "reason": 'For input string: "POISON"'},
}
BUSY = {"type": "es_rejected_execution_exception", "reason": "rejected execution of primary operation"}
READ_ONLY = {
    "type": "cluster_block_exception",
    "reason": "index [x] blocked by: [FORBIDDEN/8/index write (api)];",
}
FLOOD = {
    "type": "cluster_block_exception",
    "reason": "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has "
    "read-only-allow-delete block];",
}


def field_of(document: dict[str, object], first: str, second: str) -> object:
    """A field by its ECS name, whether it was sent nested or dotted."""
    inner = document.get(first)
    return inner.get(second) if isinstance(inner, dict) else document.get(f"{first}.{second}")


def source_of(document: dict[str, object]) -> dict[str, object]:
    """What is kept of a document: its digest, by which it is known again; all of it where there is none."""
    labels = document.get("labels")
    digest = labels.get("digest") if isinstance(labels, dict) else None
    return document if digest is None else {"labels": {"digest": digest}}


@dataclass
class Rules:
    """What holds for every request until it is changed."""

    poison: bytes = b""  # an item whose document holds these bytes is refused for good (400)
    spoiler: bytes = b""  # a whole request that holds these bytes is refused (400)
    max_bytes: int = 0  # a larger request is refused (413); 0: no bound
    moods: list[list[object]] = field(default_factory=list)
    """[text, [status, status, …]]: a document that holds the text gets these, one each time."""

    block: str = ""  # "read-only" or "flood": every item is refused for now
    status: int = 0  # every request, whatever it asks, gets this status (401, 403, 503 …)
    latency_s: float = 0.0  # of every bulk
    hang: bool = False  # requests are taken and never answered


@dataclass
class Index:
    """All documents (`sources`: as they were sent), and counts of what must never happen: an id in two indices, or once
    more with other content."""

    documents: dict[str, dict[str, list[object]]] = field(default_factory=dict)
    sources: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)  # id → the first index it came to
    duplicates: int = 0  # an id in a second index
    differing: int = 0  # an id again with another content
    overwritten: int = 0  # an id replaced by an operation other than `create`
    created: int = 0
    conflicts: int = 0  # 409: there already
    without_id: int = 0
    seen: Counter[str | None] = field(default_factory=Counter)  # how often an id came while it had a mood

    def put(self, operation: str, index: str, name: str | None, document: dict[str, object]) -> int:
        """Apply one item and return its status."""
        if name is None:
            self.without_id += 1
            name = f"made-{self.without_id}"
        kept = [document.get("message"), document.get("@timestamp"), *(field_of(document, *path) for path in KEPT)]
        shelf = self.documents.setdefault(index, {})
        if name in shelf:
            self.differing += shelf[name] != kept
            if operation == "create":
                self.conflicts += 1
                return 409
            self.overwritten += 1
            shelf[name] = kept
            return 200
        if self.home.setdefault(name, index) != index:
            self.duplicates += 1
        shelf[name] = kept
        self.sources.setdefault(index, {})[name] = source_of(document)
        self.created += 1
        return 201

    def count(self) -> int:
        """Documents in all indices."""
        return sum(len(shelf) for shelf in self.documents.values())


@dataclass(frozen=True)
class Item:
    """One operation of a bulk request."""

    operation: str
    index: str
    name: str | None
    raw: bytes


def read_items(body: bytes, index: str | None) -> list[Item]:
    """The operations of a bulk body. Raises ValueError where Elasticsearch would refuse the whole request."""
    if not body.endswith(b"\n"):
        raise ValueError("The bulk request must be terminated by a newline [\\n]")
    lines = body.split(b"\n")
    lines.pop()
    items, position = [], 0
    while position < len(lines):
        action = orjson.loads(lines[position])
        (operation, target), position = next(iter(action.items())), position + 2
        if operation not in ("create", "index"):
            raise ValueError(f"Malformed action/metadata line: expected create or index but found [{operation}]")
        if position > len(lines):
            raise ValueError("an operation without its document")
        name = target.get("_id")
        if name is not None and len(name.encode()) > 512:
            raise ValueError("id is too long, must be no longer than 512 bytes")
        items.append(Item(operation, target.get("_index") or index or "", name, lines[position - 1]))
    return items


ERRORS: dict[int, dict[str, object]] = {
    400: PARSING,
    403: READ_ONLY,
    404: {"type": "index_not_found_exception", "reason": "no such index [x] and auto creation is off"},
    429: BUSY,
    503: {"type": "unavailable_shards_exception", "reason": "primary shard is not active Timeout: [1m]"},
}


def error_of(status: int) -> dict[str, object]:
    """What Elasticsearch says with an item's status."""
    return ERRORS.get(status, {"type": "exception", "reason": f"told to answer {status}"})


def refusal(
    item: Item, position: int, index: Index, rules: Rules, fault: dict[str, object]
) -> tuple[int, dict[str, object]] | None:
    """The status and error of an item that is refused, by the fault of this request or by a rule; None: it goes in."""
    if item.name in index.documents.get(item.index, {}):
        return None
    if rules.block:
        return (403, READ_ONLY) if rules.block == "read-only" else (429, FLOOD)
    if rules.poison and rules.poison in item.raw:
        return 400, PARSING
    for text, statuses in rules.moods:
        assert isinstance(text, str)
        assert isinstance(statuses, list)
        if text.encode() in item.raw and index.seen[item.name] < len(statuses):
            index.seen[item.name] += 1
            status = statuses[index.seen[item.name] - 1]
            return status, error_of(status)
    chosen = fault.get("statuses")
    if isinstance(chosen, list) and (status := chosen[position % len(chosen)]):
        return status, error_of(status)
    return None


def answer_items(items: list[Item], index: Index, rules: Rules, fault: dict[str, object]) -> dict[str, object]:
    """Apply the items and build the whole bulk answer."""
    answers, errors = [], False
    for position, item in enumerate(items):
        refused = refusal(item, position, index, rules, fault)
        inner: dict[str, object] = {"_index": item.index, "_id": item.name}
        if refused is not None:
            inner["status"], inner["error"] = refused
        else:
            status = index.put(item.operation, item.index, item.name, orjson.loads(item.raw))
            inner["status"] = status
            if status == 409:
                reason = f"[{item.name}]: version conflict, document already exists (current version [1])"
                inner["error"] = {"type": "version_conflict_engine_exception", "reason": reason}
            else:
                inner |= {"result": "created" if status == 201 else "updated", "_version": 1, **SUCCESS}
        errors = errors or "error" in inner
        answers.append({item.operation: inner})
    return {"took": 1, "errors": errors, "items": answers}


def filtered(value: object, paths: list[list[str]]) -> object:
    """What `filter_path` leaves of an answer; None for nothing: Elasticsearch drops what becomes empty."""
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        kept = [found for element in value if (found := filtered(element, paths)) is not None]
        return kept or None
    if not isinstance(value, dict):
        return None
    result = {}
    for key, inner in value.items():
        below = [path[1:] for path in paths if path[0] in (key, "*")]
        below += [path for path in paths if path[0] == "**"]
        if below and (found := filtered(inner, below)) is not None:
            result[key] = found
    return result or None
