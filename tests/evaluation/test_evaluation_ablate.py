"""Ablation: all there is has a name, a number is tried before anything read it, and a run goes on where it stood."""

import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sentinel.detect import Switches
from sentinel.detect.judge.features import FAMILIES, FLOORS, TABLE
from sentinel.detect.judge.tails import TOLERANCE, Tails, fit_tails, tail_nats
from sentinel.errors import TerminalError
from sentinel.evaluation import ablate as ablation
from sentinel.evaluation.ablate import NOTHING, ablate, ablation_table, names_of_all
from sentinel.evaluation.suites import own_suites

TRY = """
from sentinel.detect.tuning.tried import tried_of, try_number
try_number("judge.NORM_CAP", 2.0)
from pathlib import Path
import numpy as np, sentinel.detect
from sentinel.detect.judge.combine import norms
from sentinel.detect.kernel.cache_key import cache_key
room = Path(sentinel.detect.__file__).parent
out = np.empty(1)
norms(np.array([[100.0]]), out)
print(out[0], tried_of("judge"), tried_of("read") == "")
print(*(cache_key(room, room / name) for name in ("judge/combine.py", "read/shapes.py")))
"""
LATE = """
import sentinel.detect.kernel.jit
from sentinel.detect.tuning.tried import try_number
try_number("judge.NORM_CAP", 2.0)
"""


@dataclass(frozen=True)
class Judged:
    """As much of a model as a family is taken away from."""

    tails: Tails


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_all_switches_and_families_have_a_name() -> None:
    """What the scorer can do without and each row of the families can be asked for; no name comes twice."""
    names = names_of_all()

    assert [name for name in names if name.startswith("channel:")] == [f"channel:{name}" for name in Switches._fields]
    assert {f"family:{family.name}" for family in FAMILIES} <= set(names)
    assert {"list:failure", "number:judge.NORM_CAP*0", "number:judge.NORM_CAP*2"} <= set(names)
    assert len(set(names)) == len(names)


def test_a_tried_number_is_what_kernels_bake_in() -> None:
    """A kernel of a process that tries a number computes with it, with machine code of its own; others keep theirs."""
    from sentinel.detect.kernel import jit
    from sentinel.detect.kernel.cache_key import cache_key

    room = Path(jit.__file__).parents[1]
    usual = [cache_key(room, room / name) for name in ("judge/combine.py", "read/shapes.py")]

    done = run(TRY)

    first, second = done.stdout.splitlines()
    assert first == "16.0 judge.NORM_CAP=16.0 True"
    assert second.split()[0] != usual[0]
    assert second.split()[1] == usual[1]


def test_a_number_is_not_tried_too_late() -> None:
    """Where the detector is at work, and of a number that there is not, nothing is tried."""
    late, unknown = run(LATE), run("from sentinel.detect.tuning.tried import try_number; try_number('judge.NONE', 2.0)")

    assert "at work already" in late.stderr
    assert "no such number" in unknown.stderr


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_a_family_that_is_taken_away_is_worth_nothing(family: str) -> None:
    """Its tails are 0, wherever a line lies; all others are as they were."""
    values = np.random.default_rng(2).exponential(1.0, (500, len(TABLE)))
    tails, _ = fit_tails(values, np.zeros(500, np.int64), 1, floors=FLOORS)
    far = np.full((3, len(TABLE)), 9.0)
    before, after = np.empty_like(far), np.empty_like(far)
    own = np.array([feature.family == family for feature in TABLE])

    model, switches = ablation._without(Judged(tails), f"family:{family}")

    tail_nats(far, np.zeros(3, np.int64), tails, TOLERANCE, before)
    tail_nats(far, np.zeros(3, np.int64), model.tails, TOLERANCE, after)
    assert (after[:, own] == 0.0).all()
    assert np.array_equal(after[:, ~own], before[:, ~own])
    assert switches == Switches()


def test_a_run_goes_on_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file has is not measured again, a fitted model is kept, and some attacks are found by one channel."""
    small, module = (
        list(own_suites(None, range(1), contaminated=False, days=1.0, each=1)),
        "sentinel.evaluation.evaluate",
    )
    monkeypatch.setattr(importlib.import_module(module), "cases_of", lambda *_, **__: iter(small))
    out, said = tmp_path / "ablation.jsonl", list[str]()

    ablate(out, ["channel:sparse"], sets=("own",), say=said.append)
    once = len(said)
    rows = ablate(out, ["channel:sparse", "family:rate"], sets=("own",), say=said.append)

    assert [row["name"] for row in rows] == [NOTHING, "channel:sparse", "family:rate"]
    assert (once, len(said)) == (2, 3)
    assert [path.name for path in (tmp_path / "ablation.models").iterdir()] == [f"{small[0].name}.npz"]
    assert [json.loads(line)["name"] for line in out.read_text().splitlines()] == [row["name"] for row in rows]
    table = {line["without"]: line for line in ablation_table(rows)}
    assert table["channel:sparse"]["found"] < 0.0
    assert set(table) == {"channel:sparse", "family:rate"}


def test_a_name_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """It is said what there is."""
    with pytest.raises(TerminalError, match="channel:forest"):
        ablate(tmp_path / "a.jsonl", ["nonsense"], sets=("own",), say=print)
