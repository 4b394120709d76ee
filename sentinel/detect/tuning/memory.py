"""Numbers of the tables: what is remembered, for how long, and what gives way."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# kernel/table.py
WAYS: Annotated[int, by_hand("count", "places a key may stand in; the least useful of them gives way")] = 8
USE_BONUS_LINES: Annotated[
    float, by_hand("lines", "each hit, up to 64, lets a key outlive this many younger lines of a table of 1,024 places")
] = 64.0
TAUS_S: Annotated[tuple[float, float, float], by_hand("s", "spans of decaying counters")] = (15.0, 180.0, 1800.0)
DISTINCT_TAU_S: Annotated[float, by_hand("s", "span of distinct counts")] = 600.0
JUMP_S: Annotated[
    float,
    by_hand("s", "a clock that falls back further than this begins anew: else nothing would decay until it caught up"),
] = 180.0
