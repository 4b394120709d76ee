"""Syslog: RFC 3164 and RFC 5424, with and without PRI, and what rsyslog, macOS, relays and devices make of them."""

from typing import Final

import polars as pl

from sentinel.parse import levels, pairs, platforms, stamps
from sentinel.parse.rules import DATED, DIGITS, UPPER, Rule
from sentinel.parse.zones import NAMED

__all__ = ["DEVICES", "RULES", "pri_rule"]

_HOST: Final = r"(?P<host>[^ \[]*[^ \[:])"
_PROGRAM: Final = r"(?P<source>[^ :\[]+)"
_PID: Final = r"\[(?P<pid>[0-9]+)\]"
_ADDRESS: Final = r"(?: \((?P<about>[^)]*)\))?"  # launchd names the service it speaks about
_SOLARIS: Final = r"(?:\[ID (?P<message_id>[0-9]+) (?P<facility>[a-z0-9]+)\.(?P<level>[a-z]+)\] )?"
"""https://docs.oracle.com/cd/E23824_01/html/821-1451/sysresys-56.html"""

_WORD: Final = r"(?:[^ ]+ )?"
_LEVELLED: Final = (  # a zone, a level, Cisco's mark or number: no host and no program
    rf" (?:(?:{NAMED}):? |{_WORD}:? ?%(?:%[0-9]{{2}})?[A-Z]|\[?{levels.PLAIN_LEVEL}\]? |{_WORD}{levels.PLAIN_LEVEL}: |{_WORD}[0-9]+: )"
)

_SEVERITY: Final = (
    r"(?P<level>emerg|alert|crit|err|warning|notice|info|debug|EMERG|ALERT|CRIT|ERR|WARNING|NOTICE|INFO|DEBUG)"
)

_FACILITY: Final = r"(?P<facility>kern|user|mail|daemon|auth(?:\|security)?|security|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7])"
_BY_NAME: Final = r"(?P<level>emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug)(?:\|(?:emerg|panic|err|error|warn|warning))?"
_OF_ESXI: Final = {
    "Em": "fatal",
    "Al": "fatal",
    "Cr": "fatal",
    "Er": "error",
    "Wa": "warn",
    "No": "info",
    "In": "info",
    "Db": "debug",
}


def _of_esxi(groups: pl.DataFrame) -> pl.DataFrame:
    """The level that the first two letters of a severity stand for."""
    level = groups["severity"].replace_strict(_OF_ESXI, default=None, return_dtype=pl.String)
    return groups.drop("severity").with_columns(level.alias("level"))


BSD: Final = (
    Rule(  # devices write no program before the events of CEF and LEEF
        "syslog", rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} )(?:CEF|LEEF):[0-9]", UPPER
    ),
    Rule(
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} {_SEVERITY} {_PROGRAM}{_PID}: ?)",
        UPPER,
    ),
    Rule(  # UniFi's access points: name, address and version before the program
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} (?:{_HOST} )?(?:[^ ]+ )?(?P<device>[^ :]*[0-9a-f]{{12}},[^ :]+): {{1,2}}"
        rf"{_PROGRAM}(?:{_PID})?: ?)",
        UPPER,
    ),
    Rule(  # ArubaOS, which puts its name and address between angles, if at all
        "syslog",
        rf"^(?P<head>{stamps.ZONE_YEAR} (?:<(?P<host>[^ >]+)(?: [0-9a-f.:]+)?> )?{_PROGRAM}{_PID}: ?)<[0-9]+> ",
        UPPER,
    ),
    Rule("syslog", rf"^(?P<head>{stamps.ZONE_YEAR} {_HOST} {_PROGRAM}(?:{_PID})?: ?)", UPPER),
    Rule(
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} {{1,2}}{_HOST} (?P<source>[^ :\[]+?)(?:{_PID}|\((?P<process>[0-9]+)\))?"
        rf"{_ADDRESS}: {{0,2}}{_SOLARIS})",
        UPPER,
        unless=rf"^{stamps.MONTH_DAY}(?:{_LEVELLED}| [^ ]+ {_FACILITY}:{_BY_NAME} )",
    ),
    *(  # BusyBox, OpenWrt's logread and AIX: facility and severity by their names
        Rule("syslog", rf"^(?P<head>{head} {_FACILITY}[.:]{_BY_NAME} {_PROGRAM}(?:{_PID})?: ?)", UPPER)
        for head in (rf"{stamps.MONTH_DAY} {_HOST}", stamps.WEEKDAY)
    ),
    Rule(  # WatchGuard, with its serial number and a time of its own
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} (?P<serial>[0-9A-Z]{{6,}}) \((?P<device_time>[0-9T:.-]+)\) "
        rf"{_PROGRAM}(?:{_PID})?: ?)",
        UPPER,
    ),
    Rule(  # MikroTik, whose topics stand where a program does
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} {platforms.TOPICS} )",
        UPPER,
        finish=platforms.of_topics,
    ),
    Rule(  # ArubaOS 8
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} (?:<(?P<host>[^ >]+)(?: [0-9a-f.:]+)?> )?{_PROGRAM}{_PID}: ?)<[0-9]+> ",
        UPPER,
    ),
    Rule("syslog", rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} (?P<source>[^%:\[]+){_PID}{_ADDRESS}: {{0,2}})", UPPER),
    Rule(
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} {_PROGRAM}(?:{_PID})?: )",
        UPPER,
        unless=rf"^{stamps.MONTH_DAY}(?:{_LEVELLED}| [A-Z][a-z]+(?:ed|ing): )",
    ),
    Rule("syslog", rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} (?:--- )?)(?:last )?message repeated ", UPPER, "syslog"),
    Rule(  # iOS
        "syslog",
        rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} (?P<source>[^ (\[]+)(?:\((?P<library>[^)]*)\))?{_PID} "
        r"<(?P<level>[A-Z][a-z]+)>: )",
        UPPER,
    ),
    Rule(  # Kerberos
        "syslog", rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} {_PROGRAM}{_PID}\((?P<level>[A-Za-z]+)\): )", UPPER
    ),
    Rule("syslog", rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} {_PID}: ?)", UPPER),
    Rule("syslog", rf"^(?P<head>{stamps.MONTH_DAY} {_HOST} (?P<sequence>[0-9]+): )", UPPER),  # Cisco counts its lines
)
RSYSLOG: Final = (
    Rule(  # Sophos UTM, with colons in its date
        "syslog",
        rf"^(?P<head>{stamps.COLONS} {_HOST} {_PROGRAM}(?:{_PID})?: ?)",
        DIGITS,
        fifth=":",
    ),
    Rule("syslog", rf"^(?P<head>{stamps.RFC3339} {_HOST} )(?:CEF|LEEF):[0-9]", DIGITS, fifth=DATED),
    Rule(  # ESXi from version 8 on: its word for the severity, and PRI behind it
        "syslog",
        rf"^(?P<head>{stamps.RFC3339} (?P<severity>[A-Z][a-z])\([0-9]{{1,3}}\)\[?\+?\]? {_PROGRAM}(?:(?:{_PID})?: ?| - ))",
        DIGITS,
        fifth=DATED,
        finish=_of_esxi,
    ),
    Rule("syslog", rf"^(?P<head>{stamps.RFC3339} {_HOST} {_PROGRAM}{_PID}{_ADDRESS}: ?)", DIGITS, fifth=DATED),
    Rule(
        "syslog",
        rf"^(?P<head>{stamps.RFC3339} (?P<host>[a-z0-9][A-Za-z0-9.-]*) (?P<source>[a-z][^ :\[]*): )",
        DIGITS,
        fifth=DATED,
        unless=rf"^{stamps.RFC3339}{_LEVELLED}",
    ),
)


def _structured(groups: pl.DataFrame) -> pl.DataFrame:
    """RFC 5424: `-` means nothing; structured data becomes pairs; a byte order mark before the message goes."""
    dash = [pl.col(n).replace("-", None) for n in ("stamp", "host", "source", "pid", "message_id")]
    groups = groups.with_columns(*dash, pl.col("message").str.strip_prefix("\ufeff"))
    return pairs.spread_structured(groups, "sd")


RFC5424: Final = Rule(
    "syslog-5424",
    rf"^(?P<head>[0-9]{{1,2}} (?:{stamps.RFC3339}|-) (?P<host>[^ ]+) (?P<source>[^ ]+) (?P<pid>[^ ]+) "
    r'(?P<message_id>[^ ]+) (?:(?:-|(?P<sd>(?:\[[^ \]"=]+(?: [^ =\]"]+="(?:[^"\\]|\\.)*")*\])+))(?: |$))?)',
    DIGITS,
    finish=_structured,
)
JOURNAL: Final = (  # journalctl's short-full, short-unix and short-monotonic
    Rule(
        "syslog",
        rf"^(?P<head>\[ *(?P<uptime>[0-9]+\.[0-9]{{6}})\] {_HOST} (?:(?P<source>[A-Za-z][^ :\[]*){_PID}|kernel): )",
        "[",
        "kernel",
    ),
    Rule(
        "syslog",
        rf"^(?P<head>[A-Z][a-z]{{2}} {stamps.YEAR_FIRST} {_HOST} (?P<source>[^ :\[]+)(?:{_PID})?: )",
        UPPER,
        fifth="12",
    ),
    Rule(
        "syslog",
        rf"^(?P<head>(?P<stamp>(?P<epoch>[0-9]{{10}}\.[0-9]{{6}})) {_HOST} (?P<source>[a-z][^ :\[]*)(?:{_PID})?: )",
        DIGITS,
        fifth=DIGITS,
    ),
)
RULES: Final = (*BSD, RFC5424, *RSYSLOG, *JOURNAL)

_OWN_EPOCH: Final = r"(?P<stamp>(?P<epoch>[0-9]{10}(?:\.[0-9]{1,9})?)) (?P<host>[^ ]*[^ :]) "
DEVICES: Final = (  # an epoch where a date should be, as Meraki and others write it; behind a relay its own header goes
    Rule("syslog-device", rf"^(?P<head>1 {_OWN_EPOCH})", "1"),
    Rule(
        "syslog-relayed",
        r"^(?P<head>(?P<relayed>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9-]{10}T[0-9:.]{8,18}(?:Z|[+-][0-9:]{5,6})) "
        rf"(?P<relay>[^ ]+) (?:1 )?{_OWN_EPOCH})",
        UPPER + DIGITS,
    ),
)
_AFTER_PRI: Final = (
    Rule("syslog", rf"^(?P<head>{stamps.EPOCH} {_HOST} {_PROGRAM}(?:{_PID})?: ?)", DIGITS),
    Rule("syslog-device", rf"^(?P<head>{_OWN_EPOCH})", DIGITS),
)


def _severity(groups: pl.DataFrame) -> pl.DataFrame:
    level, facility, severity = levels.severities(groups["pri"])
    return groups.drop("pri").with_columns(level.alias("level"), facility.alias("facility"), severity.alias("severity"))


def pri_rule(rest: tuple[Rule, ...]) -> Rule:
    """The rule of `<PRI>` and what follows it: its severity is the level, the rest is read by `rest`."""
    return Rule("syslog-pri", r"^(?P<head><(?P<pri>[0-9]{1,3})> *)", "<", rest=(*rest, *_AFTER_PRI), finish=_severity)
