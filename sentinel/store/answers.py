"""What Elasticsearch answers, judged: its errors as ours, and each item of a bulk as done, later or dead."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from elastic_transport import SerializationError, TlsError, TransportError
from elasticsearch import ApiError, UnsupportedProductError

from sentinel.errors import SentinelError, TerminalError, TransientError

__all__ = ["PRIVILEGES", "is_about", "judge", "mapped_errors", "reason_of"]

EVENTS_AND_ANOMALIES = "<index>-events-*,<index>-anomalies"
PRIVILEGES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "deliver": {
        "cluster": ("monitor",),
        EVENTS_AND_ANOMALIES: ("create_doc", "auto_configure", "view_index_metadata", "read"),
        "<index>": ("view_index_metadata",),
    },
    "incidents": {"<index>-incidents": ("index", "delete", "read", "view_index_metadata")},
    "read": {EVENTS_AND_ANOMALIES: ("read", "view_index_metadata")},
    "set up": {
        "cluster": ("monitor", "manage_index_templates"),
        EVENTS_AND_ANOMALIES: ("create_index", "view_index_metadata"),
        "<index>-incidents": ("create_index", "view_index_metadata"),
        "<index>": ("view_index_metadata",),
    },
    "refresh": {EVENTS_AND_ANOMALIES: ("maintenance",)},
    "prune": {"<index>-events-*": ("delete_index", "view_index_metadata")},
    "lifecycle": {"cluster": ("manage_ilm",)},
    "update mappings": {EVENTS_AND_ANOMALIES: ("manage",)},
}
"""What a key must be allowed ("cluster", or the names of indices → privileges), by what is done with it.

Delivery needs the first alone once "set up" was done with another key; training and batch scoring "read" too. Without
"refresh" a scan sees what is older than a second; the last two are for where they are wanted.
"""

DONE = {200, 201}
THERE_ALREADY = 409
RETRY_LATER = {408, 429, 500, 502, 503, 504}
ITEM_LATER = {401, 403, 404, 408, 429}
LATER_TYPES = (  # not the document's fault, whatever the status
    "cluster_block",
    "rejected_execution",
    "unavailable_shards",
    "index_closed",
    "circuit_breaking",
    "timeout",
    "security_exception",
    "invalid_index_name",
    "validation_exception",  # no shard can be added
)
LATER_REASONS = ("pipeline with id",)  # somebody set a default pipeline that is not there
MAX_REASON = 500
CONNECTION = re.compile(r"<?(?:\w+\.)*HTTPS?Connection(?:Pool)?\(host='([^']*)', port=(\d+)\)>?")


@contextlib.contextmanager
def mapped_errors(step: str) -> Iterator[None]:
    """Errors of the client as TransientError or TerminalError; `step` says what was being done."""
    try:
        yield
    except UnsupportedProductError as exc:
        raise TerminalError(f"{step}: what answers there is not Elasticsearch; check ELASTIC_ADDR") from exc
    except ApiError as exc:
        raise _api_error(step, exc) from exc
    except TlsError as exc:
        if "WRONG_VERSION_NUMBER" in str(exc.message):
            hint = "write http:// in ELASTIC_ADDR, or the port of its https; nothing was sent"
            raise TransientError(f"{step}: what answers there does not speak TLS; {hint}") from exc
        hint = "check ELASTIC_CA_FILE or ELASTIC_FINGERPRINT; nothing was sent"
        raise TransientError(f"{step}: its certificate is not trusted: {_first_line(exc)}; {hint}") from exc
    except SerializationError as exc:
        raise TransientError(f"{step}: the answer cannot be read ({_first_line(exc)}); it is asked again") from exc
    except TransportError as exc:
        hint = "is ELASTIC_ADDR right, and Elasticsearch running?"
        raise TransientError(f"{step}: {_first_line(exc)}; {hint}") from exc


def _first_line(exc: TransportError) -> str:
    """What went wrong, without the names of a library's classes."""
    text = (str(exc.message) or type(exc).__name__).splitlines()[0]
    return CONNECTION.sub(r"\1:\2", text)[:MAX_REASON]


def _api_error(step: str, exc: ApiError) -> SentinelError:
    """An answer with an error status as one of our errors."""
    status, cause = exc.meta.status, reason_of(exc.body) or str(exc.message)
    if status == 401:
        hint = "check ELASTIC_API_KEY, or ELASTIC_USER and ELASTIC_PASSWORD"
        return TransientError(f"{step}: Elasticsearch does not know this key or password ({cause}); {hint}")
    if status == 403 and "cluster_block" not in cause:
        return TransientError(f"{step}: a privilege is missing: {cause}")
    if status in RETRY_LATER or "cluster_block" in cause:
        return TransientError(f"{step}: Elasticsearch answers {status}: {cause}")
    if 300 <= status < 400:
        hint = "redirects are not followed; set ELASTIC_ADDR to where Elasticsearch itself answers"
        return TerminalError(f"{step}: the answer is a redirect ({status}); {hint}")
    if "media_type_header" in cause:
        return TerminalError(f"{step}: Elasticsearch 8 or 9 is needed; this one does not know their API ({cause})")
    return TerminalError(f"{step}: Elasticsearch answers {status}: {cause}")


def reason_of(body: object) -> str:
    """Type and reason of an error answer; empty where there is none."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return f"{error.get('type')}: {error.get('reason')}".rstrip(";")[:MAX_REASON]
    return str(error)[:MAX_REASON] if error else ""


def is_about(items: object, ids: Sequence[str]) -> bool:
    """Whether the items of a bulk answer are those of the documents that were sent, in their order."""
    if not isinstance(items, list) or len(items) != len(ids):
        return False
    try:
        return all(item["create"]["_id"] == sent for item, sent in zip(items, ids, strict=True))
    except (KeyError, TypeError):
        return False


def judge(item: Mapping[str, Any]) -> tuple[str, str]:
    """("done" | "there" | "later" | "dead", why) of one item of a bulk answer; there: something has its id already."""
    result = item["create"]
    status, error = result.get("status"), result.get("error") or {}
    if status in DONE:
        return "done", ""
    if status == THERE_ALREADY:
        return "there", ""
    if not isinstance(status, int) or not isinstance(error, dict):
        return "later", "the answer tells no status"
    kind, why = str(error.get("type", "")), str(error.get("reason", ""))
    reason = f"{status} {kind}: {why}"
    if isinstance(cause := error.get("caused_by"), dict):
        reason = f"{reason[:MAX_REASON]} ({cause.get('reason')})"
    is_later = (
        not 400 <= status < 500
        or status in ITEM_LATER
        or any(name in kind for name in LATER_TYPES)
        or any(text in why for text in LATER_REASONS)
    )
    return "later" if is_later else "dead", reason[: 2 * MAX_REASON]
