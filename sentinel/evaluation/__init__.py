"""Judge the detector on public logs and made suites, beside its peers, with every threshold fixed beforehand."""

from sentinel.evaluation.evaluate import SETS, evaluate
from sentinel.evaluation.report import Evaluation, goal_rows, markdown, method_rows

__all__ = ["SETS", "Evaluation", "evaluate", "goal_rows", "markdown", "method_rows"]
