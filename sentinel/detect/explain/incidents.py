"""Name the incident that an anomaly belongs to, so that a person gets one notice for one cause."""

import hashlib

import polars as pl

from sentinel.detect.read.fields import texts_of
from sentinel.detect.read.scan import IP, USER
from sentinel.detect.read.text import join, scan

__all__ = ["actors_of", "incident_ids"]

BY_ACTOR = ("brute_force", "scan", "credential_stuffing")
ID_LENGTH = 16


def actors_of(records: pl.DataFrame) -> list[str]:
    """Who is behind each record (message, attributes): the address, else the user that it names; empty for nobody."""
    if records.is_empty():
        return []
    scanned = scan(*join(texts_of(records)))
    return [scanned.entity(i, IP) or scanned.entity(i, USER) for i in range(len(records))]


def _cause(kind: str | None, template: str | None, actor: str, source: str | None, hour: int) -> str:
    """Attacks of one actor are one incident whatever lines they cause; stuffing has many actors and one source."""
    if kind in BY_ACTOR:
        who = actor if kind != "credential_stuffing" else ""
        return f"{kind}\0{who}\0{source if kind == 'credential_stuffing' else ''}\0{hour}"
    return f"{kind}\0{template}\0{actor if kind == 'new_actor' else ''}\0{source}\0{hour}"


def incident_ids(records: pl.DataFrame, verdicts: pl.DataFrame) -> pl.Series:
    """(n,) 16 hex characters: equal for records of one kind, template, actor, source and hour."""
    if records.is_empty():
        return pl.Series("incident", [], dtype=pl.String)
    hours = (records["timestamp"].dt.epoch("s") // 3600).to_list()
    columns = (verdicts["kind"], verdicts["template"], actors_of(records), records["source"], hours)
    causes = [_cause(*row) for row in zip(*columns, strict=True)]
    ids = {cause: hashlib.sha256(cause.encode()).hexdigest()[:ID_LENGTH] for cause in set(causes)}
    return pl.Series("incident", [ids[cause] for cause in causes], dtype=pl.String)
