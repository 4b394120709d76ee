"""A closer look at an Elasticsearch: what is in the way there and what its clock says; nothing is changed."""

from collections.abc import Callable, Iterator
from typing import Any

from elasticsearch import Elasticsearch

from sentinel.errors import SentinelError
from sentinel.store.answers import PRIVILEGES, mapped_errors
from sentinel.store.setup import detect_features

__all__ = ["clock_of", "find_problems"]

Problem = tuple[str, str]
MADE_BY = "log-sentinel"
NEEDED = ("deliver", "read")  # of PRIVILEGES; the others are for where they are wanted
PASSED_BY = (400, 403, 404, 405, 500)  # what a key or a server without security may answer
SHOWN = 5
FLOOD_BLOCK = "read_only_allow_delete"  # Elasticsearch itself sets it, when its disk is full


def find_problems(client: Elasticsearch, index: str, *, retention_days: int) -> list[Problem]:
    """(what is wrong, what to do about it), of an Elasticsearch that answers; an empty list when nothing is."""
    found: list[Problem] = []
    checks: tuple[Callable[[], Iterator[Problem]], ...] = (
        lambda: _privileges(client, index, retention_days),
        lambda: _names(client, index),
        lambda: _indices(client, index),
    )
    try:
        detect_features(client)
    except SentinelError as exc:
        return [(str(exc), "")]
    for check in checks:
        try:
            found += check()
        except SentinelError as exc:
            found.append((str(exc), "see the privileges in docs/reliability.md"))
    return found


def clock_of(client: Elasticsearch) -> float | None:
    """Unix time by the clock of the node that answers; None where it does not tell."""
    try:
        with mapped_errors("ask Elasticsearch for the time"):
            answer = client.options(ignore_status=PASSED_BY).nodes.stats(
                node_id="_local", metric="process", filter_path="nodes.*.timestamp"
            )
    except SentinelError:
        return None
    nodes = answer.body.get("nodes", {}) if isinstance(answer.body, dict) else {}
    return next((float(node["timestamp"]) / 1000 for node in nodes.values() if "timestamp" in node), None)


def _privileges(client: Elasticsearch, index: str, retention_days: int) -> Iterator[Problem]:
    """What the key lacks, by name. A server without security has no such question and nothing is missing."""
    purposes = [*NEEDED, *(["prune"] if retention_days else [])]
    for purpose in purposes:
        wanted = PRIVILEGES[purpose]
        rows = [
            {"names": names.replace("<index>", index).split(","), "privileges": list(privileges)}
            for names, privileges in wanted.items()
            if names != "cluster"
        ]
        with mapped_errors("ask Elasticsearch for our privileges"):
            answer = client.options(ignore_status=PASSED_BY).security.has_privileges(
                cluster=list(wanted.get("cluster", ())), index=rows
            )
        if answer.meta.status != 200 or answer.body.get("has_all_requested", True):
            continue
        missing = [f"{name} (cluster)" for name, has in answer.body.get("cluster", {}).items() if not has]
        for names, privileges in answer.body.get("index", {}).items():
            missing += [f"{name} on {names}" for name, has in privileges.items() if not has]
        yield f"to {purpose}, the key lacks {', '.join(missing)}", "give the key's role these privileges"


def _names(client: Elasticsearch, index: str) -> Iterator[Problem]:
    """An index in the place of the alias; templates that nobody has put."""
    with mapped_errors(f"look at {index}"):
        found = client.options(ignore_status=PASSED_BY).indices.get(index=index, features="aliases")
        if found.meta.status == 200 and index in found.body:
            yield (
                f"an index named {index} is there and is not ours: the alias of our indices needs the name",
                f"set ELASTIC_INDEX to another name, or reindex it to another name and delete it (DELETE /{index})",
            )
        made = client.options(ignore_status=PASSED_BY).indices.get_mapping(index=f"{index}-anomalies")
    if made.meta.status == 404:
        yield f"{index} is not set up there yet", "run `sentinel store setup`, or `sentinel load`, which does it too"
    elif made.meta.status == 200 and not _is_ours(made.body.get(f"{index}-anomalies", {})):
        yield f"the index {index}-anomalies is not ours", "set ELASTIC_INDEX to another name"


def _is_ours(described: dict[str, Any]) -> bool:
    return bool(described.get("mappings", {}).get("_meta", {}).get("made_by") == MADE_BY)


def _indices(client: Elasticsearch, index: str) -> Iterator[Problem]:
    """Event indices with foreign mappings, with a block on writing, or that are synced too rarely."""
    pattern = f"{index}-events-*"
    with mapped_errors(f"look at {pattern}"):
        asked = client.options(ignore_status=PASSED_BY).indices
        there = asked.get(index=pattern, features="aliases")
        names = set(there.body) if there.meta.status == 200 else set()
        mappings = asked.get_mapping(index=pattern, filter_path="*.mappings._meta").body
        wanted = "*.settings.index.blocks,*.settings.index.translog.durability"
        settings = asked.get_settings(index=pattern, filter_path=wanted).body
    if foreign := sorted(name for name in names if not _is_ours(mappings.get(name, {}))):
        yield (
            f"made without our template, so with other fields: {', '.join(foreign[:SHOWN])}",
            "reindex them into an index that is made anew after `sentinel store setup`",
        )
    for name, described in sorted(settings.items()):
        if name not in names:
            continue
        of_index = described["settings"]["index"]
        blocks = [block for block, is_set in of_index.get("blocks", {}).items() if str(is_set) == "true"]
        if blocks:
            first = "make room on its disk" if FLOOD_BLOCK in blocks else "ask who set this"
            yield (
                f"{name} is blocked ({', '.join(blocks)})",
                f'{first}, then PUT /{name}/_settings {{"index.blocks.{blocks[0]}": null}}',
            )
        if of_index.get("translog", {}).get("durability") == "async":
            yield (
                f"{name} is synced every few seconds only (index.translog.durability: async)",
                "what it answered 201 to may be lost in a power cut there; set it to request",
            )
