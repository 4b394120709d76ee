"""Say what each part of the detector is worth: switch it off, or halve or double a number, and measure again."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sentinel.detect.tuning.numbers import numbers
from sentinel.errors import TerminalError

__all__ = ["NOTHING", "ablate", "ablation_table", "names_of_all", "run_alone"]

NOTHING = "nothing"
LEARNT = "list:learnt"  # no list: the reader of words that learnt from examples
FACTORS = (0.0, 0.5, 2.0)
CHANNELS = ("forest", "norm", "sparse", "prior", "habits", "sessions")
FIGURES = ("found", "ap", "f1_own", "false_incidents_a_day", "false_per_10k")
Say = Callable[[str], None]


def names_of_all() -> list[str]:
    """All that can be taken away, by name: channels, families, lists of the lexicon, the reader of words, numbers."""
    from sentinel.detect.judge.features import FAMILIES
    from sentinel.detect.lexicon.entry import Concept
    from sentinel.detect.lexicon.reader import OF_KERNELS

    return [
        NOTHING,
        *(f"channel:{name}" for name in CHANNELS),
        *(f"family:{family.name}" for family in FAMILIES),
        *(f"list:{concept.value}" for concept in Concept if concept not in OF_KERNELS),
        LEARNT,
        *(f"number:{number.name}*{factor:g}" for number in numbers() for factor in FACTORS),
    ]


def ablate(
    out: Path, only: Sequence[str] = (), *, first: int = 0, seed: int = 0, sets: Sequence[str], say: Say
) -> list[dict[str, Any]]:
    """Measure each ablation that `out` (a file of JSON lines) does not have yet, and add it there; all of its rows.

    `only`: names, or their beginnings; all without one. One at a time: what is asked of a fitted model goes on in this
    process, each list and number in a process of its own, since both have to be in place before the first text is read
    and the first kernel compiled. Raises TerminalError for a name that there is not.
    """
    wanted = [name for name in names_of_all() if not only or name.startswith(tuple(only))]
    if not wanted:
        raise TerminalError(
            f"ablate: nothing is called {', '.join(only)}; there are {', '.join(names_of_all()[:30])} …"
        )
    done = {row["name"] for row in _rows(out)}
    waiting = [name for name in (NOTHING, *wanted) if name not in done]
    here = [name for name in dict.fromkeys(waiting) if not name.startswith(("number:", "list:"))]
    options = ["--first", str(first), "--seed", str(seed), "--sets", ",".join(sets)]
    if here:
        _in_this_process(out, here, first=first, seed=seed, sets=sets, say=say)
    for name in dict.fromkeys(name for name in waiting if name not in here):
        say(f"{name} …")
        _in_its_own(out, name, options, say)
    return _rows(out)


def run_alone(out: Path, name: str, *, first: int, seed: int, sets: Sequence[str], say: Say) -> None:
    """Measure one list or number, in a process that was begun for it, and add it to the file."""
    from sentinel.detect.lexicon.entry import Concept
    from sentinel.detect.lexicon.in_use import leave_out, leave_out_learnt

    if name == LEARNT:
        leave_out_learnt()
    elif name.startswith("list:"):
        leave_out(Concept(name.removeprefix("list:")))
    _in_this_process(out, [name], first=first, seed=seed, sets=sets, say=say)


def _in_its_own(out: Path, name: str, options: list[str], say: Say) -> None:
    command = [sys.executable, "-m", "sentinel.cli", "evaluate", "--ablate-one", name, "--out", str(out), *options]
    try:
        run = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # our own command
    finally:
        for folder in (Path(__file__).parents[1] / "detect/__pycache__").glob("tried-*"):
            shutil.rmtree(folder, ignore_errors=True)
    if run.returncode:  # a number that no detector can work with is a finding, too
        last = run.stderr.strip().splitlines()[-1:] or ["no word"]
        say(f"{name}: {last[0]}")
        _add(out, {"name": name, "groups": {}, "failed": last[0]})


def _in_this_process(out: Path, names: list[str], *, first: int, seed: int, sets: Sequence[str], say: Say) -> None:
    """Fit once a case, and score all cases under one name after the other."""
    from sentinel.evaluation.evaluate import cases_of
    from sentinel.evaluation.measure import measure
    from sentinel.evaluation.ours import model_of, score_ours
    from sentinel.evaluation.report import method_rows

    cases = list(cases_of(None, sets, range(first, first + 1), quick=True))
    fitted = [_fitted(out, case.name, names, partial(model_of, case.train, seed=seed)) for case in cases]
    for name in names:
        measured = []
        for case, (whole, state) in zip(cases, fitted, strict=True):
            model, switches = _without(whole, name)
            figures = measure(case, score_ours(case, model, state, switches=switches))
            measured.append({"case": case.name, "group": case.group, "method": name, **figures})
            say(f"{case.name} without {name}: found {figures['found']:.3f} AP {figures['ap']:.3f}")
        rows = method_rows(measured)
        _add(out, {"name": name, "groups": {row["group"]: {key: row[key] for key in FIGURES} for row in rows}})


def _fitted(out: Path, case: str, names: list[str], fit: Callable[[], tuple[Any, bytes]]) -> tuple[Any, bytes]:
    """A case's model and state: kept beside the file where nothing that teaches is changed, else fitted anew."""
    from sentinel.evaluation.kept import read_kept, write_kept

    path = out.with_suffix(".models") / f"{case}.npz"
    if not all(_acts_after_the_forest(name) for name in names):
        return fit()
    if not path.exists():
        write_kept(path, *fit())
    return read_kept(path)


def _acts_after_the_forest(name: str) -> bool:
    """Whether a fitted model is the same without it: channels, families, numbers of channels, habits and reasons."""
    if name.startswith("list:"):
        return False
    number = name.removeprefix("number:").partition("*")[0] if name.startswith("number:") else ""
    return not number or number.startswith("explain.") or number in _of_channels()


def _of_channels() -> set[str]:
    """Numbers of the habits and of the prior, which no training reads."""
    from sentinel.detect.judge import habits

    own = {name for name in vars(habits) if name.isupper()}
    prior = {"PRIOR_ATTEMPTS", "KNOWN_ATTEMPTS", "GUESS_ATTEMPTS", "ALARM_NATS", "FATAL_NATS", "FEW_NATS"}
    return {f"judge.{name}" for name in own | prior}


def _without(model: Any, name: str) -> tuple[Any, Any]:
    """A model, and the switches to score with, as a name has it."""
    from dataclasses import replace

    import numpy as np

    from sentinel.detect import Switches
    from sentinel.detect.judge.features import TABLE

    what, _, which = name.partition(":")
    if what == "channel":
        return model, Switches()._replace(**{which: False})
    if what == "family":
        columns = [i for i, feature in enumerate(TABLE) if feature.family == which]
        knots, start = model.tails.knots.copy(), model.tails.start.copy()
        knots[:, columns], start[:, columns] = np.inf, np.inf  # nothing lies beyond: the tail is worth 0
        return replace(model, tails=model.tails._replace(knots=knots, start=start)), Switches()
    return model, Switches()


def _rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.exists() else []


def _add(out: Path, row: dict[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    known = {group: {key: _plain(x) for key, x in figures.items()} for group, figures in row["groups"].items()}
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**row, "groups": known}) + "\n")


def _plain(x: float | None) -> float | None:
    """A figure for JSON, which has no NaN."""
    return None if x is None or math.isnan(x) else float(x)


def ablation_table(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each is worth: figures without it less those with it, a row a name and group; the greatest loss first."""
    whole: dict[str, Any] = next((row for row in rows if row["name"] == NOTHING), {"groups": {}})
    found = [line for row in rows if row["name"] != NOTHING for line in _lines(row, whole)]
    return sorted(found, key=lambda line: (line["found"] or 0.0, line["ap"] or 0.0))


def _lines(row: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if row.get("failed"):
        yield {"without": row["name"], "group": row["failed"], **dict.fromkeys(FIGURES)}
    for group, figures in row["groups"].items():
        base = whole["groups"].get(group, {})
        pairs = {key: (figures[key], base.get(key)) for key in FIGURES}
        less = {key: None if None in pair else pair[0] - pair[1] for key, pair in pairs.items()}
        yield {"without": row["name"], "group": group, **less}
