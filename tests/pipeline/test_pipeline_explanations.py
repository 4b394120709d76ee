"""An explanation says when the nearest normal template was last seen, wherever that is known from."""

import math
from datetime import UTC, datetime

import polars as pl
import pytest

from sentinel.pipeline.explanations import Explanations
from sentinel.pipeline.tally import Tally

KEPT = "order <NUM> kept"
LOST = {
    "event": "e1", "template": "order <NUM> lost", "message": "order 7 lost", "raw": None,
    "origin": None, "offset": None, "reasons": ["a kind of line never seen before in 900 lines"], "attributes": None,
}  # fmt: skip


def seen_in_service(at: datetime) -> Tally:
    tally = Tally()
    columns = {"template": [KEPT], "source": ["shop"], "timestamp": [at], "message": ["order 6 kept"]}
    tally.add(pl.DataFrame({**columns, "is_anomaly": [False]}))
    return tally


@pytest.mark.parametrize(
    ("learnt_s", "tally", "line", "last_seen"),
    [
        (1_782_918_245.0, Tally(), None, "2026-07-01T15:04:05.000Z"),
        (math.nan, Tally(), None, None),
        (
            1_782_918_245.0,
            seen_in_service(datetime(2026, 7, 2, tzinfo=UTC)),
            "order 6 kept",
            "2026-07-02T00:00:00.000Z",
        ),
        (
            1_782_918_245.0,
            seen_in_service(datetime(2026, 6, 2, tzinfo=UTC)),
            "order 6 kept",
            "2026-07-01T15:04:05.000Z",
        ),
        (math.nan, seen_in_service(datetime(2026, 7, 2, tzinfo=UTC)), "order 6 kept", "2026-07-02T00:00:00.000Z"),
    ],
    ids=["training", "nowhere", "service", "training after service", "service alone"],
)
def test_nearest_was_last_seen_in_training_or_in_service(
    learnt_s: float, tally: Tally, line: str | None, last_seen: str | None
) -> None:
    """The later of both; nothing where neither knows."""
    found = Explanations({KEPT: learnt_s}, tally).explain(LOST, "")["nearest"]

    assert found == {"template": KEPT, "line": line, "last_seen": last_seen}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"attributes": '{"status": "500", "path": "/pay"}'}, "order 7 lost status=500 path=/pay"),
        ({"attributes": '{"pid": "81"}', "raw": "shop[81]: order 7 lost"}, "shop[81]: order 7 lost"),
        ({}, "order 7 lost"),
    ],
    ids=["fields of its own", "kept as it came", "nothing else"],
)
def test_line_is_shown_with_the_fields_that_came_with_it(changes: dict[str, str], line: str) -> None:
    """A message that stands in many lines says little without the fields beside it."""
    assert Explanations({}, Tally()).explain({**LOST, **changes}, "")["line"] == line
