"""Find what is strange in records and say why; learn, without labels, what is usual. Never reads a store or a clock."""

from sentinel.detect.combine import Switches
from sentinel.detect.encode import One
from sentinel.detect.model import THRESHOLD_NATS, Model
from sentinel.detect.scorer import Scorer, Verdict

__all__ = ["THRESHOLD_NATS", "Model", "One", "Scorer", "Switches", "Verdict"]
