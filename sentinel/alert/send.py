"""Send one message to one address: our JSON to a webhook, Alertmanager's to it, all else through apprise."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sentinel.counted import counted
from sentinel.errors import TransientError

__all__ = ["Notice", "send", "shown_address"]

TIMEOUT_S = 10.0
ALERTMANAGER = ("alertmanager+http://", "alertmanager+https://")
LASTS = timedelta(days=7)  # Alertmanager forgets an alert that is not told again; ours ends when it says so
SHOWN = 20  # incidents that a digest names


@dataclass(frozen=True, slots=True)
class Notice:
    """One message: what happened to which incidents, and where a person finds them. `id` never changes: who gets it
    twice knows it again."""

    id: str
    event: str  # opened, grown, resolved, digest
    incidents: tuple[Mapping[str, Any], ...]
    url: str | None
    now: datetime

    @property
    def title(self) -> str:
        """One line."""
        if self.event == "digest":
            return f"{counted(len(self.incidents), 'incident has', 'incidents have')} begun"
        head = {"opened": "", "grown": "Worse: ", "resolved": "Over: "}[self.event]
        return f"{head}[{self.incidents[0]['severity']}] {self.incidents[0]['title']}"

    @property
    def text(self) -> str:
        """All that is worth reading before one looks."""
        if self.event == "digest":
            lines = [f"[{found['severity']}] {found['title']}" for found in self.incidents[:SHOWN]]
            more = len(self.incidents) - SHOWN
            lines += [f"and {more} more"] if more > 0 else []
        else:
            found = self.incidents[0]
            many = counted(found["lines"], "line")
            lines = [f"{many} from {found['first']} to {found['last']}", *found["reasons"][:3]]
            lines += [str(record.get("message", ""))[:300] for record in found["sample"][:2]]
        return "\n".join([*lines, *([self.url] if self.url else [])])

    def document(self) -> dict[str, Any]:
        """As a webhook gets it."""
        plain = [{name: value for name, value in found.items() if name != "last_s"} for found in self.incidents]
        body = {"id": self.id, "event": self.event, "incident": plain[0], "url": self.url}
        return {**body, "incidents": plain} if self.event == "digest" else body


def shown_address(url: str) -> str:
    """An address as a log may show it: what comes after the host is often a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or '…'}"


def send(url: str, notice: Notice) -> None:
    """Send it, and wait until it was taken. Raises TransientError where it was not: the same call may work later."""
    if url.startswith(ALERTMANAGER):
        address = url.removeprefix("alertmanager+").rstrip("/")
        _post(f"{address}/api/v2/alerts", [_alert(found, notice) for found in notice.incidents], url)
    elif url.startswith(("http://", "https://")):
        _post(url, notice.document(), url)
    else:
        _notify(url, notice)


def _alert(found: Mapping[str, Any], notice: Notice) -> dict[str, Any]:
    """Alertmanager's form. It knows an alert by its labels: they are those that never change."""
    ends = notice.now if notice.event == "resolved" else notice.now + LASTS
    return {
        "labels": {"alertname": "LogSentinelIncident", "incident": found["id"], "service": "log-sentinel"},
        "annotations": {
            "summary": found["title"],
            "description": "\n".join(found["reasons"][:3]),
            "severity": found["severity"],
            "kind": found["kind"],
            "sources": ", ".join(found["sources"]),
        },
        "startsAt": found["first"],
        "endsAt": ends.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        **({"generatorURL": notice.url} if notice.url else {}),
    }


def _post(address: str, content: object, url: str) -> None:
    body = json.dumps(content, default=str).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "log-sentinel"}
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310 the scheme was looked at
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 the scheme was looked at
            answer.read(1_000)
    except urllib.error.HTTPError as exc:
        raise TransientError(f"tell {shown_address(url)}: it answers {exc.code}; it is told again later") from exc
    except (OSError, ValueError) as exc:
        raise TransientError(f"tell {shown_address(url)}: {exc}; it is told again later") from exc


def _notify(url: str, notice: Notice) -> None:
    import apprise  # half a second, and many who never need it

    kind = {"resolved": apprise.NotifyType.SUCCESS, "digest": apprise.NotifyType.WARNING}
    told = apprise.Apprise()
    if not told.add(url):
        raise TransientError(f"tell {shown_address(url)}: apprise does not know such an address; see its documentation")
    if not told.notify(
        body=notice.text, title=notice.title, notify_type=kind.get(notice.event, apprise.NotifyType.FAILURE)
    ):
        raise TransientError(f"tell {shown_address(url)}: it was not taken; it is told again later")
