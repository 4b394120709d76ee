"""The table of features: each row is written by a kernel, told by a family, made of what there is, and in the docs."""

import re
from pathlib import Path

import numpy as np
import pytest

from sentinel.detect.explain.explain import Explainer
from sentinel.detect.judge.features import AT, COSTS, DECISIVE, FAMILIES, FEATURES, SHARED, TABLE, Feature
from sentinel.detect.judge.surprise import surprises
from sentinel.detect.learn.fit import Trained
from sentinel.detect.read.coded import Facts
from sentinel.detect.remember.raw import RAW, RAW_INDEX

PAGE = Path(__file__).parents[2] / "docs/features.md"


def row_of(feature: Feature) -> str:
    """A feature as the page has it."""
    against = {"template": "its template", "source": "its source", "all": "all lines", "": ""}[feature.against]
    alone = "" if feature.alone is None else f"{feature.alone:g}{', and for volume' if feature.pays else ''}"
    cells = (f"`{feature.name}`", feature.family, feature.means, against, f"{feature.scale:g}", alone)
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def test_every_feature_is_written_by_the_kernel(trained: Trained) -> None:
    """No column of a surprise row is left as it was, and each has a place under its own name."""
    rng, n = np.random.default_rng(1), 200
    none = np.zeros(n, np.int64)
    flags, levels = rng.integers(0, 4096, n), rng.integers(0, 5, n)
    facts = Facts(none, none, levels, flags, rng.uniform(1, 99, n), rng.uniform(0, 9, n), rng.uniform(1, 9, (n, 4)))
    out = np.full((n, len(FEATURES)), np.nan)

    surprises(rng.uniform(0.0, 50.0, (n, len(RAW))), facts, trained.model.baseline, out)

    assert [name for name in FEATURES if np.isnan(out[:, getattr(AT, name)]).any()] == []


@pytest.mark.parametrize("feature", TABLE, ids=lambda feature: feature.name)
def test_a_row_holds_together(feature: Feature) -> None:
    """A feature has a family, is made of raw values that there are, and is compared with its own bound if with any."""
    assert feature.family in {family.name for family in FAMILIES}
    assert [name for name in feature.needs if name not in RAW_INDEX] == []
    assert feature.needs == (feature.name,) or not feature.against
    assert feature.against or not (feature.is_gap or feature.of_actor or feature.together or feature.shared)
    assert feature.alone is not None or not feature.pays
    assert feature.scale > 0.0


@pytest.mark.parametrize("name", [family.name for family in FAMILIES])
def test_a_family_has_features_and_can_be_told(name: str) -> None:
    """Each family has a sentence of its own, and something that speaks for it."""
    assert any(feature.family == name for feature in TABLE)
    assert callable(getattr(Explainer, f"_say_{name}"))


def test_what_is_derived_fits_the_rows() -> None:
    """Costs stand beside what decides alone; what many keys share has three spans, the shortest first."""
    assert dict(zip(DECISIVE, COSTS.tolist(), strict=True)) == {f.name: f.alone for f in TABLE if f.alone is not None}
    for name in SHARED:
        at = FEATURES.index(name)
        assert [row.name for row in TABLE[at : at + 3]] == [f"{name[:-1]}{k}" for k in range(3)]
        assert all(row.shared for row in TABLE[at : at + 3])


def test_the_page_shows_the_table() -> None:
    """docs/features.md lists every feature in its order, as the table has it."""
    shown = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `", line)]

    assert shown == [row_of(feature) for feature in TABLE]
