"""Sequences that teach are drawn anew: each draw another, the same draw the same, and nobody judged who taught."""

from pathlib import Path

import polars as pl
import pytest

from sentinel.evaluation.draws import DRAWN, drawn_case, run_draws

USUAL = "59 3 22 20 21 9 15"
STRANGE = "59 3 22 88 21"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sixty usual life cycles, and five with an event that none of them has."""
    files = {"openstack_train": 25, "openstack_test_normal": 35, "openstack_test_abnormal": 5}
    for name, count in files.items():
        events = STRANGE if name.endswith("abnormal") else USUAL
        (tmp_path / name).write_text("".join(f"{name}{i},{events}\n" for i in range(count)))
    return tmp_path


def test_each_draw_teaches_others(data: Path) -> None:
    """A draw is told by its number alone; all that do not teach are judged."""
    for name, events in (("openstack_train", USUAL), ("openstack_test_normal", f"{USUAL} 4")):
        count = len((data / name).read_text().splitlines())
        (data / name).write_text("".join(f"{name}{i},{events}\n" for i in range(count)))

    first, again, other = (drawn_case(data, draw) for draw in (1, 1, 2))

    assert first.train.equals(again.train)
    assert not first.train.equals(other.train)
    assert first.train["attributes"].n_unique() == DRAWN
    assert first.truth["label"].value_counts(sort=True)["count"].to_list() == [60 - DRAWN, 5]


def test_what_is_strange_is_found_on_any_draw(data: Path) -> None:
    """Figures are those of whole sessions, a row a draw."""
    rows = pl.DataFrame(list(run_draws(data, range(2), seed=0)))

    assert rows["draw"].to_list() == [0, 1]
    assert rows["f1_own"].to_list() == [1.0, 1.0]
