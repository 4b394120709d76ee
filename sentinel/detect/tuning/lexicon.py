"""Bounds of the lexicon."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_definition, by_hand

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

# lexicon/learnt/features.py
MAX_READ_WORDS: Annotated[
    int, by_hand("words", "what stands farther behind in a text is not read for what it means")
] = 60
NEAR_WORDS: Annotated[int, by_hand("words", "kinds of words that stand farther apart are not read together")] = 8

# lexicon/learnt/learnt.py
WEIGHT_STEP: Annotated[float, by_definition("nats", "one step of a kept weight")] = 0.01

# learn/words.py
RIGHT: Annotated[
    float,
    by_hand("share", "of left-out examples that read as a concept, or as harmless, these are so", holds=(0.9, 0.97)),
] = 0.95
RIGHT_OF_GRAVE: Annotated[
    float,
    by_hand("share", "the same of log-ins and grave failures: to miss one costs more than to read one too many"),
] = 0.9
SURELY_RIGHT: Annotated[
    float, by_hand("share", "the same where what an entry says is changed: a failure to a client's, or to none")
] = 0.98
PULL: Annotated[
    float, by_hand("inverse", "how far examples may pull weights from 0 (C of the logistic regression)")
] = 0.3
MIN_EXAMPLES: Annotated[int, by_hand("count", "a feature of fewer examples is not weighed")] = 2
OUT_OF_PLACE: Annotated[int, by_hand("lines", "made-up lines in which one word of an example is out of place")] = 1_000
