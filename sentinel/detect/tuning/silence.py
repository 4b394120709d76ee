"""Numbers of the watchdog: what has a rhythm, and when it is missed."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# silence/watchdog.py
MIN_LINES: Annotated[int, by_hand("lines", "fewer have no rhythm")] = 30
STRIDES: Annotated[
    tuple[int, int, int, int],
    by_hand("lines", "how many lines a gap may span: the first whose gaps are regular is watched"),
] = (1, 10, 20, 40)
MIN_GAPS: Annotated[
    int, by_hand("gaps", "gaps that must fit side by side into training where they span several lines")
] = 40
IRREGULARITY: Annotated[
    tuple[float, float],
    by_hand(
        "times",
        "gaps are regular when 98 % of them are at most so many medians: a heartbeat's, gaps over several lines",
    ),
] = (1.6, 2.3)
LONGEST: Annotated[tuple[float, float], by_hand("times", "the deadline: so many longest gaps")] = (1.5, 1.65)
FEW_GAPS: Annotated[
    float, by_hand("times", "and this many more over their number: the longest of few gaps is not the longest there is")
] = 10.0
MEDIANS: Annotated[float, by_hand("times", "or so many medians, if that is more")] = 2.0
OUTAGE: Annotated[
    tuple[float, float], by_hand("times", "one gap that is so many times longer than all others was an outage")
] = (2.5, 1.5)
MAX_WATCHED: Annotated[int, by_hand("count", "pairs of template and source that are watched")] = 2_000
