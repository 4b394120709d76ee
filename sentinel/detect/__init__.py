"""Find what is strange in records and say why; learn, without labels, what is usual. Never reads a store or a clock."""

from sentinel.detect.judge.combine import Switches
from sentinel.detect.judge.nats import THRESHOLD_NATS
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import One
from sentinel.detect.scorer import Scorer, Verdict

__all__ = ["THRESHOLD_NATS", "Model", "One", "Scorer", "Switches", "Verdict"]
