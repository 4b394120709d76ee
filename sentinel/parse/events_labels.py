"""What a line looks like on its own: the head of an event, a part of one, or neither. As data, to be read by `events`.

A label says nothing about where a line belongs: that depends on the lines before it.
"""

import re
from typing import Final

import polars as pl

from sentinel.parse import whole

__all__ = ["BLOCK", "STAMPED_FRAME", "Label", "labels_of", "seen_twice"]


class Label:
    """What a line looks like: numbers, and no enumeration, whose members cost a line seven times as much."""

    FREE: Final = 0  # nothing that is known
    HEAD: Final = 1  # begins with a time: whatever has none behind it belongs to it
    LEVEL: Final = 2  # begins with a level, without a time
    WHOLE: Final = 3  # an event for itself, of which nothing can follow: a JSON object, a request
    PART: Final = 4  # never the beginning of an event: indented, a frame of a stack, a cause
    ERROR: Final = 5  # the name of an exception, perhaps with its text
    CRASH: Final = 6  # the first line of what a runtime prints when a program dies
    TRACE: Final = 7  # Python's `Traceback`, which an exception of its own may follow
    CHAIN: Final = 8  # Python's sentence between two tracebacks
    UNTOLD: Final = 9  # a head whose level and message stand in the next line (java.util.logging)
    RULER: Final = 10  # a line without letters and digits
    CALL: Final = 11  # looks like a call, as in Go's stacks
    CARET: Final = 12  # a pointer under a line of code
    STATEMENT: Final = 13  # the second line of an entry of MySQL's slow log, or the first where the time is left out
    SLOW: Final = 14  # the first line of one
    HANGING: Final = 15  # the first line of a crash whose message is the next one
    KEY: Final = 16  # the first line of a private key, and
    KEY_END: Final = 17  # the last line of one
    BLANK: Final = 18  # nothing, in a frame
    BLOCK: Final = 19  # the first line of an alert, or of what is read whole: all up to the next belongs to it


BLOCK: Final = rf"^\*\* Alert [0-9]{{10}}\.[0-9]+:|{whole.BEGIN}"
"""Of OSSEC, https://www.ossec.net/docs/docs/formats/alerts.html, and those that are read whole."""
_DATE: Final = (  # the examples behind the patterns are what they are for
    r"\d{4}[-/.]\d{2}[-/.]\d{2}[T _\t:,;-]{1,2}\d{1,2}[:.]\d{2}"  # 2026-03-04T10:00
    r"|\d{8}[T-]\d{6}|\d{6,8}[T -] ?\d{1,2}:\d{1,2}:\d{1,2}"  # 20260304T100000, 260304 10:00:00
    r"|\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z\u00c0-\u017f]{3,9}\.?)[-/. ]\d{2,4}"  # 4/Mar/26:10:00
    r"(?:[ T:,;\t]{1,2}| --? )\d{1,2}:\d{2}"
    r"|\d{2}[A-Z][a-z]{2}\d{4} \d{2}:\d{2}"  # 04Mar2026 10:00
    r"|[A-Za-z\u00c0-\u017f]{3,9}\.? {1,2}\d{1,2}(?:,? \d{4})?,? \d{1,2}:\d{2}"  # Mar  4 10:00, Mar 04, 2026 9:00
)
_HEADS: Final = (
    r"^(?: ?[^\s\w]{0,3})(?:\S{1,40}[ \t]+){0,3}[^\s\w]{0,3}(?:" + _DATE + r")"
    r"|^\"?[A-Za-z]{1,11} ?[|;,] ?\"?(?:" + _DATE + r")"  # a level in a column of its own
    r"|^\[?\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?[\] |,-]"  # a time alone
    r"|^\[?1\d{9}(?:[.,]\d+)?[\] \t]|^1\d{12}[ \t]|^1\.\d+e\+09\t"  # seconds or milliseconds since 1970
    r"|^[IWEF]\d{4} \d{2}:\d{2}:\d{2}|^\d{1,7}:signal-handler \(\d{10}\)"  # klog; Redis
    r"|^\[ *\d{1,7}\.\d{6}\]|^<\d{1,3}>|^type=[A-Z_]+ msg=audit"
    r"|^\[[DIWECF] \d{2}|^__CURSOR="  # Tornado; an entry of journald's export
    r"|^!(?:ENTRY|SESSION) |^<(?:record|log4j:event|Event)(?: [^>]*)?>\s*$|^<msg time="  # Eclipse; events as XML
)
_LEVELS: Final = (
    r"^[\[<(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE|ALERT|EMERG|PANIC)"
    r"(?:[\])>]|[ \t:|/])"
    r"|^[\[<(]?(?:trace|trce|debug|dbug|info|notice|warn|warning|error|fail|fatal|critical|crit)(?:[\])>]|:|\[\d)"
    r"|^(?:\d{1,9} +)?\[[^\]]{1,60}\] (?:TRACE|DEBUG|INFO|WARN|ERROR) +[\w.$]+ "  # slf4j-simple, log4j's TTCC
    r"|^Log[A-Z]\w*: (?:Fatal|Error|Warning|Display|Verbose|VeryVerbose): "  # Unreal Engine, before its clock runs
    r"|^PHP (?:Notice|Warning|Deprecated|Parse error|Fatal error): "
    r"|^[\w.-]+=(?:\"[^\"]*\"|\S*) [\w.-]+="  # logfmt
)
_WHOLES: Final = (
    r"^\{.*\}\s*$"
    r"|^(?:CEF|LEEF):\d|^#[A-Z]\w+: |^(?:START|END|REPORT) RequestId: |^INIT_START Runtime "
    r"|^\S+ \S+ \S+ \[\d{2}/[A-Z][a-z]{2}/\d{4}:[^\]]*\] \""  # a request in the common form
)
_PARTS: Final = (
    r"^(?:\t| {2}| [^\s\d\[<*])"
    r"|^[}\])][\s}\]),;]*$|^[}\])],? |^\"[}\])]|^\"[^\"]*\"[ \t]*:"
    r"|^(?:Caused by|Suppressed|Wrapped by|Nested by|Stack trace|Backtrace|stack backtrace|Call Trace)\b"
    r"|^\.\.\. \d+ |^#\d+[ \t]|^at \S+[.(]|^\[(?:stacktrace|previous exception|cause)\]"
    r"|^(?:\[[^\]]{10,40}\] )?PHP (?:Stack trace:| +\d+\. )"
    r"|^goroutine \d+ |^created by |^exit status \d|^\[signal |^note: (?:run with|Some details)"
    r"|^--- End of |^---> |^Node\.js v\d|^\(Use `node|^rax +0x|^-->|^End-Date: |^</[\w:.-]+>\s*$|^\]\]>|^<log4j:[^e]"
)
_ERRORS: Final = (
    r"^(?:Uncaught )?(?:[A-Za-z_$][\w$]*(?:\.|\\|::))*[A-Z][\w$]*"
    r"(?:Error|Exception|Throwable|Failure|Fault|Interrupt|Exit|Timeout|NotFound|Refused|Denied)[0-9]?(?:Exception)?"
    r"(?::|$| \(| \[)"
    r"|^(?:[a-z_$][\w$]*\.){2,}[A-Z][\w$]*(?:: |$)|^Error: |^Exception: |^\*\* \([A-Z]"
)
_CRASHES: Final = (
    r"^(?:panic: |fatal error: |Exception in thread |thread '[^']*'(?: \(\d+\))? panicked at |Unhandled exception|"
    r"terminate called |Segmentation fault|SIG[A-Z]{3,5}: |==\d+==ERROR|\*\*\* [A-Z])"
)

_STACKED: Final = r"^\[?(?:" + _DATE + r").{0,80}?[\t ]{2,20}(?P<frame>at [\w.$<>`\[\], ]{1,200}\()"
"""A frame of a stack behind a head that repeats that of the line before: it begins nothing."""
_UNTOLD: Final = (
    rf"^(?:{_DATE})(?::\d{{2}})?(?:[.,]\d+)?(?: [AP]M)?(?:Z| [A-Z]{{2,5}})? (?:\[[^\]]+\] )?(?:[\w$]+\.)+[\w$]+"
    r"(?: [\w$<>]+|\(\))\s*$"
)
"""java.util.logging's head, and tinylog's: a class and a method, and nothing behind."""
_QUICK: Final = r"^\[?\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}|^[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} "
"""The heads that most lines have, found in a tenth of the time."""
_LOOKS: Final[tuple[tuple[int, str], ...]] = (
    (Label.HEAD, _QUICK),
    (Label.BLANK, r"^[ \t]*$"),
    (Label.BLOCK, f"{BLOCK}|{whole.CRASH}"),
    (Label.KEY, r"^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY"),
    (Label.KEY_END, r"^-----END "),
    (Label.SLOW, r"^# Time: "),
    (Label.STATEMENT, r"^# User@Host: "),
    (Label.WHOLE, _WHOLES),
    (Label.HEAD, r"^(?: {11}| {20})(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) "),  # rich, which shows a time once
    (Label.HEAD, r"^ {1,4}(?:trace|debug|info|warning|error) \d{4}-\d{2}-\d{2} \d{2}:"),  # AnyDesk
    (Label.CARET, r"^\s+[\^~]+\s*$"),
    (Label.PART, _PARTS),
    (Label.CHAIN, r"^(?:During handling of the above exception|The above exception was the direct cause)"),
    (Label.TRACE, r"^Traceback \(most recent call last\)"),
    (Label.UNTOLD, _UNTOLD),
    (Label.HEAD, _HEADS),
    (Label.HANGING, r"^thread '[^']*'(?: \(\d+\))? panicked at [^']*:$"),
    (Label.CRASH, _CRASHES),
    (Label.ERROR, _ERRORS),
    (Label.LEVEL, _LEVELS),
    (Label.RULER, r"^[^\w{\[(\"']+$"),
    (Label.CALL, r"^[\w./*(){}\[\]$·~%@-]+\(.*\)$|^[\w.-]+/[\w./-]+\.\(?\*?\w[\w).$-]*$"),
)


_ASCII: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t", "D": "", "W": "", "S": ""}


def _plain(pattern: str) -> str:
    """The pattern with `\\d`, `\\w` and `\\s` for ASCII alone: all of Unicode takes ten times as long."""
    whole, is_class, escaped = "", False, False
    for one in pattern:
        if escaped:
            kind = _ASCII.get(one.lower()) if one in "dwsS" else None
            is_not = "^" if one.isupper() else ""
            whole += f"\\{one}" if kind is None else kind if is_class else f"[{is_not}{kind}]"
            escaped = False
            continue
        escaped = one == "\\"
        if not escaped:
            is_class = (is_class or one == "[") and one != "]"
            whole += one
    return whole


_PATTERNS: Final = [(label, _plain(look)) for label, look in _LOOKS]
_HEAD_ALONE, _FRAME_STAMPED = _plain(_UNTOLD), _plain(_STACKED)
STAMPED_FRAME: Final = re.compile(_FRAME_STAMPED)
"""The same, with where the frame begins."""


def labels_of(texts: pl.Series) -> pl.Series:
    """The label (UInt8) of each text, by its beginning alone."""
    labels = pl.Series("label", [Label.FREE], dtype=pl.UInt8).new_from_index(0, len(texts))
    left = pl.DataFrame({"at": pl.int_range(len(texts), dtype=pl.UInt32, eager=True), "text": texts})
    for label, look in _PATTERNS:
        is_it = left["text"].str.contains(look)
        if is_it.any():
            labels = labels.scatter(left.filter(is_it)["at"], label)
            left = left.filter(~is_it)
    return labels


def seen_twice(texts: pl.Series, labels: pl.Series) -> pl.Series:
    """The labels of lines in their order, two kinds of them put right that begin as heads do: few lines are asked."""
    is_head = labels == Label.HEAD
    begun = ((labels == Label.BLOCK) & texts.str.starts_with("# ") & (texts.shift(1) == "#")).arg_true()
    if len(begun):  # a JVM's crash, which has a line above it
        labels = labels.scatter(begun, Label.PART).scatter(begun - 1, Label.BLOCK)
    for label, look, asked in (
        (Label.UNTOLD, _HEAD_ALONE, is_head & (labels.shift(-1) == Label.LEVEL).fill_null(value=False)),
        (Label.PART, _FRAME_STAMPED, is_head & texts.str.contains(" at ", literal=True)),
    ):
        rows = asked.arg_true()
        if len(rows):
            found = rows.filter(texts[rows].str.contains(look))
            labels = labels.scatter(found, label)
    return labels
