"""Bounds of the lexicon."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# lexicon/entry.py
MAX_PATTERN: Annotated[int, by_hand("characters", "length of a pattern, its words put in")] = 20_000

# lexicon/in_use.py
MAX_KNOWN: Annotated[
    int, by_hand("count", "texts whose concepts are kept: a text that is only looked at comes again as new")
] = 10_000

# lexicon/literals.py
MIN_LITERAL: Annotated[int, by_hand("characters", "a shorter text stands nearly everywhere")] = 3

# lexicon/words.py
MAX_KEY_BYTES: Annotated[int, by_hand("bytes", "a longer word is no key")] = 18
