"""The tokens that stand before a message, whatever the format: levels, ids, threads, loggers, places in code, pairs."""

import re
from collections.abc import Mapping
from typing import Final

from sentinel.parse.tokens_levels import END, UP, WORDS

__all__ = [
    "BRACKET",
    "CLASS_BEHIND",
    "CLASS_ON_THREAD",
    "CODE",
    "CODE_NUMBER",
    "DATABASE",
    "DOTTED",
    "EXCEPTION",
    "IN_CONTEXT",
    "LAGER",
    "NAMED",
    "NAME_PID",
    "NOTHING",
    "NUMBER",
    "PAIRS",
    "PLAIN_NUMBER",
    "PROGRAM",
    "REQUEST",
    "SEPARATORS",
    "SNAKE",
    "SPAN",
    "TABBED",
    "THREAD_ID",
    "THREAD_WORD",
    "WORD_BEFORE_LEVEL",
    "any_of",
    "is_class",
    "is_id",
    "is_marked",
    "is_name",
    "is_pairs",
    "is_thread",
]

SEPARATORS: Final = re.compile(
    r"(?:[ \t]+|[-=>]>|[|:;,>\])]+(?=[ \t\[|]|$)|::+|-{1,2}(?=[ \t|]|$)|---(?=[ \t]+[\[({])|:(?=[A-Z]{4,8}:)|\|"
    r"|(?:[^\x00-\x7f\w]|\u2139)\ufe0f?(?=[ \t]))+"
)
"""What parts tokens: blanks, dashes, bars, and the signs that are there for their looks, as in `› ✖  error`."""
BRACKET: Final = re.compile(
    r"\[(?P<a>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)?)\]:?|\((?P<b>[^()]*)\):?|\{(?P<c>[^{}]*)\}:?|<(?P<d>[^<> ]*)>:?"
)
NUMBER: Final = re.compile(
    r"#[0-9]{1,8}(?=\])|(?:#|0x)?(?=[A-Fa-f]{0,16}[0-9])[0-9A-Fa-f]{1,20}(?::[A-Z]|#[0-9]+)?(?=\|[A-Za-z]|: (?:[a-z]+|[A-Z]+) ?: |[ \t]+(?:\[|\(|\|[ "
    r"\t]*[A-Za-z\[]|---?[ \t]|- |(?:"
    rf"{UP}){END}|[A-Za-z_][\w.$/-]*(?: *:| *\[|  | - |\t)"
    rf"|[A-Za-z_]\w*(?:\.\w+)+ |0x|[*#.-] |[0-9]+ +(?:{UP}){END}|(?:{UP}){END}|\w+ +[\w.]+: )|:? ?(?:\[|\())"
)
"""A process or thread: digits with more of a header behind."""
PLAIN_NUMBER: Final = re.compile(r"[#0-9][0-9:-]*(?::[A-Z])?(?=\s|$)")
"""A process before the time."""
CODE_NUMBER: Final = re.compile(r"[A-Z]{1,6}[_-]?[0-9]{1,8}(?=[ \t|;,])")
"""The code of a message, before the time: `GW-0107`."""
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
LAGER: Final = re.compile(r"@(?P<name>[a-z]\w*):(?P<function>\w+(?:/[0-9]+)?):(?P<line>[0-9]+)(?=[ \t])")
"""Erlang's `<0.12.0>@ejabberd_listener:accept:12`."""
DOTTED: Final = re.compile(r"(?P<name>[A-Za-z_][\w$]*(?:\.[A-Za-z_$<][\w$<>-]*){2,})(?=[ \t])")
"""A logger by its dots alone: two of them, and no number between."""
CLASS_BEHIND: Final = re.compile(r":? +(?:[a-z]\w*\.){1,8}[A-Z][\w$]*(?=[ :])")
"""A class behind a bracket: then that names a thread, though there are words in it."""
CLASS_ON_THREAD: Final = re.compile(
    r"(?P<name>[A-Za-z_]\w*(?:(?:\.|::)[A-Za-z_]\w*)+|(?:[A-Z][a-z]+){2,})[ \t]+\[(?P<thread>[^\[\]]+)\]: "
)
"""A class, and the thread that it runs on in brackets."""
THREAD_WORD: Final = re.compile(
    r"(?P<thread>main|[A-Za-z][\w.-]*-[0-9]+(?:-[\w]+)*)[ \t]+(?=[\[(][A-Za-z_][\w.$:-]*[\])]:? |-{1,2} )"
)
"""A thread without brackets, between a level and a logger that has them, or a dash."""
IN_CONTEXT: Final = re.compile(
    r"(?P<name>[A-Za-z_]\w*(?:\.\w+)*\.[A-Z][\w$]*|[a-z]\w*(?:\.[A-Z]\w*)+)"
    r"(?P<context>(?: +(?:\[[^\[\]]{0,80}\]|\([^()]{0,80}\)|[^\s\[\](){}]*[0-9=_/:-][^\s\[\](){}]*)){1,3}):? +-{1,2} "
)
"""A class with what log4j's diagnostic context, or a place in code, puts between it and the dash before the message."""
NAMED: Final = re.compile(
    r"(?P<name>(?:[a-z]\w*:){2}[a-z]\w*(?=: )|#?[A-Za-z_$][\w$.@/+<>\\-]*(?:::[\w<>]+)*(?:\[[0-9]{1,7}\])?)(?P<line>[:@][0-9]+|#[\w<>$]+(?::[0-9]+)"
    r"?|:[A-Za-z_<][\w>]*(?::[0-9]+)?|\([\w<>$]+\):[0-9]+)?"
    r"(?:(?P<mark>:)(?=[ \t]|$)| +(?P<mark2>- |: |\| |\|$|:$|-$|\[[^\[\]]*\] +- )|(?P<mark3>\|)|(?P<mark4>\t+)|("
    r"?P<mark5>\])|(?P<mark6>  +)(?=[\w./]+\.\w+[:(]))"
)
"""A name marked off from what follows."""
_LISTED: Final = re.compile(r" *[^,\s]+, [A-Za-z_]\w*: ")
"""What follows a name that is the first of several with their values: EMQX's `tag: AUTHN, clientid: c1`."""
EXCEPTION: Final = re.compile(
    r".*(?:Exception|[Ee]rror|[Ff]ailure|[Ff]ailed|exception)|[A-Z][a-z]+(?:ed|ing)|Errno::\w+"
)
"""What a message begins with, rather than the name of a logger."""
_PATH: Final = re.compile(
    r".*/[^/]*\.(?:xml|json|ya?ml|toml|html?|css|txt|log|conf|cfg|ini|csv|sh|gz|zip|tar|png|jpe?g|svg|pdf|lock)"
)
"""A file that a message tells of; places in code are CODE."""
_NO_NAMES: Final = frozenset(
    {"msg", "message", "error", "err", "note", "reason", "http", "https", "usage", "hint", "caution", "cause", "flag"}
)
NAME_PID: Final = re.compile(r"(?:(?P<name>[A-Za-z][\w.-]*)/)?(?P<pid>[0-9]+)(?:\.[0-9]+)?(?: on (?P<host>[^ ]+))?")
"""pino's `(shop/18788 on web1)`, of which name and host may be left out."""
PROGRAM: Final = re.compile(
    r"(?:(?P<host>[A-Za-z0-9][\w.-]*) )?(?P<name>[A-Za-z_][\w./@-]*)\[(?P<pid>[0-9][0-9:]*)\]:?(?=[ \t])"
)
"""A program with its process: `hostd[12]`, `web1 systemd[1]:`."""
DATABASE: Final = re.compile(r"(?P<name>[\w?-]+) (?=[A-Za-z_]\w*(?:\.\w+)+: )")
"""Odoo's database, between the level and the logger."""
WORD_BEFORE_LEVEL: Final = re.compile(
    r"(?P<name>[A-Za-z_][\w.$/:@-]*)(?:[ \t]*\[(?P<pid>[0-9]+)\])?(?:[ \t]*[:|-])?[ \t]+"
    rf"(?=%[A-Z]|%\$ VDC-|[\[(<|]? ?(?:{UP})(?:[ \t\]>)|:/]|$)|\[(?:(?i:{WORDS})|[TDIWEFC]) *\])"
)
PAIRS: Final = re.compile(r"([A-Za-z_][\w.-]*)[=:] ?(\"[^\"]*\"|[^\s,;]*)[,; ]*")

TABBED: Final = re.compile(r"(?P<name>[A-Za-z_][\w.$/-]*(?: [A-Za-z_][\w.$/-]*){0,2})\t+")
"""A column between tabs, perhaps of several words."""
SNAKE: Final = re.compile(r"_{0,2}[a-z0-9]+(?:_[a-z0-9]+)+")
NOTHING: Final = frozenset({"-", "local", "unknown", "null", "none", "N/A"})
_ID: Final = re.compile(
    r"(?i:(?:p?id|tid|pid:tid|process|thread|p|t|#|ppid|proc|conn|session|cpu)[ :=#-]?)*[0-9a-fx.,:/#+ @T-]*(?:s"
    r"|ms|us|kB|MB)?"
)
_HEX: Final = re.compile(r"[0-9a-fA-F-]{8,}|(?i:req)[-#]\S+|[A-Za-z0-9+/_-]{20,}={0,2}")
_THREAD: Final = re.compile(
    r"T[0-9]+|(?i:main|shard +[0-9].*|t:[0-9]+|.*thread.*|.*(?:worker|pool|exec|executor|scheduler|timer|task|listener|conn|dispatcher|reactor|n"
    r"io|qtp|loop|background|consumer|http)[\w.]*[-_: #]?[0-9].*"
    r"|(?:nio|qtp|pool|http|ajp|eventloop|vert\.x|forkjoin|epoll|catalina|lettuce|kafka|quartz|rmi|grpc|def"
    r"ault task|ajp|async|backgr|asyncio|mainprocess|forkpool)[\w.@/:#, -]*|.*[-#_ ][0-9]+(?:[-_][0-9]+)*)"
)
_CLASS: Final = re.compile(
    r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+[A-Za-z_]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}(?:\.[0-9]+)?"
    r"|(?:[A-Z][a-z]+){2,}(?<!Thread)(?<!Process)(?<!Worker)(?<!Executor)(?<!Main)"
)
"""A class or a logger, though a thread could be called so."""
_NAME: Final = re.compile(r"[A-Za-z_$.][\w$.:/@,#+<>*-]*(?:[0-9 ]{0,5})?(?: :?[0-9]+)?")


def is_marked(found: re.Match[str], *, has_level: bool) -> bool:
    """Whether what NAMED found is a name that something is said under, and no beginning of a message."""
    name = found["name"]
    if (
        name.lower() in _NO_NAMES
        or (_PATH.fullmatch(name) and not found["line"])
        or not (has_level or found["mark2"] or found["mark3"])
    ):
        return False
    if found["mark"] and _LISTED.match(found.string, found.end()):
        return False
    is_column = found["mark3"] or found["mark4"] or (found["mark2"] or "").startswith("|")
    return bool(found["line"] or is_column) or not EXCEPTION.fullmatch(name)


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


def is_class(text: str) -> bool:
    """Whether a name is that of a class or a dotted logger."""
    return _CLASS.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a text can be a logger: one word, with dots, slashes or colons."""
    return _NAME.fullmatch(text) is not None


def any_of(groups: Mapping[str, str], *kinds: str) -> str:
    """The group of these kinds that was found; alternatives of one pattern number theirs: `name`, `name2`."""
    return next(value for kind in kinds for name, value in groups.items() if name.rstrip("2345") == kind)


def is_pairs(text: str) -> bool:
    """Whether a text is nothing but pairs: `trace_id=1 span_id=2`, `c:shop s:shard1`."""
    end = count = 0
    while end < len(text):
        found = PAIRS.match(text, end)
        if found is None or not found[2]:
            return False
        end, count = found.end(), count + 1
    return count > 1 or (count == 1 and ("=" in text or text[1] == ":"))
