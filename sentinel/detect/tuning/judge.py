"""Numbers of the judge: surprises, tails, channels, habits and new values."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand

# judge/combine.py
NORM_CAP: Annotated[float, by_hand("nats", "nats one feature may add to the norm")] = 8.0
SPARSE_CAP: Annotated[float, by_hand("nats", "the sparse channel may raise an alarm, it may not outrank a flood")] = 8.5
FEW_FAILURES: Annotated[
    float, by_hand("decayed count", "up to two failed log-ins of somebody are no alarm, whatever else is odd in them")
] = 2.5
FEW_NATS: Annotated[float, by_hand("nats", "what a line of so few failed log-ins is worth at most")] = 7.0
EVENT_NATS: Annotated[
    float, by_hand("nats", "a decisive feature was counted in events, of which a share writes several lines")
] = 0.6
FLOOD_CAP: Annotated[float, by_hand("nats", "what a flood is worth at most")] = 14.0
PRIOR_ATTEMPTS: Annotated[
    tuple[float, float, float],
    by_hand("failed log-ins", "failed attempts within about 15, 180, 1,800 s that are worth 7.5 nats"),
] = (3.6, 4.45, 10.0)
KNOWN_ATTEMPTS: Annotated[
    tuple[float, float, float],
    by_hand("failed log-ins", "the same of an actor whose log-ins worked before: people mistype"),
] = (4.2, 6.5, 14.0)
GUESS_ATTEMPTS: Annotated[
    float, by_hand("failed log-ins", "what each further user that one unknown actor tries is worth")
] = 0.6
ALARM_NATS: Annotated[float, by_hand("nats", "what enough failed attempts are worth")] = 7.5
FATAL_NATS: Annotated[
    float,
    by_hand(
        "nats", "what its own program calls fatal is no alarm where it is everyday, but comes before other such lines"
    ),
] = 5.0
FATAL_NEWS_NATS: Annotated[
    float,
    by_hand(
        "nats",
        "what its own program calls fatal in words that training never had is an alarm by itself until it is a habit; "
        "half a nat above the usual threshold",
    ),
] = 8.0
FATAL_AGAIN_NATS: Annotated[
    float, by_hand("nats", "what such a line is worth more each time its template came e times as often before")
] = 0.25
WARM_UP_SHARE: Annotated[
    float, by_hand("share", "of a rarity that counts in a warm-up model where nothing reads as failure")
] = 0.6

# judge/habits.py
WINDOW_S: Annotated[float, by_hand("s", "a window of a template in a source is as loud as its loudest line")] = 600.0
JUMP_S: Annotated[float, by_hand("s", "a clock that falls back further than this begins a new window")] = 3600.0
FORGET_S: Annotated[
    float, by_hand("s", "a loudness that does not come back fades with this constant: attacks hours apart are no habit")
] = 43_200.0
CALM_NATS: Annotated[float, by_hand("nats", "what a template may usually show without being called loud")] = 4.0
UP_NATS: Annotated[
    float, by_hand("nats", "step up a window, towards the level that three windows in four stay below")
] = 1.0
DOWN_NATS: Annotated[float, by_hand("nats", "step down a window, towards the same level")] = 0.35
UP_BAD_NATS: Annotated[
    float,
    by_hand("nats", "the same step where the line reads as failure, probe or failed log-in: it must last for hours"),
] = 0.25
YOUNG_WINDOWS: Annotated[
    float,
    by_hand(
        "windows of 600 s", "any other template seen in fewer windows than that is got used to by halves if it stays"
    ),
] = 6.0
NOVEL_WINDOWS: Annotated[
    float, by_hand("windows of 600 s", "a line whose template was seen in fewer windows is news of its source")
] = 3.0
QUICK: Annotated[float, by_hand("share", "share of the way that a young template is got used to in a window")] = 0.5
LOUD_NATS: Annotated[float, by_hand("nats", "what comes this loud once a day")] = 6.0
SAME_S: Annotated[float, by_hand("s", "what comes again within it is the same night")] = 21_600.0
NIGHT_S: Annotated[float, by_hand("s", "the next night begins so long after the last at the earliest")] = 64_800.0
NEXT_NIGHT_S: Annotated[float, by_hand("s", "the next night begins so long after the last at the latest")] = 108_000.0
NIGHTS: Annotated[float, by_hand("nights", "what comes is known after so many nights in a row")] = 2.0
NIGHTS_BAD: Annotated[float, by_hand("nights", "the same where it reads as a failure")] = 3.0

# judge/nats.py
THRESHOLD_NATS: Annotated[
    float, by_hand("nats", "a line is an anomaly from here on: p < 1/1,800 under normal traffic")
] = 7.5

# judge/outcomes.py
MAX_VALUES: Annotated[int, by_hand("count", "a slot with more different values is a measure or a name")] = 8

# judge/surprise.py
MIN_NUMBER_LINES: Annotated[int, by_hand("lines", "lines of a template before its numbers have a range")] = 20
MIN_MEAN_LINES: Annotated[
    int, by_hand("lines", "lines of a template before the moving means of its numbers have one")
] = 100
MEAN_WARM_UP: Annotated[int, by_hand("count", "numbers in a moving mean before it is believed")] = 8
MIN_SPREAD: Annotated[float, by_hand("log(1 + x)", "a number that spreads less never varied")] = 1e-6
MEAN_SLACK: Annotated[float, by_hand("ranges", "a mean wanders: a whole span beyond its range is nothing")] = 1.0
MAX_NUMBER_EXCESS: Annotated[float, by_hand("ranges", "how far outside a number is at most")] = 8.0
SMOOTHING: Annotated[
    float, by_hand("lines", "lines that what follows a template is drawn to how often it comes at all")
] = 3.0
HABIT_SLACK: Annotated[float, by_hand("nats", "seven times as seldom as by chance is nothing")] = 2.0
MIN_CONTEXT: Annotated[
    float, by_hand("lines", "times a template was followed by another before its habits are believed")
] = 30.0
FAILURE_SLACK: Annotated[float, by_hand("nats", "a failure that came twice before is everyday")] = 1.4
KNOWN_GRAVE_SLACK: Annotated[float, by_hand("nats", "a grave one that came four times is")] = 0.7
GRAVE_SLACK: Annotated[
    float, by_hand("nats", "what came twice before is not grave where other failures are everyday")
] = 1.5
YOUNG_SLACK: Annotated[
    float,
    by_hand("share", "of the logarithm of the windows in which what no training knew was there: it shows its own pace"),
] = 0.5
NEW_SPAN: Annotated[float, by_hand("nats", "nats below the ceiling: up to 9 hits")] = 3.0
MIN_WINDOW_RARITY: Annotated[float, by_hand("nats", "least ceiling of a rarity by windows")] = 2.5

# judge/tails.py
CAP_NATS: Annotated[float, by_hand("nats", "one tail is worth at most")] = 25.0
TOLERANCE: Annotated[float, by_hand("nats", "ties that differ by a rounding must not become tail events")] = 0.05
MIN_GROUP_LINES: Annotated[int, by_hand("lines", "a source with fewer has no tails of its own")] = 150
SHRINK_LINES: Annotated[float, by_hand("lines", "a source with so many is drawn half to the pooled tails")] = 150.0
MIN_TAIL_LINES: Annotated[int, by_hand("lines", "fewer that a feature applies to make no tail")] = 30
WAKE_NATS: Annotated[float, by_hand("nats", "long spans of shared keys count so far above the short one")] = 3.0
