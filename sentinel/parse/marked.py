"""Formats of systems whose marks only they use: Redis, auditd, Windows events as XML, Palo Alto, CEF and LEEF, JUL."""

import re
from html import unescape
from typing import Final

import polars as pl

from sentinel.parse import levels, pairs, stamps
from sentinel.parse.rules import DATED, DIGITS, LETTERS, UPPER, Rule

__all__ = ["JUL", "RULES"]

JUL: Final = "jul"
"""java.util.logging writes its level on the next line."""
_REDIS: Final = {"#": "warn", "*": "info", "-": "debug", ".": "debug"}
_AUDIT_PAIR: Final = re.compile(rf"(?:^| |')({pairs.KEY})=(\"[^\"]*\"|[^ '\"]+)")
_WINDOWS_LEVELS: Final = {"1": "fatal", "2": "error", "3": "warn", "4": "info", "0": "info", "5": "trace"}
_CEF_LEVELS: Final = {"9": "fatal", "10": "fatal", "7": "error", "8": "error", "4": "warn", "5": "warn", "6": "warn"}
_WEBSPHERE_LEVELS: Final = {
    "A": "info", "I": "info", "C": "info", "D": "debug", "W": "warn", "E": "error", "F": "fatal", "S": "error",
    "1": "debug", "2": "trace", "3": "trace",
}  # fmt: skip
"""An A is an audit; what O and R say was printed, and has no level."""
_TAG: Final = re.compile(r"<(?P<tag>\w+)(?P<attributes>(?:\s[^<>]*?)?)(?:/>|>(?P<text>[^<]*)</(?P=tag)>)")
_ATTRIBUTE: Final = re.compile(r"(\w+)=(?:'([^']*)'|\"([^\"]*)\")")
_EXTENSION: Final = re.compile(r"(\w[\w.]*)=((?:[^=\\\t]|\\.)*?)(?=[ \t]+\w[\w.]*=|\t|$)")


def _audit(groups: pl.DataFrame) -> pl.DataFrame:
    inner = [pairs.as_inner(dict(pairs.plain(_AUDIT_PAIR.findall(text)))) for text in groups["message"]]
    return groups.with_columns(pl.Series("inner", inner, dtype=pl.String))


def _event(groups: pl.DataFrame) -> pl.DataFrame:
    """The fields of one event: its system part by tags, its data by their names."""
    found = [_tags(text) for text in groups["text"]]
    takes = {"written": "SystemTime", "source": "Provider", "host": "Computer"}
    columns = [pl.Series(name, [one.get(tag) for one in found], dtype=pl.String) for name, tag in takes.items()]
    level = [_WINDOWS_LEVELS.get(one.pop("Level", "")) for one in found]
    for one in found:
        for tag in takes.values():
            one.pop(tag, None)
    inner = [pairs.as_inner(one) for one in found]
    return groups.with_columns(
        *columns, pl.Series("level", level, dtype=pl.String), pl.Series("inner", inner, dtype=pl.String)
    )


def _tags(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in _TAG.finditer(text):
        attributes = {name: one or other for name, one, other in _ATTRIBUTE.findall(tag["attributes"] or "")}
        if tag["tag"] == "Provider":
            found["Provider"] = attributes.get("Name", "")
        elif tag["tag"] == "TimeCreated":
            found["SystemTime"] = attributes.get("SystemTime", "")
        elif tag["text"]:
            found[attributes.get("Name", str(tag["tag"]))] = unescape(tag["text"])
    return found


def _extended(groups: pl.DataFrame) -> pl.DataFrame:
    """CEF and LEEF: the extension as attributes; the device's time, if it tells one."""
    found = [{name: value.strip() for name, value in _EXTENSION.findall(text)} for text in groups["extension"]]
    written = [one.get("rt") or one.get("devTime") or one.get("end") or one.get("start") for one in found]
    level = groups["severity"].replace_strict(_CEF_LEVELS, default=None, return_dtype=pl.String)
    words = levels.normalise(groups["severity"])
    return groups.drop("extension").with_columns(
        pl.Series("written", written, dtype=pl.String),
        pl.Series("inner", [pairs.as_inner(one) for one in found], dtype=pl.String),
        pl.coalesce(level, words).alias("level"),
        pl.Series("host", [one.get("dvchost") for one in found], dtype=pl.String),
    )


def _named(groups: pl.DataFrame) -> pl.DataFrame:
    """Until its second line is there, class and method are the message."""
    return groups.with_columns(pl.concat_str("source", "method", separator=" ").alias("message"))


def _of_websphere(groups: pl.DataFrame) -> pl.DataFrame:
    level = groups["level"].replace_strict(_WEBSPHERE_LEVELS, default=None, return_dtype=pl.String)
    return groups.with_columns(level.alias("level"))


RULES: Final = (
    Rule(
        "redis",
        r"^(?P<head>\[?(?P<pid>[0-9]+)(?::(?P<role>[A-Z]))?\]? (?P<stamp>(?P<d>[0-9]{1,2}) (?P<b>[A-Z][a-z]{2})"
        r"(?: (?P<Y>[0-9]{4}))? (?P<H>[0-9]{2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})(?:\.(?P<f>[0-9]+))?) "
        r"(?P<mark>[.*#-]) (?:WARNING:? )?)",
        "[" + DIGITS,
        finish=levels.from_table("mark", _REDIS),
    ),
    Rule(  # what it says while it handles a signal, where it may not format a time
        "redis",
        r"^(?P<head>(?P<pid>[0-9]+):signal-handler \((?P<stamp>(?P<epoch>[0-9]{10}))\) )",
        DIGITS,
    ),
    Rule(  # https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Event-Enrichment
        "auditd",
        r"^(?P<head>(?:node=(?P<host>[^ ]+) )?type=(?P<type>[^ ]+) msg=audit\((?P<stamp>(?P<epoch>[0-9]+\.[0-9]+"
        r")):(?P<serial>[0-9]+)\):? ?)",
        "nt",
        source="auditd",
        finish=_audit,
    ),
    Rule("windows-event", r"^(?P<head>)(?:<\?xml[^>]*>)?\s*<Event [^>]*>\s*<System>", "<", finish=_event),
    Rule(
        "paloalto",
        r"^(?P<head>)[0-9]*,(?P<stamp>(?P<Y>[0-9]{4})/(?P<m>[0-9]{2})/(?P<d>[0-9]{2}) (?P<H>[0-9]{2}):(?P<M>[0-9"
        r"]{2}):(?P<S>[0-9]{2})),"
        r"(?P<serial>[0-9A-F]+),(?P<type>[A-Z]+),(?P<subtype>[^,]*),",
        DIGITS + ",",
        fifth=DIGITS + ",",
    ),
    Rule(
        "cef",
        r"^(?P<head>CEF: ?[0-9]\|)(?P<vendor>[^|]*)\|(?P<source>[^|]*)\|(?P<version>[^|]*)\|(?P<signature>(?:[^|"
        r"\\]|\\.)*)\|"
        r"(?P<name>(?:[^|\\]|\\.)*)\|(?P<severity>[^|]*)\|(?P<extension>.*)",
        "C",
        finish=_extended,
    ),
    Rule(
        "leef",
        r"^(?P<head>LEEF: ?[0-9.]+\|)(?P<vendor>[^|]*)\|(?P<source>[^|]*)\|(?P<version>[^|]*)\|(?P<signature>[^|"
        r"]*)\|(?:[^|=]{0,6}\|)?"
        r"(?P<severity>(?P<extension>.*))",
        "L",
        finish=_extended,
    ),
    Rule(
        "erlang-report",
        rf"^(?P<head>=(?P<level>[A-Z]+) REPORT=+ {stamps.LAYOUTS['day-month-year']} =+ *)",
        "=",
    ),
    Rule(
        "weblogic",
        rf"^(?P<head>####<{stamps.LAYOUTS['month-day-year']}> <(?P<level>[A-Za-z]+)> <(?P<source>[^>]*)> <(?P<ho"
        r"st>[^>]*)> <(?P<server>[^>]*)> )",
        "#",
    ),
    Rule(
        "postgres-csv",
        rf"^(?P<head>{stamps.YEAR_FIRST},(?P<user>[^,]*),(?P<database>[^,]*),(?P<pid>[0-9]+),(?P<client>[^,]*),["
        r"^,]*,[0-9]+,[^,]*,[^,]*,[^,]*,"
        r"[0-9]*,(?P<level>[A-Z]+[1-5]?),(?P<code>[0-9A-Z]{5}),)",
        DIGITS,
        fifth=DATED,
        source="postgres",
    ),
    Rule(
        "postgres-rds",
        rf"^(?P<head>{stamps.YEAR_FIRST}:(?P<client>[^ @]*):(?P<user>[^@ ]*)@(?P<database>[^: ]*):\[(?P<pid>[0-9"
        r"]+)\]:(?P<level>[A-Z]+[1-5]?): +)",
        DIGITS,
        fifth=DATED,
        source="postgres",
    ),
    Rule(
        "liberty",
        rf"^(?P<head>\[{stamps.LAYOUTS['month-first-short']}\] (?P<thread>[0-9a-f]{{8}}) (?P<source>[A-Za-z_][A-"
        r"Za-z0-9_.]*) +(?P<level>[AIWEFRDOSZC123]) +)",
        "[",
        finish=_of_websphere,
    ),
    Rule("logrus", rf"^(?P<head>(?P<level>[A-Z]{{4}})\[{stamps.RFC3339}\] +)", UPPER),
    Rule("logrus", r"^(?P<head>(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[[0-9]{4,}\] +)", "TDIWEFP"),
    Rule(
        "chromium",
        rf"^(?P<head>\[(?P<pid>[0-9]+):(?P<tid>[0-9]+):{stamps.LAYOUTS['month-number-basic']}:(?P<level>[A-Z]+[0"
        r"-9]*):(?P<source>[^(\]]+)\((?P<line>[0-9]+)\)\] )",
        "[",
    ),
    Rule("zabbix", rf"^(?P<head> *(?P<pid>[0-9]+):{stamps.LAYOUTS['basic']} )", " " + DIGITS, fifth=DIGITS + ": "),
    Rule(
        JUL,
        rf"^(?P<head>{stamps.LAYOUTS['month-day-year']} (?P<source>(?:[A-Za-z0-9_$]+\.)+[A-Za-z0-9_$]+|[A-Z][A-Za-z0-9_$]*) (?P<method>[A-Za-z0-9_<>$]+))$",
        LETTERS,
        finish=_named,
        unless=rf" {levels.UPPER_LEVEL} [\w<>$]+$",
    ),
)
