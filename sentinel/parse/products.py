"""Formats of products that people run as they come, told by a mark of their own: behind a time, or whole."""

from typing import Final

import polars as pl

from sentinel.parse import levels, stamps
from sentinel.parse.rules import DIGITS, LETTERS, Rule

__all__ = ["AFTER_TIME", "RULES", "numbered"]

_UP: Final = rf"(?P<level>{levels.UPPER_LEVEL})"
_OF_CMTRACE: Final = {"0": "info", "1": "info", "2": "warn", "3": "error"}
_OF_FTL: Final = r"(?P<pid>[0-9]+)(?:M|/[TF](?P<tid>[0-9]+))"
_OF_RCLONE: Final = (
    r"(?:[^:]*[/ ][^:]*: |[^:]+: (?:Copied|Moved|Deleted|Updated|Failed to|Skipped|Unchanged|Corrupted|Can't|Not ))"
)
_HMS: Final = r"(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})"
_OF_VRP: Final = r"(?P<source>[A-Z][A-Z0-9_]*)/(?P<level>[0-7])/(?P<code>[A-Za-z0-9_]+)"


def numbered(groups: pl.DataFrame) -> pl.DataFrame:
    """A level given as syslog's number."""
    words = groups["level"].replace_strict(
        {str(number): level for number, level in enumerate(levels.SYSLOG_LEVELS)}, return_dtype=pl.String
    )
    return groups.with_columns(words.alias("level"))


def _of_cmtrace(groups: pl.DataFrame) -> pl.DataFrame:
    """What stands in the middle is the message; the minutes behind the time are what is missing to UTC."""
    bias = groups["bias"].cast(pl.Int32, strict=False)
    east = pl.when(pl.col("away") <= 0).then(pl.lit("+")).otherwise(pl.lit("-"))
    size = pl.col("away").abs()
    hours, minutes = ((size // 60).cast(pl.String).str.zfill(2), (size % 60).cast(pl.String).str.zfill(2))
    level = groups["type"].replace_strict(_OF_CMTRACE, default=None, return_dtype=pl.String)
    return (
        groups.with_columns(bias.alias("away"), level.alias("level"), pl.col("body").alias("message"))
        .with_columns(pl.concat_str(east, hours, pl.lit(":"), minutes).alias("z"))
        .drop("away", "bias", "body", "type")
    )


_OF_ECLIPSE: Final = {"0": "info", "1": "info", "2": "warn", "4": "error", "8": "info"}
"""The severities of a status: OK, INFO, WARNING, ERROR, CANCEL."""
_OF_SQL_AGENT: Final = {"!": "error", "+": "warn", "?": "info"}


_VERBOSITY: Final = r"(?P<source>Log[A-Z]\w*): (?P<verbosity>Fatal|Error|Warning|Display|Log|Verbose|VeryVerbose): "
_OF_UNREAL: Final = {
    "Fatal": "fatal", "Error": "error", "Warning": "warn", "Display": "info", "Log": "info", "Verbose": "debug",
    "VeryVerbose": "trace",
}  # fmt: skip


def _of_unreal(groups: pl.DataFrame) -> pl.DataFrame:
    """The level of a line's verbosity: https://dev.epicgames.com/documentation/unreal-engine/logging-in-unreal-engine."""
    level = groups["verbosity"].replace_strict(_OF_UNREAL, default=None, return_dtype=pl.String)
    source = pl.coalesce("source", "source2") if "source2" in groups.columns else pl.col("source")
    return groups.with_columns(level.alias("level"), source.alias("source")).drop("verbosity", "source2", strict=False)


AFTER_TIME: Final = (
    Rule(
        "sql-agent",
        r"^(?P<head>- (?P<mark>[!+?]) (?:\[(?P<code>[0-9]+)\] )?)",
        "-",
        finish=levels.from_table("mark", _OF_SQL_AGENT),
    ),
    Rule(
        "plex",
        rf"^(?P<head>\[(?P<thread>0x[0-9a-f]{{6,16}}|[0-9]{{12,}})\] {_UP} - (?:\[(?P<request>[^\]]*)\] )?)",
        "[",
    ),
    Rule(  # https://docs.pi-hole.net/ftldns/: its main process, a thread or a fork
        "pihole-ftl", rf"^(?P<head>\[{_OF_FTL}\] (?:{_UP}: )?)", "["
    ),
    Rule(  # https://rclone.org/docs/#logging: a level padded to six, and what was copied
        "rclone", rf"^(?P<head>(?P<level>ERROR|DEBUG|INFO|NOTICE) {{0,2}}: ){_OF_RCLONE}", "EDIN"
    ),
    Rule(
        "vsftpd",
        r"^(?P<head>\[pid (?P<pid>[0-9]+)\] (?:\[(?P<user>[^\]]*)\] )?)"
        r"(?:(?:OK|FAIL) [A-Z]+|CONNECT|FTP (?:command|response)|DEBUG): ",
        "[",
    ),
    Rule(  # https://jfrog.com/help/r/jfrog-platform-administration-documentation/logs: service, level, trace, class
        "jfrog",
        rf"^(?P<head>\[(?P<service>[a-z]+) *\] \[{_UP} *\] \[ *(?P<trace>[^\]]*)\] "
        r"\[(?P<source>[\w.$-]+?)(?::(?P<line>[0-9]+))? *\] \[(?P<thread>[^\]]*?) *\] - )",
        "[",
    ),
    Rule(  # Huawei's VRP, and Comware where it dates its lines so: device, module, severity, mnemonic
        "vrp",
        rf"^(?P<head>(?P<host>[^ ]+) %%[0-9]{{2}}{_OF_VRP}(?:\([a-zA-Z]+\))?(?:\[[0-9]+\])?: ?)",
        LETTERS + DIGITS,
        finish=numbered,
    ),
)
RULES: Final = (
    Rule(
        "comware",
        rf"^(?P<head>%(?P<stamp>(?P<b>[A-Z][a-z]{{2}}) {{1,2}}(?P<d>[0-9]{{1,2}}) {_HMS}"
        rf"(?:[:.](?P<f>[0-9]{{3}}))? (?P<Y>[0-9]{{4}})) (?P<host>[^ ]+) {_OF_VRP}: )",
        "%",
        finish=numbered,
    ),
    Rule(  # https://documentation.wazuh.com/current/user-manual/manager/alert-management.html
        "ossec-alert",
        r"^(?P<head>\*\* Alert (?P<stamp>(?P<epoch>[0-9]{10}))\.(?P<alert>[0-9]+):(?: mail)? +- (?P<groups>[^ ]*))",
        "*",
    ),
    Rule(  # https://wiki.eclipse.org/FAQ_Where_can_I_find_that_elusive_.log_file%3F: a plug-in, a severity, a code
        "eclipse",
        rf"^(?P<head>!ENTRY (?P<source>[^ ]+) (?P<severity>[0-9]) (?P<code>-?[0-9]+) {stamps.YEAR_FIRST} *)$",
        "!",
        finish=levels.from_table("severity", _OF_ECLIPSE),
    ),
    Rule("eclipse", rf"^(?P<head>!SESSION {stamps.YEAR_FIRST} -*)", "!"),
    Rule(
        "unreal",
        rf"^(?P<head>\[{stamps.YEAR_FIRST}\]\[ *(?P<frame>[0-9]+)\](?:{_VERBOSITY}|(?P<source2>Log[A-Z]\w*): ))",
        "[",
        fifth=DIGITS,
        finish=_of_unreal,
    ),
    Rule("unreal", rf"^(?P<head>{_VERBOSITY})", "L", finish=_of_unreal),
    Rule("pihole-ftl", rf"^(?P<head>\[{stamps.YEAR_FIRST} {_OF_FTL}\] (?:{_UP}: )?)", "[", fifth=DIGITS),
    Rule(  # https://learn.microsoft.com/en-us/mem/configmgr/core/support/cmtrace
        "cmtrace",
        r"^(?P<head><!\[LOG\[)(?P<body>.*)\]LOG\]!><time=\"(?P<stamp>"
        + _HMS
        + r"\.(?P<f>[0-9]+)(?P<bias>[+-][0-9]{1,4})?\" date=\"(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})-(?P<Y>[0-9]{4}))\" "
        r"component=\"(?P<source>[^\"]*)\" context=\"(?P<context>[^\"]*)\" type=\"(?P<type>[0-9])\" "
        r"thread=\"(?P<thread>[^\"]*)\"(?: file=\"(?P<file>[^\"]*)\")?>",
        "<",
        finish=_of_cmtrace,
    ),
)
