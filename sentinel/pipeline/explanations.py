"""Explanations: one anomaly with its odd parts, the nearest normal line, its place, and what would make it normal."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import polars as pl

from sentinel.detect.explain.nearest import Nearest
from sentinel.detect.explain.normal import would_be_normal
from sentinel.detect.explain.odd import odd_parts
from sentinel.incidents import Incident
from sentinel.incidents.incident import iso
from sentinel.pipeline.tally import Tally

__all__ = ["Explanations", "explained"]

MAX_LINE = 2_000


class Explanations:
    """What is normal: a model's templates, and the lines that `tally` counted as normal in service.

    `learnt` says when each template last came in training, seconds since 1970 (NaN: not known).
    """

    def __init__(self, learnt: Mapping[str, float], tally: Tally) -> None:
        self._learnt, self._nearest, self._tally, self._normals = learnt, Nearest(learnt), tally, -1

    def explain(self, anomaly: Mapping[str, Any], actor: str) -> dict[str, Any]:
        """The explanation of an anomaly (a row of RECORD_SCHEMA + ANOMALY_COLUMNS) as a JSON object."""
        template, message = anomaly["template"] or "", anomaly["message"] or ""
        reasons = list(anomaly["reasons"] or ())
        if self._normals != self._tally.normals:
            self._normals = self._tally.normals
            self._nearest.add(self._tally.normal_templates())
        near = self._nearest.to(template)
        odd = odd_parts(template, near, message, reasons, actor)
        return {
            "event": anomaly["event"],
            "template": template,
            "template_odd": list(odd.template),
            "line": (anomaly["raw"] or _with_fields(message, anomaly["attributes"]))[:MAX_LINE],
            "line_odd": list(odd.line),
            "origin": anomaly["origin"],
            "offset": anomaly["offset"],
            "nearest": None if near is None else self._shown(near),
            "normal": would_be_normal(reasons),
        }

    def _shown(self, template: str) -> dict[str, Any]:
        """A known template and when it last came, in service or in training; with its newest normal line in service."""
        seen = self._tally.normal(template)
        last_s = max(seen.normal_s if seen else math.nan, self._learnt.get(template, math.nan), key=_known)
        return {
            "template": template,
            "line": seen.line if seen else None,
            "last_seen": None if math.isnan(last_s) else iso(last_s),
        }


def _known(at_s: float) -> float:
    return -math.inf if math.isnan(at_s) else at_s


def _with_fields(message: str, attributes: str | None) -> str:
    """A message that came with fields of its own, as JSON lines have them, and these behind it; else it alone."""
    fields = orjson.loads(attributes) if attributes and message else {}
    return " ".join([message, *(f"{name}={value}" for name, value in fields.items())])


def explained(
    changed: Sequence[Incident], anomalies: pl.DataFrame, actors: Sequence[str], explanations: Explanations
) -> list[Incident]:
    """The incidents, those that one of these anomalies names now with its explanation."""
    naming = {str(incident.explanation.get("event")): place for place, incident in enumerate(changed)}
    found = list(changed)
    for row, actor in zip(anomalies.iter_rows(named=True), actors, strict=True):
        place = naming.get(row["event"])
        if place is not None:
            found[place] = replace(found[place], explanation=explanations.explain(row, actor))
    return found
