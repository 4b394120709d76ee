"""Application logs: a time at the head, then level, logger, thread in the manners of log4j, Python and their kin."""

from typing import Final

from sentinel.parse import stamps
from sentinel.parse.levels import ANY_LEVEL, UPPER_LEVEL
from sentinel.parse.rules import DIGITS, LETTERS, UPPER, Rule

__all__ = ["BARE_RULES", "RULES"]

_UP: Final = rf"(?P<level>{UPPER_LEVEL})"
_ANY: Final = rf"(?P<level>{ANY_LEVEL})"
_THREAD: Final = r"\[(?P<thread>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]"
_LOGGER: Final = r"(?P<source>[A-Za-z_][A-Za-z0-9_.$/-]*)"
_DOTTED: Final = r"(?P<source>[A-Za-z_][A-Za-z0-9_$-]*(?:\.[A-Za-z0-9_$<>-]+)+)"
_CONTEXT: Final = r"(?:\[(?P<request>(?:req-[^\]]*|-[^\]]*))\] )?"  # OpenStack's request, user and project ids

LEVEL_FIRST: Final = (
    Rule("log4j", rf"^(?P<head>{_UP} +{_THREAD} +(?P<source>[^ :]+): ?)", UPPER),
    Rule(
        "spring",
        rf"^(?P<head>{_UP} +(?P<pid>[0-9]+) --- (?:\[[^\]]*\] )?\[ *(?P<thread>[^\]]*)\] {_LOGGER} *: ?)",
        UPPER,
    ),
    Rule("log4j", rf"^(?P<head>{_UP} +{_THREAD} +{_DOTTED} +(?:- )?)", UPPER),
    Rule("level", rf"^(?P<head>{_UP} +)[A-Za-z0-9_.$]*(?:Exception|[Ee]rror|[Ff]ailure|[Ff]ailed):", UPPER),
    Rule("level-logger", rf"^(?P<head>{_UP} +{_LOGGER}: )", UPPER),
    Rule("level-logger", rf"^(?P<head>{_UP} +{_LOGGER} +- )", UPPER),
    Rule("openstack", rf"^(?P<head>{_UP} {_DOTTED} {_CONTEXT})", UPPER),
    Rule("openstack", rf"^(?P<head>{_UP} {_LOGGER} \[(?P<request>req-[^\]]*)\] )", UPPER),
    Rule("level-logger", rf"^(?P<head>{_ANY}:{_LOGGER}:)", LETTERS),
    Rule("level-logger", rf"^(?P<head>{_UP} +\[(?P<source>[^\[\]]*)\]:? +(?:- )?)", UPPER),
    Rule("level", rf"^(?P<head>{_UP}(?: +[|-] +|: *| +))", UPPER),
)
BRACKET_LEVEL: Final = (
    Rule(
        "nginx-error",
        rf"^(?P<head>\[{_ANY}\] (?P<pid>[0-9]+)#(?P<tid>[0-9]+): (?:\*(?P<connection>[0-9]+) )?)",
        "[",
        "nginx",
    ),
    Rule("level-logger", rf"^(?P<head>\[ *{_ANY} *\] ?\[(?P<source>[A-Za-z_][^\[\]]*)\]:? *(?:- )?)", "["),
    Rule("level-logger", rf"^(?P<head>\[ *{_ANY} *\] {_DOTTED}: )", "["),
    Rule("level", rf"^(?P<head>\[ *{_ANY} *\]:? *(?:- )?)", "["),
    Rule("log4j", rf"^(?P<head>{_THREAD} +{_UP} +{_LOGGER}(?: +-|:)(?: |$))", "["),
    Rule("log4j", rf"^(?P<head>\[(?P<source>[^\[\]]*)\] \[ *{_ANY} *\]:? *(?:- )?)", "["),
    Rule("log4j", rf"^(?P<head>\[(?P<source>[^\[\]]*)\] +{_UP}(?:: *| +-? *))", "["),
)
_AFTER_TIME: Final = (
    *BRACKET_LEVEL,
    Rule("python", rf"^(?P<head>(?:[-|] )?{_LOGGER} +[-|] +{_ANY} +[-|] )", "-|" + LETTERS + "_"),
    Rule("python", rf"^(?P<head>{_LOGGER} +(?:\[(?P<pid>[0-9]+)\] )?{_UP}(?: +[-|] +|: *| +))", LETTERS + "_"),
    Rule("zookeeper", rf"^(?P<head>- {_UP} +\[(?P<thread>.*?):(?P<source>[A-Za-z0-9_.$]+)@(?P<line>[0-9]+)\] - )", "-"),
    Rule("loguru", rf"^(?P<head>\| {_UP} +\| (?P<source>[^ :|]+):(?P<function>[^ :]*):(?P<line>[0-9]+) - )", "|"),
    Rule("log4j", rf"^(?P<head>[-|] +{_UP} +[-|] +)", "-|"),
    Rule("process-level", rf"^(?P<head>(?P<pid>[0-9]+) {_UP} (?P<source>[^ :\[]+)(?:: ?| ){_CONTEXT})", DIGITS),
    Rule("mysql", r"^(?P<head>(?P<thread>[0-9]+) \[(?P<level>System|Note|Warning|ERROR)\] (?:\[(?P<code>MY-[0-9]+)\] "
         r"\[(?P<source>[^\]]+)\] )?)", DIGITS, "mysql"),
    Rule("postgres", r"^(?P<head>\[(?P<pid>[0-9]+)(?:-[0-9]+)?\]:? (?:(?P<user>[^ @]+)@(?P<database>[^ ]+) )?"
         rf"{_UP}: +)", "[", "postgres"),
    Rule("windows-cbs", rf"^(?P<head>{_ANY} {{2,}}(?P<source>[A-Z][A-Za-z]{{1,7}}) {{2,}})", LETTERS),
    *LEVEL_FIRST,
    Rule("level", rf"^(?P<head>{_ANY}:[ \t])", LETTERS),
    Rule("container", r"^(?P<head>(?P<stream>stdout|stderr) [FP] )", "s", rest=(*LEVEL_FIRST, *BRACKET_LEVEL)),
    Rule("host-program", r"^(?P<head>(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*) "
         r"(?P<source>[A-Za-z_][^ :\[\]]*)\[(?P<pid>[0-9]+)\]: )", LETTERS + DIGITS),
    Rule("separated", r"^(?P<head>[-|:] +)", "-|:"),
)  # fmt: skip

_TIMED: Final = (
    Rule("year-first", rf"^(?P<head>\[?{stamps.YEAR_FIRST}\]?[,:;]?(?:[ \t]+|$))", "[" + DIGITS, rest=_AFTER_TIME),
    Rule("year-short", rf"^(?P<head>\[?{stamps.YEAR_SHORT}\]?[,:]?(?: +|$))", "[" + DIGITS, rest=_AFTER_TIME),
    Rule("hdfs", rf"^(?P<head>{stamps.COMPACT} )", DIGITS, rest=_AFTER_TIME),
    Rule("day-month", rf"^(?P<head>\[?{stamps.DAY_MONTH}\]?[,:]?(?: +|$))", "[" + DIGITS, rest=_AFTER_TIME),
    Rule("clock", rf"^(?P<head>\[?{stamps.CLOCK}\]?[,:]?(?: +|$))", "[" + DIGITS, rest=_AFTER_TIME),
    Rule("epoch", rf"^(?P<head>\[?{stamps.EPOCH}\]?[,:]? +)", "[" + DIGITS, rest=_AFTER_TIME),
)
_FILE_PREFIX: Final = Rule(
    "file-prefix", r"^(?P<head>(?P<file>[^ ]+\.log[^ ]*) )[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:", rest=_TIMED[:1]
)
RULES: Final = (*_TIMED, _FILE_PREFIX)
BARE_RULES: Final = (*LEVEL_FIRST, *BRACKET_LEVEL)
"""Lines that begin with their level, without a time."""
