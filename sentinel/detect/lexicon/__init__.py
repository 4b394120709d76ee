"""What words mean, as data: entries of the TOML files here and of those a user adds; nothing else knows words."""

from sentinel.detect.lexicon.entry import Concept, Entry, parse_file
from sentinel.detect.lexicon.lexicon import Lexicon
from sentinel.detect.lexicon.reader import BUILT_IN, read_built_in, read_lexicon

__all__ = ["BUILT_IN", "Concept", "Entry", "Lexicon", "parse_file", "read_built_in", "read_lexicon"]
