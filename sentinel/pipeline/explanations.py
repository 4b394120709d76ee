"""Explanations: one anomaly with its odd parts, the nearest normal line, its place, and what would make it normal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

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
    """What is normal: a model's templates, and the lines that `tally` counted as normal in service."""

    def __init__(self, templates: Iterable[str], tally: Tally) -> None:
        self._nearest, self._tally, self._normals = Nearest(templates), tally, -1

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
            "line": (anomaly["raw"] or message)[:MAX_LINE],
            "line_odd": list(odd.line),
            "origin": anomaly["origin"],
            "offset": anomaly["offset"],
            "nearest": None if near is None else self._shown(near),
            "normal": would_be_normal(reasons),
        }

    def _shown(self, template: str) -> dict[str, Any]:
        """A known template; with the newest normal line of it where one was seen in service."""
        seen = self._tally.normal(template)
        return {
            "template": template,
            "line": seen.line if seen else None,
            "last_seen": iso(seen.normal_s) if seen else None,
        }


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
