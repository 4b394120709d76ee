"""Numbers of the scanner and the templates."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# read/drain.py
SIMILARITY: Annotated[float, by_hand("share", "share of words that must agree")] = 0.6
MAX_FIRST_TOKENS: Annotated[int, by_hand("tokens", "per text length; what comes later shares one branch")] = 200
MAX_LEAF_CLUSTERS: Annotated[
    int, by_hand("count", "what comes later and resembles none of them shares one template of wildcards")
] = 400
MAX_TOKENS: Annotated[int, by_hand("tokens", "what follows is one token")] = 80

# read/encode.py
MAX_SOURCES: Annotated[int, by_hand("count", "names of sources whose hashes are kept")] = 20_000

# read/fields.py
MAX_FIELD_CHARS: Annotated[int, by_hand("characters", "a longer value of a field is no status and no name")] = 64
MAX_FIELD_NAMES: Annotated[int, by_hand("count", "names of fields kept with what they are told as")] = 4_096

# read/headline.py
SEARCHED_CHARS: Annotated[
    int, by_hand("characters", "characters of a message in which its first line and exception are looked for")
] = 16_384

# read/mask_token.py
MIN_ID_DIGITS: Annotated[
    int, by_hand("digits", "a whole number as long as this, that no key calls a measure, names a thing")
] = 5
MAX_DIGITS: Annotated[int, by_hand("digits", "a longer number is a moment or an identifier")] = 11

# read/named_token.py
MAX_USER_BYTES: Annotated[int, by_hand("bytes", "a longer name is no user")] = 64

# read/outcomes.py
MAX_SAID: Annotated[int, by_hand("count", "usual values that a reason names")] = 4

# read/scan.py
MAX_SCAN_BYTES: Annotated[int, by_hand("bytes", "what follows in a longer message is neither masked nor searched")] = (
    4096
)
OPAQUE_BYTES: Annotated[int, by_hand("bytes", "a longer quoted text is one variable part")] = 60
OPAQUE_PROSE_BYTES: Annotated[int, by_hand("bytes", "the same of one with blanks")] = 80
LIST_KEPT: Annotated[
    int, by_hand("count", "masks of one kind in a row that stay; further ones say only that the list is longer")
] = 2
LIST_GAP: Annotated[int, by_hand("bytes", "between two masks of a list, at most")] = 2

# read/text.py
MAX_MEANINGS: Annotated[int, by_hand("count", "distinct masked texts kept ready")] = 50_000
MAX_NEW_TEMPLATES: Annotated[
    int, by_hand("templates", "templates met in service and kept; beyond it the older half goes")
] = 4_000
MAX_WORDS: Annotated[int, by_hand("words", "words of a text whose rarity counts")] = 40
JOINED_AT_ONCE: Annotated[int, by_hand("count", "messages that are joined at a time")] = 65_536

# read/zero_counts.py
WORDS_AHEAD: Annotated[
    int, by_hand("count", "words after a zero in which trouble is looked for: `0 of 12 checks failed`")
] = 4
WORDS_BEHIND: Annotated[int, by_hand("count", "words before it: `error rate is 0`")] = 3
MAX_LINK_BYTES: Annotated[
    int, by_hand("bytes", "a word as short as this (is, rate, est) stands between what is counted and its number")
] = 4
MAX_SIGNS: Annotated[int, by_hand("count", "signs between what is counted and its number")] = 4
