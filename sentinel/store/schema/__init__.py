"""Index templates, mappings and the lifecycle policy, as JSON files beside this one."""

import hashlib
import json
from importlib.resources import files
from typing import Any

__all__ = [
    "anomalies_mapping",
    "anomalies_template",
    "digest_of",
    "events_mapping",
    "events_template",
    "incidents_template",
    "lifecycle_policy",
]

PRIORITY = 210  # above the templates that a full Elasticsearch ships for logs-*-*
SETTINGS = {"index": {"auto_expand_replicas": "0-1"}}
PERIOD_DAYS = {"day": 1, "month": 31}


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return content


def events_mapping() -> dict[str, Any]:
    """The mapping of event indices: fixed fields, everything else under one flattened field."""
    return _read("events.json")


def anomalies_mapping() -> dict[str, Any]:
    """The mapping of the anomalies index: an event's fields and the verdict's."""
    mapping = events_mapping()
    mapping["properties"] |= _read("anomalies.json")
    return mapping


def lifecycle_policy(retention_days: int, period: str) -> dict[str, Any] | None:
    """The policy that deletes a whole index when its newest record is `retention_days` old; None where nothing is ever
    deleted: by wish (0 days), or because there is one index for ever."""
    if not retention_days or period not in PERIOD_DAYS:
        return None
    policy: dict[str, Any] = _read("lifecycle.json")["policy"]
    # An index's age counts from its creation, and it is written to for a whole period.
    policy["phases"]["delete"]["min_age"] = f"{retention_days + PERIOD_DAYS[period]}d"
    return policy


def events_template(index: str, *, lifecycle: str | None = None) -> dict[str, Any]:
    """Index template of `<index>-events-*` with the read alias `<index>` and, if named, a lifecycle policy."""
    settings = {"index": {**SETTINGS["index"], "lifecycle": {"name": lifecycle}}} if lifecycle else SETTINGS
    template: dict[str, Any] = {"settings": settings, "mappings": events_mapping(), "aliases": {index: {}}}
    return _template(f"{index}-events-*", template)


def anomalies_template(index: str) -> dict[str, Any]:
    """Index template of `<index>-anomalies`, outside the alias."""
    template = {"settings": SETTINGS, "mappings": anomalies_mapping()}
    return _template(f"{index}-anomalies", template)


def incidents_template(index: str) -> dict[str, Any]:
    """Index template of `<index>-incidents`, outside the alias."""
    return _template(f"{index}-incidents", {"settings": SETTINGS, "mappings": _read("incidents.json")})


def _template(pattern: str, template: dict[str, Any]) -> dict[str, Any]:
    """The body of an index template; a digest in `_meta` tells whether one that is there is this one."""
    meta = {"made_by": "log-sentinel", "digest": digest_of([PRIORITY, template])}
    return {"index_patterns": [pattern], "priority": PRIORITY, "template": template, "meta": meta}


def digest_of(content: object) -> str:
    """16 hexadecimal digits that tell one content from another."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
