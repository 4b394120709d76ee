"""Numbers of the reasons: what is worth telling, and what a kind of attack is called."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# explain/causes.py
LOSES_NOTHING: Annotated[float, by_hand("nats", "a line that loses less without a cause loses nothing")] = 0.01
MIN_TAIL_NATS_OF_CAUSES: Annotated[float, by_hand("nats", "a cause less surprising than this is not asked for")] = 2.0

# explain/explain.py
MAX_REASONS: Annotated[int, by_hand("count", "reasons that are told of one line")] = 3
RARE_SHARE: Annotated[
    float, by_hand("share", "of all lines; a source with more is not called rare, however odd its line is for it")
] = 0.05
MIN_TAIL_NATS_OF_EXPLAIN: Annotated[float, by_hand("nats", "a cause less surprising than this is no reason")] = 3.0

# explain/kinds.py
MIN_ATTEMPTS: Annotated[float, by_hand("failed log-ins", "two of late")] = 1.8
QUICK_ATTEMPTS: Annotated[float, by_hand("failed log-ins", "failed log-ins within some seconds: two")] = 1.5
SLOW_ATTEMPTS: Annotated[
    float, by_hand("failed log-ins", "failed log-ins within half an hour: three; two are mistyped")
] = 2.5
MIN_KNOCKS: Annotated[
    float,
    by_hand("decayed count", "three connections of one address to a log-in service within seconds; each counts half"),
] = 1.4
MIN_KNOCKING: Annotated[float, by_hand("decayed count", "four addresses of late")] = 3.5
MIN_TARGETS: Annotated[float, by_hand("decayed count", "three ports or paths of late")] = 2.5
MIN_TURNED_AWAY: Annotated[
    float, by_hand("decayed count", "two packets of one address that a firewall turned away within seconds")
] = 1.5
MANY_TARGETS: Annotated[float, by_hand("decayed count", "ports or paths that are many wherever")] = 9.0
NEW_TARGETS: Annotated[
    float, by_hand("share", "share of an actor's lines that each tried another port or path: it looks for something")
] = 0.7

# explain/nearest.py
MAX_WORDS: Annotated[int, by_hand("words", "of a template that are looked at")] = 60
MAX_COMPARED: Annotated[int, by_hand("count", "candidates that are compared word by word")] = 12
MIN_LIKENESS: Annotated[float, by_hand("share", "share of words in common; less is another thing altogether")] = 0.4
MAX_REMEMBERED: Annotated[int, by_hand("count", "answers that are kept")] = 4_096

# explain/odd.py
MAX_PARTS: Annotated[int, by_hand("count", "odd pieces that are shown")] = 6

# explain/worth.py
MIN_CASES: Annotated[int, by_hand("count", "cases of an order of lines that are worth telling")] = 10
MIN_LENGTH_SHARE: Annotated[
    float, by_hand("share", "a length nearer to the usual than this share of it is not worth telling")
] = 0.25

OFTEN_SEEN: Annotated[float, by_hand("share", "of all lines; such a template is hardly called rare by a person")] = (
    0.001
)
HARDLY_RARE: Annotated[
    float, by_hand("share", "of lines; a level or a source with more adds little to another reason")
] = 0.01
OFTEN_FOLLOWED: Annotated[
    float, by_hand("share", "of the cases; an order held so often adds little to another reason")
] = 0.02

# scorer.py
MAX_EXPLAINED: Annotated[
    int, by_hand("count", "anomalies of one call that get their own ranking of causes at once")
] = 2_000
