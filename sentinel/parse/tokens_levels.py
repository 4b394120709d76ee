"""The tokens of a head that tell its level: a word, a letter or a number, and what may stand beside it."""

import re
from typing import Final

from sentinel.parse.levels import LEVEL_OF_WORD

__all__ = [
    "BARE_LEVEL",
    "CISCO",
    "COLUMNS",
    "END",
    "LATE_BRACKET",
    "LATE_LEVEL",
    "LATE_WORD",
    "LETTER",
    "LEVEL",
    "LEVEL_AFTER_NAME",
    "LEVEL_PAIR",
    "LEVEL_WITH_NAME",
    "OF_CODE",
    "OF_DNF",
    "OF_PROSE",
    "PADDED_LEVEL",
    "PHP",
    "PHP_LEVELS",
    "PIPES",
    "THREAD_LEVEL",
    "UNPROSAIC",
    "UP",
    "WORDS",
    "is_apart",
]

_UPPER: Final = (
    "TRACE DEBUG INFO NOTICE WARN WARNING ERROR ERR FATAL CRITICAL CRIT SEVERE ALERT EMERG EMERGENCY PANIC FINE FINER "
    "FINEST DDEBUG SUBDEBUG CONFIG VERBOSE SUCCESS DBG INF WRN TRC FTL VRB INFORMATION DEPRECATED DPANIC NOTE AUDIT "
    "CRT ERRO DEBU FATA "
    "WARNUNG FEHLER HINWEIS SCHWERWIEGEND ADVERTENCIA ADVERTÊNCIA AVISO AVERTISSEMENT ERREUR INFOS AVVERTENZA ERRORE GRAVE "
).split()
_LOWER: Final = (
    "trace debug info notice warn warning error err fatal critical crit severe alert emerg emergency panic verbose "
    "silly dbg inf wrn trc ftl information note noti erro log success debu fail dbug trce crit succ debug1 debug2 "
    "debug3 debug4 debug5 "
).split()
END: Final = r"(?![A-Za-z0-9_.])"
UP: Final = "|".join(sorted(_UPPER, key=len, reverse=True))
WORDS: Final = "|".join(sorted((word for word in LEVEL_OF_WORD if len(word) > 2), key=len, reverse=True))
_LOW: Final = "|".join(sorted({*_LOWER, *(w.capitalize() for w in _LOWER)}, key=len, reverse=True))

LEVEL: Final = re.compile(
    rf"(?:##)?[\[(<{{][ \t]*(?P<a>(?i:{WORDS})|[VDIWEFCTN]|II|WW|EE)[ \t]*[\])>}}]:?"
    rf"|[*!]{{1,3}}(?P<e>{UP})[*!]{{1,3}}(?=[ \t]|$)"
    rf"|(?P<b>{UP}|LOG(?=:| *\[)){END}:?"
    r"|(?P<d>http)(?=: (?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) ):"
    rf"|(?P<c>{_LOW})(?=::|:[ \t]|[|\],]|\t| ?\||  | - | ?\[)(?![A-Za-z0-9_]):{{0,2}}"
)
"""A level in a notation that leaves no doubt: in brackets, in capitals, or marked off behind."""
OF_DNF: Final = frozenset({"DDEBUG", "SUBDEBUG"})
"""Levels of dnf, which names no logger: what stands behind is the message."""
BARE_LEVEL: Final = re.compile(rf"(?P<a>{_LOW})(?=[ \t]|$)")
"""A level in small letters, told only by its place behind the time."""
_STRIPPED: Final = frozenset(
    "trace debug info notice warn warning verbose silly dbg inf wrn trc ftl information".split()
)
OF_PROSE: Final = frozenset({"log", "note", "success"})
"""Those that a message begins with as often."""
_AFTER_BARE: Final = re.compile(r"[ \t](?P<name>[A-Za-z_][\w.]*) ?: ")
LETTER: Final = re.compile(
    r"(?P<a>[VDIWEFCTAvdiwefct])(?=,? +[\[(]|/[A-Za-z][\w.-]{2,}| +[A-Za-z_-]|  |!? +\[| \||! |\t)!?"
)
"""One letter for a level, told by its place beside the time."""
LEVEL_PAIR: Final = re.compile(r"(?i:level|lvl|loglevel|severity)=\"?(?P<level>[A-Za-z]+)\"?(?P<name>)")
LEVEL_WITH_NAME: Final = re.compile(
    rf"(?P<level>{UP})/(?P<thread>[A-Za-z][\w.-]*)|:?(?P<level2>{UP}) ?:(?P<name>[A-Za-z_][\w.]*):(?:[\w-]+:(?"
    r"= ))?(?P<name2>)"
    rf"|(?P<level3>information|debug|notice|warning|critical)/(?P<name3>[A-Za-z][\w.-]*): "
    rf"|(?P<name4>[A-Za-z][\w-]*):(?P<level4>{_LOW})(?=[ \t]+\[|[ \t]{{2}})"
    r"|(?P<level5>[VDIWEF])/(?P<name5>[A-Za-z][\w.-]{2,})(?=[ :(\]]|$):?"
)
LEVEL_AFTER_NAME: Final = re.compile(
    rf"(?P<name>[A-Za-z][\w-]*)[./](?P<level>{UP})(?::|(?=[ \t]))"
    rf"|(?P<name2>[a-z][\w-]*|(?:[A-Z][a-z0-9]+){{2,}})(?:\([^()]*\))?(?:<[^<>]*>)*: (?P<level2>(?i:{WORDS})): "
    rf"|(?P<name3>[A-Za-z][\w./-]*)\[(?P<level3>{UP})\]: "
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
    r"(?:%\$ VDC-[0-9]+ %\$ +)?%(?P<name>[A-Z][A-Z0-9_]*(?:-[A-Z][A-Z0-9_]*)*)-(?P<level>[0-7])-(?P<code>[A-Za-z0-9_]+)[: ]+"
)

LATE_LEVEL: Final = re.compile(
    r"(?P<words>(?:[^\s:]+[ \t]+){1,6})(?P<level>TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL): +"
)
"""A level behind words that are no prose: each has a number, a sign or a capital in it."""
LATE_BRACKET: Final = re.compile(rf"(?P<words>(?:[\w.]+=[^ ]* +){{1,8}})\[(?P<level>(?i:{WORDS}))\]")
"""The same behind pairs: Elixir's `request_id=F1 [error]`."""
LATE_WORD: Final = re.compile(
    r"(?P<words>(?:[\w.$/@:-]+[ \t]+){1,3})(?P<level>TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)(?=[ \t])"
)
"""The same without a colon: then each word before it is one of code."""
OF_CODE: Final = re.compile(r"[0-9._/]|[a-z][A-Z]")
COLUMNS: Final = re.compile(rf"\"?[,;]\"?(?P<level>(?i:{WORDS}))\"?[,;](?:\"?(?P<name>[A-Za-z_][\w.$]*)\"?[,;])?\"?")
"""Columns between commas or semicolons behind a time: level, perhaps logger."""
UNPROSAIC: Final = re.compile(r"[0-9A-Z=_/-]")
"""What a word of prose rarely has."""
THREAD_LEVEL: Final = re.compile(
    rf"(?P<thread>[^/]+)/(?P<level>{UP})|(?P<name>[^#]+)#(?P<level2>{_LOW})"
    rf"|(?P<name2>[A-Za-z_][\w.-]*?) ?[.:|] ?(?P<level3>{UP})|(?P<level4>{UP}) ?[.:|/] ?(?P<name3>[A-Za-z_][\w.$-]*)"
)
"""Minecraft's `[Server thread/INFO]`, Twisted's `[shop.pay#info]`, `[shop:ERROR]`, `[ERROR/shop]`."""
PIPES: Final = re.compile(rf"[| ]*(?P<columns>(?:[^|\n]{{0,40}}\|){{1,4}}?) *(?:(?P<level>[DIWEFCV]|(?i:{WORDS}))) *\|")
"""Columns between bars, one of which is a level: Grid Engine's `|worker|web1|E|`."""
PADDED_LEVEL: Final = re.compile(rf"(?P<name>[A-Za-z][\w.]*) {{2,}}(?P<level>{_LOW}): ")
"""SQL Server's `Logon       Error: 18456`."""


def is_apart(level: re.Match[str]) -> bool:
    """Whether a BARE_LEVEL is no word of the message: by the word, or by the logger behind it (`Error HttpServer: `)."""
    word, after = level["a"], _AFTER_BARE.match(level.string, level.end())
    is_logger = after and (OF_CODE.search(after["name"]) or (word.istitle() and after["name"][0].isupper()))
    return word.lower() in _STRIPPED or bool(is_logger)
