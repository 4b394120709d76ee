"""Draw what was measured: precision over recall, the delay of each kind of attack, false incidents a day."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sentinel.evaluation.ours import OURS
from sentinel.evaluation.report import by_kind, method_rows

__all__ = ["Curve", "draw"]

MAX_POINTS = 4_000

Curve = tuple[str, npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Method, labels (0 or 1) and scores of the lines of one group."""


def draw(folder: Path, cases: Sequence[dict[str, Any]], curves: Sequence[Curve], group: str) -> list[Path]:
    """Write three pictures about one group of cases; what they are called."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    made = []
    for name, paint in (("precision_recall", _precision), ("delay", _delay), ("false_incidents", _incidents)):
        figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
        paint(axes, cases, curves, group)
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=110)
        pyplot.close(figure)
        made.append(path)
    return made


def _precision(axes: Any, cases: Sequence[dict[str, Any]], curves: Sequence[Curve], group: str) -> None:
    for method, label, scores in curves:
        order = np.argsort(-scores, kind="stable")
        true = np.cumsum(label[order])
        at = np.unique(np.linspace(0, len(label) - 1, MAX_POINTS).astype(np.int64))
        width = 2.5 if method == OURS else 1.0
        axes.plot(true[at] / max(int(label.sum()), 1), true[at] / (at + 1), label=method, linewidth=width)
    axes.set(xlabel="recall (lines)", ylabel="precision (lines)", title=group, xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(fontsize=8, loc="upper right")


def _delay(axes: Any, cases: Sequence[dict[str, Any]], curves: Sequence[Curve], group: str) -> None:
    rows = [row for row in by_kind(cases, group) if row["delay_s"] is not None]
    axes.barh([row["kind"] for row in rows], [max(row["delay_s"], 0.1) for row in rows])
    axes.set(xscale="log", xlabel="seconds from an attack's first line to its first alarm, median", title=group)


def _incidents(axes: Any, cases: Sequence[dict[str, Any]], curves: Sequence[Curve], group: str) -> None:
    rows = [row for row in method_rows(cases) if row["group"] == group and row["found"] is not None]
    axes.scatter([max(row["false_incidents_a_day"] or 0.0, 0.1) for row in rows], [row["found"] for row in rows])
    for row in rows:
        at = (max(row["false_incidents_a_day"] or 0.0, 0.1), row["found"])
        axes.annotate(row["method"], at, fontsize=8, xytext=(4, 4), textcoords="offset points")
    axes.set(
        xscale="log", xlabel="false incidents a day, median", ylabel="attacks found", title=group, ylim=(-0.02, 1.05)
    )
