"""Numbers of sessions: which ids name one, what is usual, and when it is over."""

from typing import Annotated

from sentinel.detect.tuning.origin import by_hand, measured

# sessions/fit.py
MIN_SESSIONS_OF_FIT: Annotated[int, by_hand("sessions", "finished ones")] = 8
MAX_SESSIONS: Annotated[int, by_hand("sessions", "that teach: the newest")] = 8_000
MAX_LINES: Annotated[int, by_hand("lines", "of one session that teach")] = 2_000
MIN_SHARED: Annotated[
    float, by_hand("share", "a template belongs to sessions where so many of its ids have a second line")
] = 0.5
MIN_LINES: Annotated[int, by_hand("lines", "of the median session; what has fewer is judged by its lines")] = 4
MIN_REPEATED: Annotated[
    float, by_hand("share", "share of the sessions whose counts of templates another one has too")
] = 0.5
HELD_OUT: Annotated[
    float, by_hand("share", "the later share of the sessions, which a model of the earlier ones has to find usual")
] = 0.3
MAX_FLAGGED: Annotated[
    float, by_hand("share", "share of later sessions, and one more, that a model may find strange")
] = 0.002
MAX_TRIMMED_FLAGGED: Annotated[float, by_hand("share", "the same where what is odd in training was left out")] = 0.05
MIN_TO_TRIM_OF_FIT: Annotated[
    int, by_hand("count", "sessions from which on what is odd among them can be told from a rare habit")
] = 1_800
MIN_TOGETHER: Annotated[
    float, by_hand("share", "two templates are of one kind of session when so many sessions of the rarer one have both")
] = 0.2
MAX_KINDS: Annotated[int, by_hand("count", "kinds of sessions that are learnt")] = 4
MAX_TEMPLATES_OF_FIT: Annotated[int, by_hand("templates", "of one session that are looked at to tell kinds apart")] = 40
OVER: Annotated[float, by_hand("share", "chance that a session goes on, at its time-out")] = 0.2
RATHER_OVER: Annotated[float, by_hand("share", "the same where a file ends")] = 0.8
SLACK: Annotated[
    float, by_hand("times", "the time-out is so many times the idle time after which a session is over")
] = 2.0
MIN_TIMEOUT_S: Annotated[float, by_hand("s", "shortest time-out")] = 30.0
LONGEST: Annotated[float, by_hand("share", "longest time-out, of the span of training")] = 0.125
SPELL: Annotated[
    float,
    by_hand("share", "share of the span of training within which sessions that are alike to the step are one event"),
] = 0.02
POOLED: Annotated[float, by_hand("gaps", "so many gaps and ends of all templates are added to a template's own")] = 5.0
MIN_OPENING: Annotated[
    float, by_hand("share", "share of the sessions that a template has to open to be a usual beginning")
] = 0.01

# sessions/follow.py
MAX_WAITING: Annotated[int, by_hand("count", "verdicts that no one has asked for yet")] = 10_000
MAX_OVER: Annotated[int, by_hand("count", "sessions that turn out to have ended are judged so many at a time")] = 256

# sessions/model.py
MIN_SESSIONS_OF_MODEL: Annotated[int, by_hand("sessions", "fewer make no model")] = 5
FOLDS: Annotated[int, by_hand("count", "parts of the sessions, each judged by a model of the others")] = 5
TRIM_ROUNDS: Annotated[int, by_hand("rounds", "looks for sessions that may not teach")] = 2
MAX_TRIMMED: Annotated[float, by_hand("share", "share of the sessions that a second look may leave out")] = 0.1
TAILS_FROM: Annotated[
    tuple[float], by_hand("share", "beyond each quantile an exponential tail; the steepest counts")
] = (0.98,)
TRIM_TAILS_FROM: Annotated[
    tuple[float, float],
    by_hand("share", "the same while sessions are sorted out: clear of anomalies up to a tenth of all"),
] = (0.8, 0.9)
TRIM_NATS: Annotated[float, by_hand("nats", "a session as strange may not teach")] = 11.0
WRONG_NATS: Annotated[
    float,
    by_hand("nats", "what fails, or lacks what the others have, in fewer than 1.5 % of the sessions teaches nothing"),
] = 3.5
HABIT: Annotated[tuple[float, float], by_hand("share", "share of the sessions that hold the very same templates")] = (
    0.025,
    0.1,
)
SOUND: Annotated[float, by_hand("share", "share of the sessions that are taken for sound in a first look")] = 0.9
MIN_TO_TRIM_OF_MODEL: Annotated[int, by_hand("count", "of fewer sessions an odd one is as likely a rare habit")] = 200
PART_CAP_NATS: Annotated[float, by_hand("nats", "one part alone may not drown the others")] = 14.0
CAP_NATS: Annotated[float, by_hand("nats", "a session is worth at most")] = 25.0
NORM_FLOOR: Annotated[float, by_hand("nats", "least scale of the norm's tail")] = 0.7
FEW_FLOOR: Annotated[
    float, by_hand("share", "added to least scales at a hundred sessions and below: few say little about a tail")
] = 0.3
FEW_OF_MODEL: Annotated[int, by_hand("sessions", "sessions below which they are few")] = 100
FEW_PARTS: Annotated[
    float, by_hand("share", "so much more of the least scales of parts where there is next to none")
] = 1.25
FEW_FAR: Annotated[float, by_hand("share", "share of distance more where there is next to none")] = 0.8
FEW_NORM: Annotated[
    float,
    by_hand(
        "nats", "below a hundred sessions one odd one among them may not stretch the norm's tail beyond this scale"
    ),
] = 1.0
FEW_START: Annotated[
    float,
    measured(
        "times",
        "below a hundred sessions the norm's tail begins at so many times the nats that its rank is worth, since where "
        "that of so few begins hangs on which of them teach",
        "whole sessions alone, as sentinel evaluate --sets draws judges them, draws 300 to 319, 400 to 479 and 500 to "
        "519 of three seeds: no draw below .95",
        holds=(1.36, 1.41),
    ),
] = 1.4
FEW_ALIKE: Annotated[
    float, by_hand("share", "of that: few sessions whose own tail begins lower are all alike, and it stays so")
] = 0.5
KNOTS: Annotated[int, by_hand("count", "places of a tail's curve")] = 1_024
TOLERANCE: Annotated[float, by_hand("share", "ties that differ by a rounding must not become tail events")] = 0.01
REASON_NATS: Annotated[float, by_hand("nats", "what is below needs no reasons")] = 3.0

# sessions/numbers.py
MAX_NUMBERS: Annotated[
    int, by_hand("count", "templates that have a number; beyond it those in no open session lose theirs")
] = 60_000
FEW_OF_NUMBERS: Annotated[int, by_hand("count", "numbers given at a time")] = 256

# sessions/parts.py
MAX_TEMPLATES_OF_PARTS: Annotated[int, by_hand("templates", "the most frequent; others count as never seen")] = 2_000
MAX_VECTORS: Annotated[int, by_hand("count", "the most frequent count vectors")] = 1_024
MIN_RECURRING: Annotated[
    int, by_hand("sessions", "so many sessions with the very same counts are a way of their own")
] = 4
MIN_RECURRING_SHARE: Annotated[float, by_hand("share", "the same as a share of all sessions")] = 0.001
COUNTING_ERROR: Annotated[float, by_hand("count", "differences below it are roundings")] = 1e-6

# sessions/reasons.py
MAX_REASONS: Annotated[int, by_hand("count", "reasons that are told of one session")] = 3
MAX_PER_PART: Annotated[int, by_hand("count", "reasons of one part")] = 2
MIN_PART_NATS: Annotated[float, by_hand("nats", "a part less surprising is no reason")] = 2.0
MIN_ENTRY_NATS: Annotated[float, by_hand("nats", "a template less surprising is no reason")] = 1.0
TEXT_LENGTH: Annotated[int, by_hand("characters", "characters of a template that a reason shows")] = 120

# sessions/session_pass.py
PLACES: Annotated[int, by_hand("count", "sessions of a kind that are held: at most 12 MiB")] = 1 << 15
CELLS: Annotated[int, by_hand("count", "distinct templates that are counted of one session")] = 64
WAYS: Annotated[int, by_hand("count", "places a session may stand in; the least useful of them gives way")] = 8
JUMP_S: Annotated[float, by_hand("s", "a clock that falls back further than this begins anew")] = 3600.0
