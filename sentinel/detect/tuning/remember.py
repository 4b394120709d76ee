"""Numbers of the state pass."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# remember/state.py
CORE_PLACES: Annotated[int, by_hand("places", "templates, sources, transitions: 6 MiB")] = 1 << 16
EDGE_PLACES: Annotated[int, by_hand("places", "actors, users, sessions and their pairs: 25 MiB")] = 1 << 18
HABIT_PLACES: Annotated[int, by_hand("places", "what a template usually shows in a source: 3 MiB")] = 1 << 15

# remember/state_pass.py
NUMBER_ALPHA: Annotated[float, by_hand("share", "share of the newest number in its moving mean")] = 0.2
WINDOW_S: Annotated[float, by_hand("s", "spans in which a template was there are counted by")] = 600.0

# remember/failures.py
BURST_GAP_S: Annotated[float, by_hand("s", "failures further apart begin a new burst")] = 180.0
CONNECT_WEIGHT: Annotated[
    float, by_hand("share", "of a failed log-in, for a connection to a service that people log in to")
] = 0.55

# remember/polite.py
POLITE_A_S: Annotated[float, by_hand("lines a second", "of one client; crawlers keep to one request a second")] = 1.5
POLITE_FAILURES: Annotated[
    float, by_hand("lines", "failed log-ins within 3 min, beyond those forgiven, of somebody who is polite")
] = 2.0
FORGIVEN: Annotated[
    float,
    by_hand("share", "of what somebody does as usual: so much else is no more than people's slips are (SLIP_SHARE)"),
] = 0.1

# scorer.py
MAX_UNDO_LINES: Annotated[int, by_hand("lines", "longer peeks work on a copy of the memory")] = 1_000
