"""Numbers of the training: bounds, cross-fitting, what is left out, the forest and the gate."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand, from_paper

# learn/baseline.py
UPPER: Annotated[float, by_hand("share", "the share of lines that the usual upper bound covers")] = 0.99
SHRINK_LINES: Annotated[float, by_hand("lines", "a template with fewer lines is drawn to the others' bound")] = 30.0
SOURCE_LINES: Annotated[float, by_hand("lines", "the same of a source")] = 300.0
FEW_SHOW_LITTLE: Annotated[
    float, by_hand("log(1 + x)", "log(1 + 2): a small count is all that is expected of what was hardly seen")
] = 1.1
MIN_MEAN_SEEN: Annotated[int, by_hand("count", "numbers in a moving mean before its range is learnt")] = 8

# learn/bursts.py
SLOT_S: Annotated[float, by_hand("s", "crowds are counted within")] = 900.0
LEAD_S: Annotated[float, by_hand("s", "an attack begins some lines before it is called one")] = 300.0
WAKE_S: Annotated[float, by_hand("s", "an attack ends after the last line that is called one")] = 60.0

# learn/corpus.py
MAX_INHERITED_TEMPLATES: Annotated[int, by_hand("templates", "templates of the model before that are taken over")] = (
    10_000
)
CHUNK_LINES: Annotated[int, by_hand("lines", "lines that are read at a time")] = 65_536
TOP_WORDS: Annotated[int, by_hand("words", "rarest words of a text that count")] = 3
MAX_TEXTS: Annotated[int, by_hand("texts", "distinct masked texts whose codes and states are learnt")] = 50_000

# learn/crossfit.py
BLOCKS: Annotated[int, by_hand("count", "parts of the training, in time order")] = 6
FIRST: Annotated[int, by_hand("count", "blocks that only teach")] = 2
SAMPLE_ROWS: Annotated[int, by_hand("rows", "rows that tails and forest are fitted on")] = 200_000
CHUNK_ROWS: Annotated[int, by_hand("rows", "rows that are judged at a time")] = 16_384
TRIM_ROWS: Annotated[int, by_hand("rows", "rows that the tails are fitted on while trimming")] = 60_000
TRIM_ROUNDS: Annotated[int, by_hand("rounds", "looks for what may not teach")] = 2
TRIM_BULK: Annotated[float, by_hand("share", "the share of lines whose tail says what is impossible")] = 0.88
TRIM_CAP_NATS: Annotated[float, by_hand("nats", "ceiling of a tail while trimming")] = 60.0
FLOOD_NATS: Annotated[float, by_hand("nats", "a flood that may not teach")] = 10.0
CROWD_LINES_OF_CROSSFIT: Annotated[int, by_hand("lines", "anomalies of one source within a slot that are left out")] = (
    20
)
JOB_SHARE: Annotated[float, by_hand("share", "of a template's lines stand in what was left out")] = 0.9
MOST: Annotated[
    float,
    by_hand("share", "the share from which on a template's lines belong to the incident and not to a busier hour"),
] = 0.5
SLOTS: Annotated[int, by_hand("count", "a block's end is moved by at most a span's 60th")] = 60

# learn/exclude.py
CROWD_LINES_OF_EXCLUDE: Annotated[
    int, by_hand("lines", "anomalies of one source within a slot; fewer are the noise of every day")
] = 10
STAYS_SLOTS: Annotated[
    int,
    by_hand(
        "quarter hours", "six hours: what goes on for longer, in half of its slots, is a new habit and not an attack"
    ),
] = 24
STAYS_SHARE: Annotated[float, by_hand("share", "share of those slots in which it goes on")] = 0.5
MAX_SHARE: Annotated[
    float,
    by_hand("share", "of all lines: a champion that calls more of them an attack knows another log, and is not asked"),
] = 0.3
MIN_NORM_NATS: Annotated[float, by_hand("nats", "the forest is asked where the norm alone is this strange")] = 2.0

# learn/fit.py
MIN_LINES_OF_FIT: Annotated[int, by_hand("lines", "fewer make a warm-up model")] = 2_000
DRIFT_NATS: Annotated[float, by_hand("nats", "allowance for traffic that differs from that of training")] = 0.7
QUIET_LINES: Annotated[float, by_hand("lines", "lines a day that need no more")] = 10_000.0
VOLUME_SHARE: Annotated[
    float, by_hand("share", "share of the logarithm of the lines beyond that a line has to be more improbable")
] = 0.5
LATE_BLOCK: Annotated[int, by_hand("count", "of six: rows from here on say how often a line is new")] = 4

# learn/forest.py
TREES: Annotated[int, by_hand("count", "trees of the forest; the paper of the Isolation Forest has 100")] = 300
SAMPLES: Annotated[int, by_hand("count", "rows a tree; the paper of the Isolation Forest has 256")] = 1024
PUSHED_SHARE: Annotated[
    float, by_hand("share", "a forest cannot split where no training row is: some rows get 1 to 3 features pushed up")
] = 0.02

# learn/gate.py
MIN_CAUGHT: Annotated[
    float, by_hand("share", "share of the canaries; some logs hold what a canary shows every day")
] = 0.6
MAX_BEHIND: Annotated[
    float, by_hand("share", "how much smaller than the champion's the share of caught canaries may be")
] = 0.15
MAX_FALSE_SHARE: Annotated[
    float, by_hand("share", "of training lines, scored by tables that had not seen them; expected: 0.00055")
] = 0.01
MIN_CONTRAST_NATS: Annotated[float, by_hand("nats", "between a quiet line and the median canary")] = 1.0
QUIET: Annotated[
    float, by_hand("share", "share of lines that are at most so strange; on an open port most lines are attacks")
] = 0.1
LABELLED_SLACK: Annotated[float, by_hand("share", "how much worse than the champion on labelled lines is no worse")] = (
    0.02
)

# learn/manners.py
VISIT_GAP_S: Annotated[
    float, from_paper("s", "so long without a line ends a visit", "the usual session time-out of web analytics")
] = 1_800.0
MIN_VISITS: Annotated[int, by_hand("visits", "of a source, before anything is said of its visitors")] = 40
USUAL_REACH: Annotated[float, by_hand("share", "share of visits that show what is usual, at least")] = 0.3
SLIP_REACH: Annotated[float, by_hand("share", "share of visits that show a slip, at most")] = 0.2
SLIP_SHARE: Annotated[float, by_hand("share", "of a visit's lines, on average over all visits")] = 0.1
SLIP_VISITS: Annotated[int, by_hand("visits", "visits that show a slip, at least")] = 5
SLIP_ACTORS: Annotated[int, by_hand("count", "actors that show a slip, at least")] = 4
MOST_SLIPS: Annotated[int, by_hand("count", "lines of a slip in most visits that show it, at most")] = 3
WITHIN: Annotated[
    float,
    by_hand("share", "share of the visits that show a slip in which it is that seldom: one attack does not move it"),
] = 0.8
GO_ON: Annotated[float, by_hand("share", "of the visits that show a slip, the share that show what is usual, too")] = (
    0.7
)
AT_THE_DOOR: Annotated[float, by_hand("share", "of the visits that show a slip, the share that begin with it")] = 0.6

# learn/outcomes.py
LATE_SHARE: Annotated[
    float, by_hand("share", "of the lines: what comes after says how often a slot brings a new value")
] = 2 / 3
MIN_LINES_OF_OUTCOMES: Annotated[int, by_hand("lines", "that show a slot")] = 100
LINES_A_VALUE: Annotated[
    int, by_hand("count", "a value stands for so many lines on average: else it is a name or a measure")
] = 30
MIN_STEPS: Annotated[int, by_hand("count", "steps of a number before it is called a counter")] = 20
COUNTS_ON: Annotated[float, by_hand("share", "share of its steps in which a counter grows, or falls")] = 0.9

# learn/session_corpus.py
MAX_NUMBER_BYTES: Annotated[int, by_hand("bytes", "a longer id is no mere number")] = 20
