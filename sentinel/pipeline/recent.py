"""Recent verdicts, kept for the requests that wait for them, and no longer than these wait."""

from collections import deque
from typing import NamedTuple

import polars as pl

from sentinel.spool import Span

__all__ = ["KEPT_S", "Recent"]

KEPT_ROUNDS = 64
KEPT_S = 10.0  # of a round: a request waits for one second


class _Round(NamedTuple):
    first: int
    last: int
    verdicts: pl.DataFrame
    at_s: float


class Recent:
    """Verdicts by round. Not for several threads at once. Times are seconds of any clock that never goes back."""

    def __init__(self) -> None:
        self._rounds: deque[_Round] = deque(maxlen=KEPT_ROUNDS)

    def __len__(self) -> int:
        return len(self._rounds)

    def add(self, first: int, last: int, verdicts: pl.DataFrame, now_s: float) -> None:
        """Keep the verdicts of the records from `first` to `last`; they have a column `sequence`."""
        self._rounds.append(_Round(first, last, verdicts, now_s))

    def let_go(self, now_s: float) -> None:
        """Forget what nobody waits for any more: a big body's would be there until as many rounds came again."""
        while self._rounds and now_s - self._rounds[0].at_s > KEPT_S:
            self._rounds.popleft()

    def of(self, span: Span) -> dict[int, dict[str, object]]:
        """The verdicts on the records of a span, by sequence, as far as they are here."""
        frames = [one.verdicts for one in self._rounds if one.first <= span.last and one.last >= span.first]
        if not frames:
            return {}
        found = pl.concat(frames).filter(pl.col("sequence").is_between(span.first, span.last))
        return {row.pop("sequence"): row for row in found.iter_rows(named=True)}
