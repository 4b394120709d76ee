"""Kinds of keys and columns of raw values: each has one number, and it is that which saved states and names say."""

import numpy as np
import pytest

from sentinel.detect.kernel.hashing import mix
from sentinel.detect.kernel.keys import Key
from sentinel.detect.remember import raw

WINDOWED = {
    "C_R_TEMPLATE": "template", "C_R_SOURCE": "source", "C_R_ACTOR": "actor", "C_R_PAIR": "pair",
    "C_R_SOURCE_BAD": "source_bad", "C_R_ALL_BAD": "all_bad", "C_R_FAILURES": "failures",
    "C_R_SOURCE_FAILURES": "source_failures",
}  # fmt: skip


def test_kinds_of_keys_never_share_a_place_and_mix_as_numbers() -> None:
    """A kernel mixes a kind as the number that a state of before was written with."""
    one, two = np.uint64(7), np.uint64(11)

    with np.errstate(over="ignore"):
        mixed = [int(mix(kind, one, two)) for kind in Key]

        assert mixed == [int(mix(int(kind), one, two)) for kind in Key]
    assert len(set(mixed)) == len(Key)


@pytest.mark.parametrize(("column", "name"), WINDOWED.items())
def test_rates_begin_at_the_columns_of_their_names(column: str, name: str) -> None:
    """Three columns of a rate are those of its three spans."""
    assert [raw.RAW[getattr(raw, column) + k] for k in range(3)] == [f"{name}{k}" for k in range(3)]


def test_every_column_has_a_name() -> None:
    """The last column is the last name, and no two columns are one."""
    columns = [value for name, value in vars(raw).items() if name.startswith("C_")]

    assert len(set(columns)) == len(columns)
    assert max(columns) == len(raw.RAW) - 1
