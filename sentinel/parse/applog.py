"""Application logs: a time at the head, then level, logger, thread in the manners of log4j, Python and their kin."""

import re
from decimal import Decimal
from typing import Final

import polars as pl

from sentinel.parse import pairs, platforms, products, services, stamps
from sentinel.parse.levels import ANY_LEVEL, PLAIN_LEVEL, UPPER_LEVEL
from sentinel.parse.rules import DIGITS, LETTERS, UPPER, Rule

__all__ = ["AFTER_TIME", "BARE_RULES", "RULES"]

_UP: Final = rf"(?P<level>{UPPER_LEVEL})"
_ANY: Final = rf"(?P<level>{ANY_LEVEL})"
_THREAD: Final = r"\[(?P<thread>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]"
_LOGGER: Final = r"(?P<source>[A-Za-z_][A-Za-z0-9_.$/-]*)"
_DOTTED: Final = r"(?P<source>[A-Za-z_][A-Za-z0-9_$-]*(?:\.[A-Za-z0-9_$<>-]+)+)"
_CONTEXT: Final = r"(?:\[(?P<request>(?:req-[^\]]*|-[^\]]*))\] )?"  # OpenStack's request, user and project ids
_CLIENT: Final = r"(?:(?:[A-Za-z0-9.:_-]+|\[local\])(?:\([0-9]+\))? )?"
_OF_POSTGRES: Final = r"(?P<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION): {2,}"


_LATE_LOGGER: Final = r" \[([A-Za-z_][A-Za-z0-9_.]*)\](?: +[A-Za-z_][A-Za-z0-9_.]*=.*)?$"
_LATE_PAIR: Final = re.compile(rf" ({pairs.KEY})=({pairs.VALUE})")


def _of_structlog(groups: pl.DataFrame) -> pl.DataFrame:
    """The logger in brackets behind what happened, and the pairs behind both, which also stay in the message."""
    source = groups["message"].str.extract(_LATE_LOGGER, 1)
    inner = [pairs.as_inner(dict(pairs.plain(_LATE_PAIR.findall(text)))) for text in groups["message"]]
    return groups.with_columns(source.alias("source"), pl.Series("inner", inner, dtype=pl.String))


def _in_full(groups: pl.DataFrame) -> pl.DataFrame:
    """A count of seconds without its exponent."""
    plain = [None if text is None else format(Decimal(text), "f") for text in groups["written"]]
    return groups.with_columns(pl.Series("written", plain, dtype=pl.String))


def _led(groups: pl.DataFrame) -> pl.DataFrame:
    """The level that the message begins with."""
    return groups.with_columns(groups["message"].str.extract(rf"^\[?({UPPER_LEVEL})\]?[: ]", 1).alias("level"))


_DOTNET: Final = Rule(  # .NET's console: the message stands on the next line
    "dotnet",
    r"^(?P<head>(?P<level>trce|dbug|info|warn|fail|crit): (?P<source>[A-Za-z_][A-Za-z0-9_.`+]*)\[(?P<event>["
    r"0-9]+)\](?: |$))",
    "tdiwfc",
)
LEVEL_FIRST: Final = (
    Rule("log4j", rf"^(?P<head>{_UP} +{_THREAD} +{_DOTTED}: ?)", UPPER),
    Rule(
        "spring",
        rf"^(?P<head>{_UP} +(?:\[(?P<application>[^\]]*)\] )?(?P<pid>[0-9]+) --- (?:\[[^\]]*\] )??\[ *(?P<thread>"
        r"[^\]]*)\] (?:\[(?P<trace>[0-9a-f-]*)\] )?(?P<source>[^ \[][^ ]*) *: ?)",
        UPPER,
    ),
    Rule("log4j", rf"^(?P<head>{_UP} +{_THREAD} +{_DOTTED} +- )", UPPER),
    Rule("log4j", rf"^(?P<head>{_UP} +{_DOTTED} +\[[^\]]*\] +- )", UPPER),  # Flink's, with its empty context
    Rule(  # https://logback.qos.ch/manual/configuration.html: its words about itself
        "logback-status", rf"^(?P<head>\|-{_UP} in (?P<source>[^ ]+) - )", "|"
    ),
    Rule("flask", rf"^(?P<head>{_UP} in (?P<source>[A-Za-z_][\w.]*): )", UPPER),
    Rule(  # WildFly's and Quarkus' console, with what tracing adds
        "jboss",
        rf"^(?P<head>{_UP} +(?P<context>(?:\w+=[^ ,\[]*,? +)*)\[(?P<source>[A-Za-z][\w.$-]*\.[\w.$-]+)\] "
        r"\((?P<thread>[^)]*)\) )",
        UPPER,
    ),
    Rule("sonarqube", rf"^(?P<head>{_UP} +(?P<process>[a-z]+)\[(?P<request>[^\]]*)\]\[(?P<source>[\w.$]+)\] )", UPPER),
    Rule("level", rf"^(?P<head>{_UP} +)[A-Za-z0-9_.$]*(?:Exception|[Ee]rror|[Ff]ailure|[Ff]ailed):", UPPER),
    Rule("level-logger", rf"^(?P<head>{_UP} +{_DOTTED}: )", UPPER),
    Rule(  # a class and its line, perhaps behind a thread
        "level-logger",
        rf"^(?P<head>{_UP} +(?:(?P<thread>[^ ]+) +)?(?P<source>(?:[a-z]\w*\.)+[A-Z][\w$]*):(?P<line>[0-9]+) +(?:- +)?)",
        UPPER,
    ),
    Rule("level-logger", rf"^(?P<head>{_UP} +{_DOTTED} +- )", UPPER),
    Rule("openstack", rf"^(?P<head>{_UP} {_DOTTED} {_CONTEXT})", UPPER),
    Rule("openstack", rf"^(?P<head>{_UP} {_LOGGER} \[(?P<request>req-[^\]]*)\] )", UPPER),
    Rule("level-logger", rf"^(?P<head>{_ANY}:{_LOGGER}:)", LETTERS),
    Rule(
        "pytest",
        rf"^(?P<head>{_UP} +(?P<source>[A-Za-z_][A-Za-z0-9_.]*):(?P<file>[A-Za-z0-9_]+\.py):(?P<line>[0-9]+) )",
        UPPER,
    ),
)
AFTER_TIME: Final = (
    Rule(  # a custom ErrorLogFormat
        "apache-error",
        r"^(?P<head>\[(?P<source>[a-z][a-z0-9_]*):(?P<level>[a-z]+[1-8]?)\] \[pid (?P<pid>[0-9]+)(?::tid (?P<tid>[0-9]+))?\] "
        r"(?:\[client (?P<client>[^\]]*)\] )?)",
        "[",
    ),
    Rule(  # https://www.structlog.org: ConsoleRenderer pads its levels
        "structlog", r"^(?P<head>\[(?P<level>debug|info|warning|error|critical) +\] +)", "[", finish=_of_structlog
    ),
    Rule(
        "nginx-error",
        rf"^(?P<head>\[{_ANY}\] (?P<pid>[0-9]+)#(?P<tid>[0-9]+): (?:\*(?P<connection>[0-9]+) )?)",
        "[",
        "nginx",
    ),
    Rule("log4j", rf"^(?P<head>{_THREAD} +{_UP} +{_DOTTED}(?: \[[^\]]*\])?(?: +--?| ?:)(?: |$))", "["),
    Rule(  # https://github.com/sidekiq/sidekiq/wiki/Logging
        "sidekiq",
        r"^(?P<head>pid=(?P<pid>[0-9]+) tid=(?P<tid>[^ ]+) (?:class=(?P<class>[^ ]+) )?(?:jid=(?P<jid>[^ ]+) )?"
        r"(?:elapsed=(?P<elapsed>[^ ]+) )?(?P<level>[A-Z]+): )",
        "p",
    ),
    Rule(
        "python",
        rf"^(?P<head>(?:[-|] )?{_LOGGER} +[-|] +{_ANY} +[-|] )",
        "-|" + LETTERS + "_",
        unless=r"^(?:[-|] )?(?:MainThread|[\w.-]*(?:[Tt]hread|exec|worker|pool)-[0-9]+[^ ]*) ",  # columns, a thread first
    ),
    Rule(  # Python's, with the place in code in parentheses
        "python",
        rf"^(?P<head>\[?{_ANY}\]?:? +{_LOGGER} \((?P<file>[\w./-]+\.[a-z]{{1,5}}):(?P<line>[0-9]+)\)(?::| -) )",
        "[" + LETTERS,
    ),
    Rule("zookeeper", rf"^(?P<head>(?:\[myid:(?P<myid>[^\]]*)\] )?- {_UP} +\[(?P<thread>.*?):(?P<source>[A-Za-z0"
        r"-9_.$]+)@(?P<line>[0-9]+)\] - )", "-["),
    Rule("loguru", r"^(?P<head>\| (?P<level>[A-Z]+) +\| (?P<source>[^ :|]+):(?P<function>[^ :]*):(?P<line>[0-9]"
        r"+) - )", "|"),
    Rule("process-level", rf"^(?P<head>(?P<pid>[0-9]+) {_UP} {_DOTTED}(?:: ?| ){_CONTEXT})", DIGITS),
    Rule("mysql", r"^(?P<head>(?P<thread>[0-9]+) \[(?P<level>System|Note|Warning|ERROR)\] (?:\[(?P<code>MY-[0-9]+)\] "
         r"\[(?P<source>[^\]]+)\] )?)", DIGITS),
    Rule("postgres", rf"^(?P<head>\[(?P<pid>[0-9]+)(?:[-:][0-9]+)?\]:? (?:\[[0-9]+-[0-9]+\]:? )?{_CLIENT}"
        r"(?:(?:user=)?(?P<user>[^ @,=]*)(?:@|,db=)(?P<database>[^ ,/]*)(?:/[^ ]*)?"
        rf"(?:,app=(?P<application>[^,]*))?(?:,client=(?P<client>[^ ]*))? {_CLIENT})?{_OF_POSTGRES})", "[", "postgres"),
    Rule("pgbouncer", r"^(?P<head>\[(?P<pid>[0-9]+)\] (?P<level>[A-Z]+) (?P<connection>[CS]-0x[0-9a-f]+): )", "[",
         "pgbouncer"),
    Rule("pgbouncer", r"^(?P<head>\[(?P<pid>[0-9]+)\] (?P<level>LOG|NOISE) )", "[", "pgbouncer"),
    Rule("stunnel", r"^(?P<head>LOG(?P<level>[0-7])\[(?P<service>[^\]]*)\]: )", "L", finish=products.numbered),
    Rule("libvirt", r"^(?P<head>(?P<pid>[0-9]+): (?P<level>[a-z]+) : (?P<source>\w+):(?P<line>[0-9]+) : )", DIGITS),
    Rule("mongodb", r"^(?P<head>(?P<level>[DIWEF])[1-5]? +(?P<source>[A-Z_]+|-) +\[(?P<thread>[^\]]+)\] )", "DIWEF"),
    Rule("windows-cbs", rf"^(?P<head>{_ANY} {{2,}}(?P<source>[A-Z][A-Za-z]{{1,7}}) {{2,}})", LETTERS),
    *platforms.AFTER_TIME,
    *products.AFTER_TIME,
    *services.AFTER_TIME,
    *LEVEL_FIRST,
    _DOTNET,
    Rule(  # https://github.com/apache/kafka: its log4j names the logger last, and Strimzi's the thread behind it
        "logger-last",
        rf"^(?P<head>{_UP} +)(?P<body>.*) \((?P<source>(?:[a-z][\w-]*\.)+[A-Z][\w$]*)(?::(?P<line>[0-9]+))?\)"
        r"(?: \[(?P<thread>[^\]]+)\])?$",
        UPPER,
        finish=platforms.told,
        unless=r"(?:Exception|Error)(?::[0-9]+)?\)$",
    ),
    Rule("host-program", r"^(?P<head>(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*) "
         r"(?P<source>[A-Za-z_][^ :\[\]]*(?: [A-Z][A-Za-z]+){0,2})\[(?P<pid>[0-9]+)\]: )", LETTERS + DIGITS, unless=rf"^{PLAIN_LEVEL} ",
         finish=_led),
)  # fmt: skip

_TIMED: Final = (
    Rule(
        "year-first",
        rf"^(?P<head>\[?{stamps.YEAR_FIRST}\]?[,;]?(?::?[ \t]+|$))",
        "[" + DIGITS,
        rest=AFTER_TIME,
        timed=True,
    ),
    Rule(
        "year-short", rf"^(?P<head>\[?{stamps.YEAR_SHORT}\]?[,:]?(?: +|$))", "[" + DIGITS, rest=AFTER_TIME, timed=True
    ),
    *(
        Rule(name, rf"^(?P<head>\[?{stamps.LAYOUTS[name]}\]?[,:]?(?: +|$))", "[" + DIGITS, rest=AFTER_TIME, timed=True)
        for name in ("ordinal", "iso-week", "month-first-short")
    ),
    Rule("hdfs", rf"^(?P<head>{stamps.COMPACT} )", DIGITS, rest=AFTER_TIME, timed=True),
    Rule(
        "day-month", rf"^(?P<head>\[?{stamps.DAY_MONTH}\]?[,:]?(?:[ \t]+|$))", "[" + DIGITS, rest=AFTER_TIME, timed=True
    ),
    Rule("clock", rf"^(?P<head>\[?{stamps.CLOCK}\]?[,:]?(?: +|$))", "[" + DIGITS, rest=AFTER_TIME, timed=True),
    Rule("epoch", rf"^(?P<head>\[?{stamps.EPOCH}\]?[,:]? +)", "[" + DIGITS, rest=AFTER_TIME, timed=True),
)
_OF_POSTGRES_RPM: Final = Rule(  # the prefix that Red Hat's packages set: `< %m >`
    "postgres", rf"^(?P<head>< {stamps.YEAR_FIRST} >{_OF_POSTGRES})", "<", "postgres"
)
_ZAP: Final = Rule(  # zap's console with its default time, a float of seconds
    "zap-epoch",
    r"^(?P<head>(?P<written>1\.[0-9]{1,18}e\+09)\t)",
    "1",
    fifth=DIGITS,
    rest=AFTER_TIME,
    timed=True,
    finish=_in_full,
)
_DJANGO: Final = Rule(  # https://docs.djangoproject.com/en/stable/topics/logging/: its `verbose` formatter
    "django",
    rf"^(?P<head>{_UP} +{stamps.YEAR_FIRST} (?P<source>[A-Za-z_]\w*) (?P<pid>[0-9]+) (?P<thread>[0-9]{{6,20}}) )",
    UPPER,
)
_RUBY: Final = Rule(  # https://docs.ruby-lang.org/en/master/Logger/Formatter.html
    "ruby",
    rf"^(?P<head>[DIWEFA], \[{stamps.YEAR_FIRST} #(?P<pid>[0-9]+)\] +(?P<level>[A-Z]+) -- (?P<source>[^: ][^:]*)?: )",
    "DIWEFA",
)
_FILE_PREFIX: Final = Rule(
    "file-prefix", r"^(?P<head>(?P<file>[^ ]+\.log[^ ]*) )[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:", rest=_TIMED[:1]
)
_LETTERED: Final = tuple(  # https://www.tornadoweb.org/en/stable/log.html, and Jupyter, which is built on it
    Rule(
        "tornado",
        rf"^(?P<head>\[(?P<level>[DIWECF]) {stamp} (?P<source>[A-Za-z_][A-Za-z0-9_.]*)(?::(?P<line>[0-9]+))?\] )",
        "[",
    )
    for stamp in (stamps.LAYOUTS["compact"], stamps.YEAR_FIRST, stamps.LAYOUTS["clock"])
)
RULES: Final = (
    *platforms.RULES,
    *products.RULES,
    *services.RULES,
    *_TIMED,
    *_LETTERED,
    _OF_POSTGRES_RPM,
    _ZAP,
    _DJANGO,
    _RUBY,
    _FILE_PREFIX,
)
BARE_RULES: Final = (
    *services.BARE_RULES,
    _DOTNET,
    *LEVEL_FIRST,
    Rule("npm", r"^(?P<head>npm (?P<level>ERR!|WARN|error|warn|notice|info|http|verbose) )", "n", "npm"),
    Rule("npm", r"^(?P<head>[0-9]+ (?P<level>silly|verbose|info|http|notice|warn|error) )", DIGITS),
    Rule("program", r"^(?P<head>(?P<source>[A-Za-z_][A-Za-z0-9_./-]*)\[(?P<pid>[0-9]+)\]: )", LETTERS + "_"),
)
"""Lines that begin with their level, without a time."""
