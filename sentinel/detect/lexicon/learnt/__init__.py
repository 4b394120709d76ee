"""What texts mean that no entry knows: read from the kinds of their words, by weights learnt from examples."""

from sentinel.detect.lexicon.learnt.features import Features, read_features
from sentinel.detect.lexicon.learnt.learnt import HARMLESS, MADE, READ, Bounds, Learnt, read_learnt

__all__ = ["HARMLESS", "MADE", "READ", "Bounds", "Features", "Learnt", "read_features", "read_learnt"]
