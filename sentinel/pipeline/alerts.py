"""Tell people: incidents of the spool to the addresses of the rules, at least once, each message noted when taken."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from sentinel.alert import Notice, Route, Rules, Told, plan, send, shown_address
from sentinel.alert.plan import OLD_S, Message
from sentinel.errors import SentinelError
from sentinel.failpoints import reach
from sentinel.incidents import Incident
from sentinel.spool import Spool

__all__ = ["Alerter", "trial_notice"]

log = logging.getLogger(__name__)

READER, BLOB = "alert", "alerts"
MAX_TOLD = 5_000  # of all addresses; those that are over go first, then the oldest
OVER_KEPT_S = 86_400.0
MAX_AN_HOUR = 60  # messages to one address; beyond that they wait, and become a digest
HOUR_S = 3_600.0
BACKOFF_START_S, BACKOFF_CAP_S = 2.0, 300.0

Kept = dict[str, dict[str, Told]]  # address (hashed) → incident → what it was told


@dataclass(slots=True)
class Alerter:
    """Tells what is new with each round. One process at a time does, by the lease of the reader `alert`."""

    spool: Spool
    rules: Rules
    address: str | None  # what links begin with
    is_unsure: Callable[[], bool] = lambda: False
    deliver: Callable[[str, Notice], None] = send
    error: str | None = None  # why the last message was not taken
    _failures: dict[str, int] = field(default_factory=dict)
    _next_s: dict[str, float] = field(default_factory=dict)
    _sent_s: dict[str, list[float]] = field(default_factory=dict)

    def round(self, now_s: float) -> int:
        """Tell every address what it does not know yet; how many messages were taken. Never raises for an address."""
        if not self.rules.routes:
            return 0
        with self.spool.lease(READER) as lease:
            if lease is None:
                return 0
            kept = _read(self.spool)
            incidents = self._incidents(kept, now_s)
            return sum(
                self._tell(route, url, incidents, kept, now_s) for route in self.rules.routes for url in route.urls
            )

    def _incidents(self, kept: Kept, now_s: float) -> list[dict[str, Any]]:
        """Those that may be told: of the last hour, and those that were told and are not over."""
        rows = {row.id: row for row in self.spool.incidents.newest(now_s - OLD_S)}
        waiting = {id_ for told in kept.values() for id_, last in told.items() if not last.is_over}
        for id_ in waiting - set(rows):
            if (row := self.spool.incidents.get(id_)) is not None:
                rows[id_] = row
        found = [Incident.from_json(orjson.loads(row.content)) for row in rows.values()]
        return [{**incident.shown(), "last_s": incident.last_s} for incident in found]

    def _tell(self, route: Route, url: str, incidents: Sequence[Mapping[str, Any]], kept: Kept, now_s: float) -> int:
        key = _key(url)
        if now_s < self._next_s.get(key, 0.0) <= now_s + BACKOFF_CAP_S:
            return 0
        told = kept.setdefault(key, {})
        now, taken = datetime.fromtimestamp(now_s).astimezone(), 0
        sent = self._sent_s[key] = [at_s for at_s in self._sent_s.get(key, []) if now_s - HOUR_S < at_s <= now_s]
        for message in plan(route, incidents, told, now, is_unsure=self.is_unsure()):
            if len(sent) >= MAX_AN_HOUR:
                self.error = f"tell {shown_address(url)}: {MAX_AN_HOUR} messages within an hour; the rest waits"
                return taken
            if not self._send(url, key, _notice(message, self.address, now), now_s):
                return taken
            sent.append(now_s)
            is_over = message.event == "resolved"
            told.update({found["id"]: Told(found["severity"], now_s, is_over) for found in message.incidents})
            _write(self.spool, kept, now_s)
            taken += 1
        return taken

    def _send(self, url: str, key: str, notice: Notice, now_s: float) -> bool:
        try:
            self.deliver(url, notice)
        except SentinelError as exc:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self._next_s[key] = now_s + min(BACKOFF_CAP_S, BACKOFF_START_S * 2.0 ** min(failures - 1, 10))
            if self.error != str(exc):
                log.warning("not told event=%s error=%s", notice.event, exc)
            self.error = str(exc)
            return False
        reach("alert.sent")
        self.error = None
        self._failures.pop(key, None)
        self._next_s.pop(key, None)
        log.info("told address=%s event=%s incident=%s", shown_address(url), notice.event, notice.id)
        return True


def _notice(message: Message, address: str | None, now: datetime) -> Notice:
    """The id is the incident's; a digest's comes from its incidents, so that a repeat has the same."""
    ids = [found["id"] for found in message.incidents]
    is_digest = message.event == "digest"
    id_ = "digest-" + sha256("".join(sorted(ids)).encode()).hexdigest()[:16] if is_digest else ids[0]
    base = address.rstrip("/") if address else None
    url = None if base is None else base + "/" if is_digest else f"{base}/incidents/{ids[0]}"
    return Notice(id_, message.event, message.incidents, url, now)


def _key(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:16]


def _read(spool: Spool) -> Kept:
    content = spool.blob(BLOB)
    return msgspec.json.decode(content, type=Kept) if content else {}


def _write(spool: Spool, kept: Kept, now_s: float) -> None:
    """Keep what was told, without what is long over and what is beyond the bound."""
    for told in kept.values():
        for id_ in [id_ for id_, last in told.items() if last.is_over and last.at_s < now_s - OVER_KEPT_S]:
            del told[id_]
        for id_ in sorted(told, key=lambda name: (not told[name].is_over, told[name].at_s))[
            : max(0, len(told) - MAX_TOLD)
        ]:
            del told[id_]
    with spool.transaction() as tx:
        tx.put_blob(BLOB, msgspec.json.encode(kept))


def trial_notice(address: str | None, now: datetime) -> Notice:
    """A message that says that messages come through."""
    incident = {
        "id": "test",
        "title": "This is a test: Log Sentinel can tell you of incidents",
        "kind": "test",
        "severity": "low",
        "state": "open",
        "first": now.astimezone(UTC).isoformat(),
        "last": now.astimezone(UTC).isoformat(),
        "lines": 0,
        "peak_score": 0.0,
        "sources": [],
        "actors": [],
        "templates": [],
        "reasons": ["nothing is wrong; `sentinel alert test` was run"],
        "sample": [],
    }
    return Notice("test", "opened", (incident,), address, now)
