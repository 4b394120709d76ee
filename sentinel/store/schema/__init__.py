"""Index templates and mappings, as JSON files beside this one."""

import hashlib
import json
from importlib.resources import files
from typing import Any

__all__ = ["anomalies_mapping", "anomalies_template", "events_mapping", "events_template"]

PRIORITY = 210  # above the templates that a full Elasticsearch ships for logs-*-*
SETTINGS = {"index": {"auto_expand_replicas": "0-1", "refresh_interval": "1s"}}


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


def events_template(index: str) -> dict[str, Any]:
    """Index template of `<index>-events-*` with the read alias `<index>`."""
    template = {"settings": SETTINGS, "mappings": events_mapping(), "aliases": {index: {}}}
    return _template(f"{index}-events-*", template)


def anomalies_template(index: str) -> dict[str, Any]:
    """Index template of `<index>-anomalies`, outside the alias."""
    template = {"settings": SETTINGS, "mappings": anomalies_mapping()}
    return _template(f"{index}-anomalies", template)


def _template(pattern: str, template: dict[str, Any]) -> dict[str, Any]:
    """The body of an index template; a digest in `_meta` tells whether one that is there is this one."""
    digest = hashlib.sha256(json.dumps([PRIORITY, template], sort_keys=True).encode()).hexdigest()[:16]
    meta = {"made_by": "log-sentinel", "digest": digest}
    return {"index_patterns": [pattern], "priority": PRIORITY, "template": template, "meta": meta}
