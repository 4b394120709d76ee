"""Since when lines were listened for, and how late they come: what could not be heard is not missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Attention"]


@dataclass(frozen=True, slots=True)
class Attention:
    """`since_s`: nothing is missing that should have come before it (Unix time); by source a later such time and by how
    many seconds its lines come late. The default is for records that are whole: they were always listened for.
    """

    since_s: float = float("-inf")
    sources: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def missing_s(self, source: str, last_s: float, now_s: float) -> float:
        """For how many seconds a line could have come since the one at `last_s`, and would be here; may be negative."""
        since_s, lag_s = self.sources.get(source, (self.since_s, 0.0))
        return now_s - lag_s - max(last_s, self.since_s, since_s)
