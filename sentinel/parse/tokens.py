"""The tokens that stand before a message, whatever the format: levels, ids, threads, loggers, places in code, pairs."""

import re
from collections.abc import Mapping
from typing import Final

from sentinel.parse.levels import LEVEL_OF_WORD

__all__ = [
    "BARE_LEVEL",
    "BRACKET",
    "CISCO",
    "CODE",
    "COLUMNS",
    "DATABASE",
    "DOTTED",
    "EXCEPTION",
    "LATE_BRACKET",
    "LATE_LEVEL",
    "LATE_WORD",
    "LETTER",
    "LEVEL",
    "LEVEL_AFTER_NAME",
    "LEVEL_PAIR",
    "LEVEL_WITH_NAME",
    "NAMED",
    "NAME_PID",
    "NOTHING",
    "NUMBER",
    "OF_CODE",
    "PADDED_LEVEL",
    "PAIRS",
    "PHP",
    "PHP_LEVELS",
    "PLAIN_NUMBER",
    "PROGRAM",
    "REQUEST",
    "SEPARATORS",
    "SNAKE",
    "SPAN",
    "THREAD_ID",
    "THREAD_LEVEL",
    "UNPROSAIC",
    "WORD_BEFORE_LEVEL",
    "any_of",
    "is_apart",
    "is_id",
    "is_marked",
    "is_name",
    "is_pairs",
    "is_thread",
]

_UPPER: Final = (
    "TRACE DEBUG INFO NOTICE WARN WARNING ERROR ERR FATAL CRITICAL CRIT SEVERE ALERT EMERG EMERGENCY PANIC FINE "
    "FINER FINEST "
    "DDEBUG SUBDEBUG CONFIG VERBOSE SUCCESS DBG INF WRN TRC FTL VRB INFORMATION DEPRECATED DPANIC NOTE AUDIT CRT ERRO DEBU FATA"
).split()
_LOWER: Final = (
    "trace debug info notice warn warning error err fatal critical crit severe alert emerg emergency panic "
    "verbose silly dbg inf "
    "wrn trc ftl information note noti erro log log success debu fail dbug trce crit succ "
    "debug1 debug2 debug3 debug4 debug5"
).split()
_END: Final = r"(?![A-Za-z0-9_.])"
_UP: Final = "|".join(sorted(_UPPER, key=len, reverse=True))
_WORDS: Final = "|".join(sorted((word for word in LEVEL_OF_WORD if len(word) > 2), key=len, reverse=True))
_LOW: Final = "|".join(sorted({*_LOWER, *(w.capitalize() for w in _LOWER)}, key=len, reverse=True))

LEVEL: Final = re.compile(
    rf"(?:##)?[\[(<{{][ \t]*(?P<a>(?i:{_WORDS})|[VDIWEFCTN]|II|WW|EE)[ \t]*[\])>}}]:?"
    rf"|(?P<b>{_UP}|LOG(?=:| *\[)){_END}:?"
    r"|(?P<d>http)(?=: (?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) ):"
    rf"|(?P<c>{_LOW})(?=::|:[ \t]|[|\],]|\t| ?\||  | - | ?\[)(?![A-Za-z0-9_]):{{0,2}}"
)
"""A level in a notation that leaves no doubt: in brackets, in capitals, or marked off behind."""
BARE_LEVEL: Final = re.compile(rf"(?P<a>{_LOW})(?=[ \t]|$)")
"""A level in small letters, told only by its place behind the time."""
_STRIPPED: Final = frozenset(
    "trace debug info notice warn warning verbose silly dbg inf wrn trc ftl information".split()
)
_AFTER_BARE: Final = re.compile(r"[ \t](?P<name>[A-Za-z_][\w.]*) ?: ")
LETTER: Final = re.compile(r"(?P<a>[VDIWEFCTAvdiwefct])(?=,? +[\[(]|/| +[A-Za-z_-]|  |!? +\[| \||! )!?")
"""One letter for a level, told by its place beside the time."""
LEVEL_PAIR: Final = re.compile(r"(?i:level|lvl|loglevel|severity)=\"?(?P<level>[A-Za-z]+)\"?(?P<name>)")
LEVEL_WITH_NAME: Final = re.compile(
    rf"(?P<level>{_UP})/(?P<thread>[A-Za-z][\w.-]*)|:?(?P<level2>{_UP}) ?:(?P<name>[A-Za-z_][\w.]*):(?:[\w-]+:(?"
    r"= ))?(?P<name2>)"
    rf"|(?P<level3>information|debug|notice|warning|critical)/(?P<name3>[A-Z][\w.-]*): "
    rf"|(?P<name4>[A-Za-z][\w-]*):(?P<level4>{_LOW})(?=[ \t]+\[|[ \t]{{2}})"
)
LEVEL_AFTER_NAME: Final = re.compile(
    rf"(?P<name>[A-Za-z][\w-]*)\.(?P<level>{_UP}):"
    rf"|(?P<name2>[a-z][\w-]*)(?:\([^()]*\))?(?:<[^<>]*>)*: (?P<level2>(?i:{_WORDS})): "
    rf"|(?P<name3>[A-Za-z][\w./-]*)\[(?P<level3>{_UP})\]: "
)
"""`request.CRITICAL:` of Monolog, `imap(ann)<77><a1>: Error: ` of Dovecot, `util.py[DEBUG]: ` of cloud-init."""
PHP: Final = re.compile(
    r"(?:PHP )?(?P<a>Fatal error|Parse error|Recoverable fatal error|Warning|Notice|Deprecated|Strict Standards|"
    r"Core Warning):[ \t]+"
)
PHP_LEVELS: Final = {
    "Warning": "warn", "Core Warning": "warn", "Notice": "info", "Deprecated": "warn", "Strict Standards": "info",
}  # fmt: skip
CISCO: Final = re.compile(
    r"%(?P<name>[A-Z][A-Z0-9_]*(?:-[A-Z][A-Z0-9_]*)*)-(?P<level>[0-7])-(?P<code>[A-Za-z0-9_]+)[: ]+"
)

SEPARATORS: Final = re.compile(
    r"(?:[ \t]+|[-=>]>|[|:;,>\])]+(?=[ \t\[|]|$)|::+|-{1,2}(?=[ \t|]|$)|---(?=[ \t]+[\[({])|:(?=[A-Z]{4,8}:)|\|"
    r"|(?:[^\x00-\x7f\w]|\u2139)\ufe0f?(?=[ \t]))+"
)
"""What parts tokens: blanks, dashes, bars, and the signs that are there for their looks, as in `› ✖  error`."""
BRACKET: Final = re.compile(
    r"\[(?P<a>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)?)\]:?|\((?P<b>[^()]*)\):?|\{(?P<c>[^{}]*)\}:?|<(?P<d>[^<> ]*)>:?"
)
NUMBER: Final = re.compile(
    r"(?:#|0x)?(?=[A-Fa-f]{0,16}[0-9])[0-9A-Fa-f]{1,20}(?::[A-Z]|#[0-9]+)?(?=\|[A-Za-z]|: (?:[a-z]+|[A-Z]+) ?: |[ \t]+(?:\[|\(|\|[ "
    r"\t]*[A-Za-z\[]|---?[ \t]|- |(?:"
    rf"{_UP}){_END}|[A-Za-z_][\w.$/-]*(?: *:| *\[|  | - |\t)"
    rf"|[A-Za-z_]\w*(?:\.\w+)+ |0x|[*#.-] |[0-9]+ +(?:{_UP}){_END}|(?:{_UP}){_END}|\w+ +[\w.]+: )|:? ?(?:\[|\())"
)
"""A process or thread: digits with more of a header behind."""
PLAIN_NUMBER: Final = re.compile(r"[#0-9][0-9:-]*(?::[A-Z])?(?=\s|$)")
"""A process before the time."""
REQUEST: Final = re.compile(
    r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|[0-9a-f]{16,64}|req-[0-9a-f-]+|-(?=\t))(?=[ \t\]])"
)
THREAD_ID: Final = re.compile(r"ThreadId\([0-9]+\)(?=[ \t])")
SPAN: Final = re.compile(r"(?:[\w.-]+\{[^{}]*\}:)+(?=[ \t]|[\w:]+: )")
CODE: Final = re.compile(
    r"(?P<file>[\w./@+$<>-]*\w\.(?:go|py|java|kt|scala|groovy|clj|m?[jt]sx?|c|cc|cpp|cxx|h|hpp|rs|rb|php|cs|fs|v"
    r"b|swift|mm?|exs?|erl|lua|pl|pm|sql|dart))"
    r"(?::(?P<line>[0-9]+)|\((?P<line2>[0-9]+)\)| (?P<line3>[0-9]+)(?=[:\]]|$))(?P<function>:[\w.<>$~*]+(?:\(\))?)?:?(?=[ \t|\]]|$)"
)
"""A place in code: `server.go:12`, `felix/client.go 356:`, `Pay.java:7:charge()`."""
DOTTED: Final = re.compile(r"(?P<name>[A-Za-z_][\w$]*(?:\.[A-Za-z_$<][\w$<>-]*){2,})(?=[ \t])")
"""A logger by its dots alone: two of them, and no number between."""
NAMED: Final = re.compile(
    r"(?P<name>#?[A-Za-z_$][\w$.@/+<>-]*(?:::[\w<>]+)*(?:\[[0-9]{1,7}\])?)(?P<line>[:@][0-9]+|#[\w<>$]+(?::[0-9]+)"
    r"?|:[A-Za-z_<][\w>]*(?::[0-9]+)?|\([\w<>$]+\):[0-9]+)?"
    r"(?:(?P<mark>:)(?=[ \t]|$)| +(?P<mark2>- |: |\| |\|$|:$|-$|\[[^\[\]]*\] +- )|(?P<mark3>\|)|(?P<mark4>\t+)|("
    r"?P<mark5>\])|(?P<mark6>  +)(?=[\w./]+\.\w+[:(]))"
)
"""A name marked off from what follows."""
_LISTED: Final = re.compile(r" *[^,\s]+, [A-Za-z_]\w*: ")
"""What follows a name that is the first of several with their values: EMQX's `tag: AUTHN, clientid: c1`."""
EXCEPTION: Final = re.compile(r".*(?:Exception|[Ee]rror|[Ff]ailure|[Ff]ailed|exception)|[A-Z][a-z]+(?:ed|ing)")
"""What a message begins with, rather than the name of a logger."""
_NO_NAMES: Final = frozenset(
    {"msg", "message", "error", "err", "note", "reason", "http", "https", "usage", "hint", "caution", "cause", "flag"}
)
LATE_LEVEL: Final = re.compile(
    r"(?P<words>(?:[^\s:]+[ \t]+){1,6})(?P<level>TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL): +"
)
"""A level behind words that are no prose: each has a number, a sign or a capital in it."""
LATE_BRACKET: Final = re.compile(rf"(?P<words>(?:[\w.]+=[^ ]* +){{1,8}})\[(?P<level>(?i:{_WORDS}))\]")
"""The same behind pairs: Elixir's `request_id=F1 [error]`."""
LATE_WORD: Final = re.compile(
    r"(?P<words>(?:[\w.$/@:-]+[ \t]+){1,3})(?P<level>TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)(?=[ \t])"
)
"""The same without a colon: then each word before it is one of code."""
OF_CODE: Final = re.compile(r"[0-9._/]|[a-z][A-Z]")
COLUMNS: Final = re.compile(rf"\"?[,;]\"?(?P<level>(?i:{_WORDS}))\"?[,;](?:\"?(?P<name>[A-Za-z_][\w.$]*)\"?[,;])?\"?")
"""Columns between commas or semicolons behind a time: level, perhaps logger."""
UNPROSAIC: Final = re.compile(r"[0-9A-Z=_/-]")
"""What a word of prose rarely has."""
THREAD_LEVEL: Final = re.compile(rf"(?P<thread>[^/]+)/(?P<level>{_UP})|(?P<name>[^#]+)#(?P<level2>{_LOW})")
"""Minecraft's `[Server thread/INFO]`, Twisted's `[shop.pay#info]`."""
NAME_PID: Final = re.compile(r"(?:(?P<name>[A-Za-z][\w.-]*)/)?(?P<pid>[0-9]+)(?: on (?P<host>[^ ]+))?")
"""pino's `(shop/18788 on web1)`, of which name and host may be left out."""
PADDED_LEVEL: Final = re.compile(rf"(?P<name>[A-Za-z][\w.]*) {{2,}}(?P<level>{_LOW}): ")
"""SQL Server's `Logon       Error: 18456`."""
PROGRAM: Final = re.compile(
    r"(?:(?P<host>[A-Za-z0-9][\w.-]*) )?(?P<name>[A-Za-z_][\w./@-]*)\[(?P<pid>[0-9][0-9:]*)\]:?(?=[ \t])"
)
"""A program with its process: `hostd[12]`, `web1 systemd[1]:`."""
DATABASE: Final = re.compile(r"(?P<name>[\w?-]+) (?=[A-Za-z_]\w*(?:\.\w+)+: )")
"""Odoo's database, between the level and the logger."""
WORD_BEFORE_LEVEL: Final = re.compile(
    r"(?P<name>[A-Za-z_][\w.$/:@-]*)(?:[ \t]*\[(?P<pid>[0-9]+)\])?(?:[ \t]*[:|-])?[ \t]+"
    rf"(?=%[A-Z]|[\[(<|]? ?(?:{_UP})(?:[ \t\]>)|:/]|$)|\[(?:(?i:{_WORDS})|[TDIWEFC])\])"
)
PAIRS: Final = re.compile(r"([A-Za-z_][\w.-]*)[=:] ?(\"[^\"]*\"|[^\s,;]*)[,; ]*")

SNAKE: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
NOTHING: Final = frozenset({"-", "local", "unknown", "null", "none", "N/A"})
_ID: Final = re.compile(
    r"(?i:(?:p?id|tid|pid:tid|process|thread|p|t|#|ppid|proc|conn|session|cpu)[ :=#-]?)*[0-9a-fx.,:/#+ @T-]*(?:s"
    r"|ms|us|kB|MB)?"
)
_HEX: Final = re.compile(r"[0-9a-fA-F-]{8,}|(?i:req)[-#]\S+|[A-Za-z0-9+/_-]{20,}={0,2}")
_THREAD: Final = re.compile(
    r"(?i:main|shard +[0-9].*|t:[0-9]+|.*thread.*|.*(?:worker|pool|exec|executor|scheduler|timer|task|listener|conn|dispatcher|reactor|n"
    r"io|qtp|loop|background|consumer|http)[\w.]*[-_: #]?[0-9].*"
    r"|(?:nio|qtp|pool|http|ajp|eventloop|vert\.x|forkjoin|epoll|catalina|lettuce|kafka|quartz|rmi|grpc|def"
    r"ault task|ajp|async|backgr|asyncio|mainprocess|forkpool)[\w.@/:#, -]*|.*[-#_ ][0-9]+(?:[-_][0-9]+)*)"
)
_CLASS: Final = re.compile(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+[A-Za-z_]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}(?:\.[0-9]+)?"
    r"|(?:[A-Z][a-z]+){2,}(?<!Thread)(?<!Process)(?<!Worker)(?<!Executor)(?<!Main)"
)
"""A class or a logger, though a thread could be called so."""
_NAME: Final = re.compile(r"[A-Za-z_$.][\w$.:/@,#+<>*-]*(?:[0-9 ]{0,5})?(?: :?[0-9]+)?")


def is_apart(level: re.Match[str]) -> bool:
    """Whether a BARE_LEVEL is no word of the message: by the word, or by the logger behind it (`Error HttpServer: `)."""
    word, after = level["a"], _AFTER_BARE.match(level.string, level.end())
    is_logger = after and (OF_CODE.search(after["name"]) or (word.istitle() and after["name"][0].isupper()))
    return word.lower() in _STRIPPED or bool(is_logger)


def is_marked(found: re.Match[str], *, has_level: bool) -> bool:
    """Whether what NAMED found is a name that something is said under, and no beginning of a message."""
    name = found["name"]
    if name.lower() in _NO_NAMES or not (has_level or found["mark2"] or found["mark3"]):
        return False
    if found["mark"] and _LISTED.match(found.string, found.end()):
        return False
    return bool(found["line"] or found["mark4"]) or not EXCEPTION.fullmatch(name)


def is_id(text: str) -> bool:
    """Whether what stands in brackets names a process, a thread, a request, by number."""
    return (
        not text
        or (any(c.isdigit() or c == "-" for c in text) and _ID.fullmatch(text) is not None)
        or (len(text) >= 6 and any(c.isdigit() for c in text) and _HEX.fullmatch(text) is not None)
    )


def is_thread(text: str) -> bool:
    """Whether a name is one that threads have."""
    return _THREAD.fullmatch(text) is not None and not _CLASS.fullmatch(text)


def is_name(text: str) -> bool:
    """Whether a text can be a logger: one word, with dots, slashes or colons."""
    return _NAME.fullmatch(text) is not None


def any_of(groups: Mapping[str, str], *kinds: str) -> str:
    """The group of these kinds that was found; alternatives of one pattern number theirs: `name`, `name2`."""
    return next(value for kind in kinds for name, value in groups.items() if name.rstrip("234") == kind)


def is_pairs(text: str) -> bool:
    """Whether a text is nothing but pairs: `trace_id=1 span_id=2`, `c:shop s:shard1`."""
    end = count = 0
    while end < len(text):
        found = PAIRS.match(text, end)
        if found is None or not found[2]:
            return False
        end, count = found.end(), count + 1
    return count > 1 or (count == 1 and ("=" in text or text[1] == ":"))
