"""Which events may still go on: the last of each stream, and those that their lines are mixed with."""

from collections.abc import Collection
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.parse.events_labels import Label

__all__ = ["MAX_EVENT_BYTES", "MAX_EVENT_LINES", "held_events"]

MAX_EVENT_LINES: Final = 500
MAX_EVENT_BYTES: Final = 1 << 20


def held_events(
    table: pl.DataFrame, firsts: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64], unsettled: Collection[str]
) -> list[int]:
    """The positions in the input of the last events of unsettled streams that may go on, and are not too long ago.

    From the first of them on a file is given again: an event of another stream that began before it and has lines
    behind it is held as well, or these lines would be read twice. Where that is too long ago, nothing is held.
    """
    ends = np.flatnonzero(np.append(table["begins"].to_numpy()[1:], True))
    partial, sizes = table["partial"], table["text"].str.len_bytes().to_numpy()
    at, files = table["at"].to_numpy(), table["file"]
    begins = at[firsts]
    held = []
    for file in files.gather(ends).unique(maintain_order=True).to_list():
        if file not in unsettled:
            continue
        mine = (files == file).to_numpy()
        places, own, size = at[mine], begins[mine], sizes[mine]
        last = [int(begins[end]) for end in ends[mine[ends]] if kinds[end] != Label.WHOLE or partial[int(end)]]
        recent = [first for first in last if _is_recent(size[places >= first])]
        if recent and _is_recent(size[places >= (first := _uncrossed(min(recent), places, own))]):
            held.append(first)
    return held


def _is_recent(sizes: npt.NDArray[np.int64]) -> bool:
    """Whether lines of these sizes are not more than one event may have."""
    return len(sizes) < MAX_EVENT_LINES and sizes.sum() < MAX_EVENT_BYTES


def _uncrossed(first: int, at: npt.NDArray[np.int64], begins: npt.NDArray[np.int64]) -> int:
    """The last position, not behind `first`, that no event of the file has lines on both sides of."""
    while (crossing := (at >= first) & (begins < first)).any():
        first = int(begins[crossing].min())
    return first
