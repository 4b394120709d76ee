"""What Elasticsearch must hold before the first record comes: templates, a policy, mappings; and what it can do."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from sentinel.errors import TerminalError, TransientError
from sentinel.store import schema
from sentinel.store.answers import mapped_errors, reason_of

__all__ = ["Features", "detect_features", "set_up"]

log = logging.getLogger(__name__)

OLDEST, NEWEST = 8, 9  # major versions; the client speaks the API of 8, which 9 answers too


@dataclass(frozen=True, slots=True)
class Features:
    """What the Elasticsearch at the other end is and can do."""

    version: str
    has_lifecycle: bool  # index lifecycle management; without it, whole indices are deleted by `prune`


def detect_features(client: Elasticsearch) -> Features:
    """Ask the server. Raises TransientError when it is away, TerminalError when it is none of 8 or 9."""
    with mapped_errors("ask Elasticsearch for its version"):
        version = str(client.info()["version"]["number"])
        major = int(version.split(".", maxsplit=1)[0])
        if not OLDEST <= major <= NEWEST:
            raise TerminalError(f"set up: Elasticsearch {OLDEST} or {NEWEST} is needed; this one is {version}")
        status = client.options(ignore_status=(400, 403, 404, 405, 500)).ilm.get_status()
        return Features(version, has_lifecycle=status.meta.status == 200 and "operation_mode" in status.body)


def set_up(client: Elasticsearch, index: str, *, retention_days: int, period: str) -> list[str]:
    """Make all as it should be; what was changed, in words. Can be repeated: the second time nothing is changed.

    Raises TerminalError where something else already has the name that the alias needs.
    """
    features = detect_features(client)
    try:
        return list(_changes(client, index, schema.lifecycle_policy(retention_days, period), features))
    except TransientError as exc:
        if not _is_forbidden(exc) or not _was_set_up(client, index):
            raise
        log.info("set up by another key index=%s", index)
        return []


def _is_forbidden(exc: TransientError) -> bool:
    return isinstance(exc.__cause__, ApiError) and exc.__cause__.meta.status == 403


def _was_set_up(client: Elasticsearch, index: str) -> bool:
    """Whether a key with more privileges has been here: then ours need be enough for delivery alone."""
    with mapped_errors(f"look whether {index} is set up"):
        answer = client.options(ignore_status=(403, 404)).indices.get_mapping(index=f"{index}-anomalies")
    made_by = answer.body.get(f"{index}-anomalies", {}).get("mappings", {}).get("_meta", {}).get("made_by")
    return bool(made_by == "log-sentinel")


def _changes(client: Elasticsearch, index: str, policy: dict[str, Any] | None, features: Features) -> Iterator[str]:
    with mapped_errors(f"set up {index}"):
        _refuse_foreign_index(client, index)
        lifecycle = f"{index}-events" if policy and features.has_lifecycle else None
        if policy and lifecycle and not _has_policy(client, lifecycle, policy):
            client.ilm.put_lifecycle(name=lifecycle, policy={**policy, "_meta": _meta(policy)})
            yield f"lifecycle policy {lifecycle}"
        events = schema.events_template(index, lifecycle=lifecycle)
        anomalies = schema.anomalies_template(index)
        yield from _put_template(client, f"{index}-events", events, f"{index}-events-*")
        yield from _put_template(client, f"{index}-anomalies", anomalies, f"{index}-anomalies")
        incidents = schema.incidents_template(index)
        yield from _put_template(client, f"{index}-incidents", incidents, f"{index}-incidents")
        for name in (f"{index}-anomalies", f"{index}-incidents"):
            yield from _create(client, name)


def _refuse_foreign_index(client: Elasticsearch, index: str) -> None:
    """An index of the alias's own name would swallow what is meant for the alias."""
    found = client.options(ignore_status=404).indices.get(index=index, features="aliases")
    if found.meta.status == 200 and index in found.body:
        raise TerminalError(
            f"set up {index}: an index of that name is already there, and it is not ours; set ELASTIC_INDEX to another "
            f"name, or reindex it to another name and delete it (POST _reindex, DELETE /{index})"
        )


def _has_policy(client: Elasticsearch, name: str, policy: dict[str, Any]) -> bool:
    found = client.options(ignore_status=404).ilm.get_lifecycle(name=name).body.get(name, {})
    return bool(found.get("policy", {}).get("_meta") == _meta(policy))


def _meta(policy: dict[str, Any]) -> dict[str, str]:
    return {"made_by": "log-sentinel", "digest": schema.digest_of(policy)}


def _put_template(client: Elasticsearch, name: str, wanted: dict[str, Any], indices: str) -> Iterator[str]:
    """Put the template where it is missing or different, and teach the indices that are there its new fields."""
    answer = client.options(ignore_status=404).indices.get_index_template(name=name)
    templates = answer.body.get("index_templates", [])
    found = templates[0]["index_template"] if templates else {}
    if found.get("_meta") == wanted["meta"]:
        return
    client.indices.put_index_template(name=name, **wanted)
    yield f"index template {name}"
    if found:
        yield from _update_mapping(client, indices, wanted["template"]["mappings"]["properties"])


def _update_mapping(client: Elasticsearch, indices: str, properties: dict[str, Any]) -> Iterator[str]:
    """New fields for indices made from an older template. Where an index cannot change it keeps its mapping, which
    the report says: it goes on taking records, since no mapping of ours refuses a field."""
    try:
        client.indices.put_mapping(index=indices, properties=properties, allow_no_indices=True, ignore_unavailable=True)
    except ApiError as exc:
        if exc.meta.status not in {400, 403}:
            raise
        yield f"mapping of {indices} left as it is: {reason_of(exc.body)}"
        return
    yield f"mapping of {indices}"


def _create(client: Elasticsearch, name: str) -> Iterator[str]:
    """The one index of anomalies, or incidents, so that it can be searched before there is one."""
    if client.indices.exists(index=name):
        return
    created = client.options(ignore_status=400).indices.create(index=name)
    if created.meta.status == 200:
        yield f"index {name}"
    elif "resource_already_exists" not in json.dumps(created.body):  # else another process was faster
        raise TerminalError(f"set up {name}: Elasticsearch does not create it: {reason_of(created.body)}")
