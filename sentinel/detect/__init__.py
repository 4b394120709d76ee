"""Find what is strange in records and say why; learn, without labels, what is usual. Never reads a store or a clock.

The names below are imported when they are asked for: who only looks at a model's manifest waits for no compiler.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentinel.detect.judge.combine import Switches
    from sentinel.detect.judge.nats import THRESHOLD_NATS
    from sentinel.detect.models.model import Model
    from sentinel.detect.read.coded import One
    from sentinel.detect.scorer import Scorer, Verdict

__all__ = ["THRESHOLD_NATS", "Model", "One", "Scorer", "Switches", "Verdict"]

_HOMES = {
    "Switches": "judge.combine",
    "THRESHOLD_NATS": "judge.nats",
    "Model": "models.model",
    "One": "read.coded",
    "Scorer": "scorer",
    "Verdict": "scorer",
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, from the file that has it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
