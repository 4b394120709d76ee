"""Ranges of sequences: closed at both ends, in order, none touching the next."""

from collections.abc import Iterable, Sequence

__all__ = ["Range", "missing_ranges", "runs"]

Range = tuple[int, int]


def missing_ranges(done: Iterable[Range], last: int) -> list[Range]:
    """The ranges within 1 … `last` that `done` leaves out.

    >>> missing_ranges([(3, 4), (8, 9)], 10)
    [(1, 2), (5, 7), (10, 10)]
    """
    missing, following = [], 1
    for first, end in sorted(done):
        if first > following:
            missing.append((following, min(first - 1, last)))
        following = max(following, end + 1)
    missing.append((following, last))
    return [(first, end) for first, end in missing if first <= end]


def runs(sequences: Sequence[int]) -> list[Range]:
    """The unbroken runs of a sorted list.

    >>> runs([1, 2, 3, 7, 9, 10])
    [(1, 3), (7, 7), (9, 10)]
    """
    found: list[Range] = []
    for sequence in sequences:
        if found and found[-1][1] == sequence - 1:
            found[-1] = (found[-1][0], sequence)
        else:
            found.append((sequence, sequence))
    return found
