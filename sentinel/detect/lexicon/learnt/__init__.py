"""What texts mean that no entry knows: read from the kinds of their words, by weights learnt from examples."""

from sentinel.detect.lexicon.learnt.features import Features, read_features
from sentinel.detect.lexicon.learnt.learnt import HARMLESS, MADE, READ, Learnt, read_learnt

__all__ = ["HARMLESS", "MADE", "READ", "Features", "Learnt", "read_features", "read_learnt"]
