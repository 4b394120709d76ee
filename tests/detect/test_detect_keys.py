"""Flags, levels, kinds of keys and columns: each has one number, which kernels, saved states and names share."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import pytest

from sentinel.detect.kernel.flags import TROUBLE, Flag, Level
from sentinel.detect.kernel.hashing import mix
from sentinel.detect.kernel.keys import Key
from sentinel.detect.read.encode import LEVEL_CODES
from sentinel.detect.remember.raw import RAW, RAW_INDEX
from sentinel.records import LEVELS

Kernel = TypeVar("Kernel", bound=Callable[..., Any])
compiled: Callable[[Kernel], Kernel] = numba.njit


@compiled
def _has(flags: int, bit: int) -> bool:
    return flags & bit != 0


@compiled
def _read(flags: int, level: int) -> int:
    """What a kernel makes of the enumerations' members themselves, baked into its machine code."""
    return (
        (flags & Flag.BAD)
        + (flags & Flag.AUTH_FAILURE)
        + (flags & Flag.LOST)
        + (flags & TROUBLE != 0) * 10_000
        + (level >= Level.ERROR) * 100_000
    )


@pytest.mark.parametrize("flag", Flag)
def test_a_flag_is_one_bit_that_kernels_read_alike(flag: Flag) -> None:
    """Each flag has a bit of its own, and compiled code finds it where plain code set it."""
    others = sum(int(other) for other in Flag if other is not flag)

    assert int(flag).bit_count() == 1
    assert _has(int(flag), flag)
    assert not _has(others, flag)


@pytest.mark.parametrize("level", Level)
def test_kernels_bake_in_flags_and_levels_as_they_stand_in_the_enumerations(level: Level) -> None:
    """Compiled and plain code say the same of a line's flags and level."""
    plain = getattr(_read, "py_func", _read)

    assert [_read(flags, level) for flags in range(4096)] == [plain(flags, level) for flags in range(4096)]


def test_levels_are_those_of_records() -> None:
    """Each level that a record may have has its number, and louder ones have higher ones."""
    codes = [LEVEL_CODES[name] for name in LEVELS]

    assert codes == sorted(codes)
    assert set(codes) == {int(level) for level in Level}


def test_kinds_of_keys_never_share_a_place_and_mix_as_numbers() -> None:
    """A kernel mixes a kind as the number that a state of before was written with."""
    one, two = np.uint64(7), np.uint64(11)

    with np.errstate(over="ignore"):
        mixed = [int(mix(kind, one, two)) for kind in Key]

        assert mixed == [int(mix(int(kind), one, two)) for kind in Key]
    assert len(set(mixed)) == len(Key)


RATES = [name[:-1] for name in RAW if name.endswith("0") and name != "mean0"]


@pytest.mark.parametrize("name", RATES)
def test_a_rate_stands_in_three_columns_side_by_side(name: str) -> None:
    """Kernels write the spans of a rate from the column of the shortest on."""
    assert [RAW[RAW_INDEX[f"{name}0"] + k] for k in range(3)] == [f"{name}{k}" for k in range(3)]
