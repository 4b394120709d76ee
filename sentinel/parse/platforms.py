"""Formats of clusters, hypervisors, devices and platforms, each told by a mark of its own: behind a time, or whole."""

from typing import Final

import polars as pl

from sentinel.parse import levels, stamps
from sentinel.parse.rules import DIGITS, LETTERS, UPPER, Rule

__all__ = ["AFTER_TIME", "RULES", "TOPICS", "of_topics", "told"]

_HMS: Final = r"(?P<H>[0-9]{2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})"
_UP: Final = rf"(?P<level>{levels.UPPER_LEVEL})"
TOPICS: Final = r"(?P<topics>[a-z0-9-]+(?:,!?[a-z0-9-]+)*,(?:info|warning|error|critical|debug)(?:,!?[a-z0-9-]+)*)"
_THREAD: Final = r"main|[^ |]*(?:Main|[Tt]hread)[^|]*?|[^ |]+(?: [^ |]+){0,3}?-[0-9]+(?:[_-][0-9]+)*"
_OF_APPLE: Final = {"Df": "info", "In": "info", "I": "info", "Db": "debug", "Er": "error", "E": "error", "F": "fatal"}
_OF_ESPHOME: Final = {
    "E": "error",
    "W": "warn",
    "I": "info",
    "C": "info",
    "D": "debug",
    "V": "trace",
}  # a C is configuration that is told
_OF_X11: Final = {"EE": "error", "WW": "warn", "II": "info", "NI": "warn"}
_OF_FREESWITCH: Final = r"(?P<idle>[0-9.]+)% \[(?P<level>[A-Z]+)\] (?P<source>[A-Za-z0-9_.-]+):(?P<line>[0-9]+) "
_GRAVE: Final = ("critical", "error", "warning", "info", "debug")


def of_topics(groups: pl.DataFrame) -> pl.DataFrame:
    """The first topic speaks, and the gravest of them that is a level."""
    topics = pl.col("topics").str.split(",")
    level = pl.coalesce(pl.when(topics.list.contains(word)).then(pl.lit(word)) for word in _GRAVE)
    return groups.with_columns(topics.list.first().alias("source"), level.alias("level"))


def _of_topic(groups: pl.DataFrame) -> pl.DataFrame:
    """Some topics are levels."""
    return groups.with_columns(pl.col("topic").alias("level"))


def told(groups: pl.DataFrame) -> pl.DataFrame:
    """What stands between the head and the columns at the end is the message."""
    return groups.with_columns(pl.col("body").alias("message")).drop("body")


AFTER_TIME: Final = (
    Rule(  # https://fly.io/docs/flyctl/logs/
        "fly",
        r"^(?P<head>(?P<source>[a-z]+)\[(?P<machine>[0-9a-f]{6,20})\] (?P<region>[a-z]{3}) \[(?P<level>[a-z]+)\] ?)",
        LETTERS,
    ),
    Rule(  # Envoy's lines as Istio's agent tells them: level, scope and place in code between tabs
        "istio-envoy",
        r"^(?P<head>(?P<level>[a-z]+)\t(?P<source>envoy[a-z0-9_ -]*?) (?P<file>[\w./-]+\.\w+):(?P<line>[0-9]+)\t)",
        "tdiwecf",
    ),
    Rule(  # https://docs.ceph.com/en/latest/rados/troubleshooting/log-and-debug/
        "ceph",
        r"^(?P<head>(?P<thread>[0-9a-f]{12,16}) +(?P<verbosity>-?[0-9]{1,2}) "
        r"(?:(?:log_channel\([a-z]+\)|[a-z.]+) log \[(?P<level>[A-Z]{3})\] : )?)",
        DIGITS + "abcdef",
    ),
    Rule(  # its cluster log: who speaks, its rank, a count, a channel
        "ceph",
        r"^(?P<head>(?P<source>[a-z]+\.[^ ]+) \((?P<entity>[^)]*)\) (?P<serial>[0-9]+) : (?P<channel>[a-z]+) "
        r"\[(?P<level>[A-Z]{3})\] )",
        LETTERS.lower(),
    ),
    Rule(
        "corosync",
        r"^(?P<head>\[(?P<pid>[0-9]+)\] (?P<host>[^ ]+) (?P<source>[a-z][a-z0-9_-]*) +(?P<level>[a-z]+) +"
        r"\[(?P<component>[A-Z]+) *\] )",
        "[",
    ),
    Rule(
        "pacemaker",
        r"^(?P<head>(?P<host>[^ ]+) (?P<source>[a-z][a-z0-9_-]*) +\[(?P<pid>[0-9]+)\] +"
        r"\((?P<function>[^)]*)\) +(?P<level>[a-z]+): +)",
        LETTERS + DIGITS,
    ),
    Rule(  # Oracle's diagnostic logging, and GlassFish, which took it over
        "odl",
        r"^(?P<head>\[(?P<server>[^\]]*)\] \[(?P<level>[A-Z_]+)(?::[0-9]+)?\] \[(?P<code>[^\]]*)\] "
        r"\[(?P<source>[^\]]*)\] \[tid: (?P<thread>[^\]]*)\] (?:\[[A-Za-z]+: [^\]]*\] )*(?:\[\[)?)",
        "[",
    ),
    Rule(
        "atlassian",
        r"^(?P<head>(?P<thread>[^ \[\]]+)(?: url: (?P<url>[^;\[\] ]*);?(?: user: (?P<user>[^ \[\]]+))?)? "
        rf"+{_UP} +(?P<context>[^\[\]]*)"
        r"\[(?P<source>[a-z][A-Za-z0-9_$]*(?:\.[A-Za-z0-9_$]+){2,})\] )",
        LETTERS,
    ),
    Rule(
        "nexus",
        rf"^(?P<head>{_UP} +\[(?P<thread>[^\]]*)\] +(?P<user>[A-Za-z0-9_.*@-]+) "
        r"(?P<source>[a-z][A-Za-z0-9_$]*(?:\.[A-Za-z0-9_$]+)+) +- )",
        UPPER,
    ),
    Rule(
        "macos-log",
        r"^(?P<head>(?P<thread>0x[0-9a-f]+) +(?P<level>Default|Info|Debug|Error|Fault) +(?P<activity>0x[0-9a-f]+) +"
        r"(?P<pid>[0-9]+) +(?P<ttl>[0-9]+) +(?P<source>[^:]+): )",
        "0",
    ),
    Rule(
        "macos-log",
        r"^(?P<head>(?P<mark>Df|Db|In|Er|[IEF]) +(?P<source>[^\[ ][^\[]*)\[(?P<pid>[0-9]+):(?P<tid>[0-9a-f]+)\] )",
        "DIEF",
        finish=levels.from_table("mark", _OF_APPLE),
    ),
    Rule(
        "puppet",
        r"^(?P<head>(?P<source>[A-Z/][^ ]*) \((?P<level>debug|info|notice|warning|err|alert|emerg|crit)\): )",
        UPPER + "/",
    ),
    Rule(
        "vmkernel",
        r"^(?P<head>cpu(?P<cpu>[0-9]+):(?P<world>[0-9]+)(?: opID=(?P<operation>[A-Za-z0-9_]+))?\)"
        r"(?:(?P<level>WARNING|ALERT|ERROR): )?(?:(?P<source>[A-Za-z][A-Za-z0-9_]*): )?)",
        "c",
    ),
    Rule(
        "freeswitch",
        rf"^(?P<head>{_OF_FREESWITCH})",
        DIGITS,
    ),
    Rule(
        "quarkus",
        rf"^(?P<head>(?P<host>[^ \[]+) (?P<program>[^ \[]+)\[(?P<pid>[0-9]+)\] {_UP} +\[(?P<source>[^\]]+)\] "
        r"\((?P<thread>[^)]*)\) )",
        LETTERS + DIGITS,
    ),
    Rule(
        "ansible",
        r"^(?P<head>p=(?P<pid>[0-9]+) u=(?P<user>[^ ]+) n=(?P<source>[^ ]+) (?P<level>[A-Z]+)?\| )",
        "p",
    ),
    Rule(  # what supervisord did with a program, which it names behind it
        "supervisord",
        r"^(?P<head>(?P<level>CRIT|ERRO|WARN|INFO|DEBG) )"
        r"(?:spawned|exited|success|stopped|gave up|reaped|killing|entered)[: ]",
        "CEWID",
    ),
    Rule(  # who speaks, in twelve columns
        "sql-server",
        r"^(?P<head>(?:spid(?P<spid>[0-9]+s?)|(?P<source>Logon|Server|Backup|Service Broker[^ ]*)) {2,}"
        r"(?:(?P<level>Error|Warning): )?)",
        "sLSB",
    ),
    Rule(  # columns between bars, the thread before the logger: Karaf's with its bundle, Python's with its process
        "piped",
        rf"^(?P<head>\| +{_UP} +\| +(?P<thread>{_THREAD}) +\| +(?P<source>[A-Za-z_][\w.$]*) +\| "
        r"(?:(?P<bundle>[0-9]+ - [^|]+) \| )?)",
        "|",
    ),
    Rule(
        "activemq",
        rf"^(?P<head>\| +{_UP} +\| )(?P<body>.*) \| (?P<source>[A-Za-z_][\w.$]*\.[\w.$]+) \| (?P<thread>[^|]*)$",
        "|",
        finish=told,
    ),
    Rule(  # columns between bars, the level last
        "piped",
        rf"^(?P<head>\| +(?P<source>[A-Za-z_][\w.$-]*) +\| )(?P<body>.*?) *\| {_UP} *$",
        "|",
        finish=told,
    ),
    Rule(  # https://www.playframework.com/documentation/latest/SettingsLogger: what applications are made with
        "play", rf"^(?P<head>\[{_UP}\] from (?P<source>[\w.$-]+) in (?P<thread>[^ ]+) - ?)", "["
    ),
    Rule(  # https://www.yiiframework.com/doc/guide/2.0/en/runtime-logging: client, user, session, level, category
        "yii",
        r"^(?P<head>\[(?P<client>[^\]]*)\]\[(?P<user>[^\]]*)\]\[(?P<session>[^\]]*)\]\[(?P<level>[a-z]+)\]"
        r"\[(?P<source>[^\]]+)\] )",
        "[",
    ),
    Rule(  # https://logger.rocketjob.io: a letter, process and thread, tags, a duration, the class
        "semantic-logger",
        r"^(?P<head>(?P<level>[TDIWEF]) \[(?P<pid>[0-9]+):(?P<thread>[^\]]*)\] "
        r"(?:\[[^\]]*\] |\{[^}]*\} |\([0-9.]+m?s\) )*(?P<source>[A-Z][\w:]*) -- )",
        "TDIWEF",
    ),
    Rule("pm2", r"^(?P<head>PM2 +(?:log|(?P<level>info|warn|error|debug)) *: )", "P"),
    Rule("mikrotik", rf"^(?P<head>{TOPICS} )", LETTERS.lower(), finish=of_topics),
)
RULES: Final = (
    Rule(  # https://www.x.org/releases/current/doc/man/man1/Xorg.1.xhtml: seconds since the server started, a marker
        "xorg",
        r"^(?P<head>\[ *(?P<uptime>[0-9]+\.[0-9]{3})\] (?:\((?P<mark>II|WW|EE|NI|--|\*\*|==|\+\+|!!|\?\?)\) )?)",
        "[",
        finish=levels.from_table("mark", _OF_X11),
    ),
    Rule(  # util-linux' `dmesg -x`, with either of its times
        "dmesg-decoded",
        rf"^(?P<head>(?P<facility>[a-z0-9]+) *:(?P<level>emerg|alert|crit|err|warn|notice|info|debug) *: "
        rf"\[(?: *(?P<uptime>[0-9]+\.[0-9]{{6}})|{stamps.WEEKDAY})\] )",
        LETTERS.lower(),
    ),
    Rule(  # what it calls Auth is no level
        "freeradius",
        rf"^(?P<head>{stamps.WEEKDAY} : (?P<level>Info|Error|Warning|Auth|Debug|Proxy|Acct|ERROR|WARNING): )",
        UPPER,
    ),
    Rule(
        "netlogon",
        rf"^(?P<head>(?P<stamp>(?P<m>[0-9]{{2}})/(?P<d>[0-9]{{2}}) {_HMS}) \[(?P<topic>[A-Z_]+)\] "
        r"\[(?P<pid>[0-9]+)\] )",
        DIGITS,
        finish=_of_topic,
    ),
    Rule(  # a daemon of Bacula or Bareos, its job, and a level only where something is wrong
        "bacula",
        rf"^(?P<head>{stamps.LAYOUTS['day-month']} (?P<source>[\w.-]+) JobId (?P<job>[0-9]+): "
        r"(?:(?P<level>Fatal|Error|Warning)(?: error)?: )?)",
        DIGITS,
    ),
    Rule(
        "freeswitch",
        rf"^(?P<head>(?P<call>[0-9a-f-]{{36}}) {stamps.YEAR_FIRST} {_OF_FREESWITCH})",
        DIGITS + "abcdef",
    ),
    Rule(
        "dropwizard",
        rf"^(?P<head>{_UP} +\[{stamps.YEAR_FIRST}\] +(?P<source>[A-Za-z_][A-Za-z0-9_.$]*): )",
        UPPER,
    ),
    Rule(
        "esphome",
        rf"^(?P<head>\[(?P<stamp>{_HMS})\]\[(?P<mark>[EWICDV])V?\]\[(?P<source>[^:\]]+)(?::(?P<line>[0-9]+))?\]: ?)",
        "[",
        fifth=DIGITS,
        finish=levels.from_table("mark", _OF_ESPHOME),
    ),
    Rule(
        "windows-dhcp",
        rf"^(?P<head>(?P<event>[0-9]{{2}}),(?P<stamp>(?P<m>[0-9]{{2}})/(?P<d>[0-9]{{2}})/(?P<y>[0-9]{{2}}),{_HMS}),)",
        DIGITS,
        fifth=DIGITS,
    ),
    Rule(
        "mikrotik",
        rf"^(?P<head>(?P<stamp>(?P<b>[a-z]{{3}})/(?P<d>[0-9]{{2}})(?:/(?P<Y>[0-9]{{4}}))? {_HMS}) {TOPICS} )",
        LETTERS.lower(),
        finish=of_topics,
    ),
    Rule(
        "passenger",
        rf"^(?P<head>\[ (?P<level>[A-Z]) {stamps.YEAR_FIRST} (?P<pid>[0-9]+)/(?P<thread>[^ ]+) "
        r"(?P<source>[^ :]+):(?P<line>[0-9]+) \]: )",
        "[",
        fifth="12",
    ),
    Rule(
        "ray",
        rf"^(?P<head>\[{stamps.YEAR_FIRST} (?P<level>[DIWEF]) (?P<pid>[0-9]+) (?P<tid>[0-9]+)\] "
        r"(?:\((?P<source>[^)]*)\) )?(?:(?P<file>[A-Za-z0-9_./-]+):(?P<line>[0-9]+): )?)",
        "[",
    ),
    Rule(  # the month stands first, though it is written with dashes
        "splunkd",
        rf"^(?P<head>(?P<stamp>(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}})-(?P<Y>[0-9]{{4}}) {_HMS}\.(?P<f>[0-9]{{3}}) "
        rf"(?P<z>[+-][0-9]{{4}})) +{_UP} +(?P<source>[A-Za-z0-9_]+)(?: \[(?P<thread>[^\]]*)\])? +- +)",
        DIGITS,
        fifth=DIGITS,
    ),
)
