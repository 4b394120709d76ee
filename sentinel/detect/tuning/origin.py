"""What is known of a number that somebody chose: its unit, what it is for, where it comes from, how far it holds."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["About", "Origin", "by_definition", "by_hand", "from_paper", "measured"]


class Origin(StrEnum):
    """Where a number comes from."""

    DEFINITION = "definition"
    PAPER = "paper"
    MEASURED = "measured"
    HAND = "by hand"


@dataclass(frozen=True, slots=True)
class About:
    """`source`: the paper, or the command and set it was measured by; `holds`: (from, to) between which results were
    seen to hold, None where nobody looked."""

    unit: str
    says: str
    origin: Origin
    source: str = ""
    holds: tuple[float, float] | None = None


def by_hand(unit: str, says: str, *, holds: tuple[float, float] | None = None) -> About:
    """A number that somebody set and tried."""
    return About(unit, says, Origin.HAND, holds=holds)


def by_definition(unit: str, says: str) -> About:
    """A number that could not be another: a unit, a size, what a word means."""
    return About(unit, says, Origin.DEFINITION)


def from_paper(unit: str, says: str, source: str) -> About:
    """A number of a paper or a manual."""
    return About(unit, says, Origin.PAPER, source)


def measured(unit: str, says: str, source: str, *, holds: tuple[float, float] | None = None) -> About:
    """A number that was fitted: `source` is the command and the set."""
    return About(unit, says, Origin.MEASURED, source, holds)
