"""Formats that belong to one system each: supercomputers, Android, HealthApp, Proxifier, glog."""

from typing import Final

import polars as pl

from sentinel.parse import stamps
from sentinel.parse.rules import DATED, DIGITS, UPPER, Rule

__all__ = ["RULES"]

_CLOCK: Final = r"(?P<H>[0-9]{2}):(?P<M>[0-9]{2}):(?P<S>[0-9]{2})"
_LABEL: Final = r"(?P<label>-|[A-Z0-9_]+) (?P<stamp>(?P<epoch>[0-9]{9,10})) [0-9]{4}\.[0-9]{2}\.[0-9]{2}"
_BRIEF: Final = r"(?P<level>[VDIWEFA])/(?P<source>[^(]*?) *\( *(?P<pid>[0-9]+)\): ?"
_LABELS: Final = "-" + UPPER + DIGITS


def _milliseconds(groups: pl.DataFrame) -> pl.DataFrame:
    """HealthApp writes numbers without leading zeros: `:7` is seven milliseconds."""
    return groups.with_columns(pl.col("f").str.zfill(3))


def _minutes_east(groups: pl.DataFrame) -> pl.DataFrame:
    """`+060` is `+01:00`."""
    minutes = groups["z"].str.slice(1).cast(pl.Int64)
    clock = (minutes // 60).cast(pl.String).str.zfill(2) + ":" + (minutes % 60).cast(pl.String).str.zfill(2)
    return groups.with_columns((groups["z"].str.slice(0, 1) + clock).alias("z"))


RULES: Final = (
    Rule(  # BlueGene/L: the first column is an alert's label, `-` for none; the epoch is UTC, the written time is not
        "bgl",
        rf"^(?P<head>{_LABEL} (?P<host>[^ ]+) [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}\.[0-9]{{2}}\.[0-9]{{2}}\."
        r"(?P<f>[0-9]{1,9}) [^ ]+ (?P<type>[^ ]+) (?P<source>[^ ]+) (?P<level>[A-Z]+)(?: |$))",
        _LABELS,
    ),
    Rule(
        "thunderbird",
        rf"^(?P<head>{_LABEL} (?P<host>[^ ]+) [A-Z][a-z]{{2}} +[0-9]{{1,2}} [0-9:]{{8}} (?P<location>[^ ]+) )",
        _LABELS,
        rest=(
            Rule("program", r"^(?P<head>(?P<source>[^ :\[]+)(?:\[(?P<pid>[0-9]+)\])?: ?)"),
            Rule("program", r"^(?P<head>(?P<source>[^:\[]+)\[(?P<pid>[0-9]+)\]: ?)"),
        ),
    ),
    Rule(
        "hpc",
        r"^(?P<head>(?P<log_id>[0-9]+) (?P<host>[^ ]+) (?P<source>[^ ]+) (?P<state>[^ ]+) "
        r"(?P<stamp>(?P<epoch>[0-9]{9,10})) (?P<flag>-?[0-9]+)(?: |$))",
        DIGITS,
    ),
    Rule(
        "android",
        rf"^(?P<head>(?P<stamp>(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}}) {_CLOCK}\.(?P<f>[0-9]{{3,6}})) +(?P<pid>[0-9]+) +"
        r"(?P<tid>[0-9]+) (?P<level>[VDIWEFA]) (?P<source>[^:]*?) *:(?: |$))",
        DIGITS,
        fifth=DIGITS,
    ),
    Rule(  # its brief form, and the one with a time
        "android",
        rf"^(?P<head>(?P<stamp>(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}}) {_CLOCK}\.(?P<f>[0-9]{{3,6}})) +"
        rf"{_BRIEF})",
        DIGITS,
        fifth=DIGITS,
    ),
    Rule("android", rf"^(?P<head>{_BRIEF})", "VDIWEFA"),
    Rule(  # logcat -v long: the message stands on the next line
        "android",
        rf"^(?P<head>\[ (?P<stamp>(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}}) {_CLOCK}\.(?P<f>[0-9]{{3,6}})) +(?P<pid>[0-9]+): *"
        r"(?P<tid>[0-9]+) (?P<level>[VDIWEFA])/(?P<source>.*?) *\])",
        "[",
    ),
    Rule(
        "healthapp",
        r"^(?P<head>(?P<stamp>(?P<Y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})-(?P<H>[0-9]{1,2}):(?P<M>[0-9]{1,2}):"
        r"(?P<S>[0-9]{1,2}):(?P<f>[0-9]{1,3}))\|(?P<source>[^|]*)\|(?P<pid>[^|]*)\|)",
        DIGITS,
        fifth=DIGITS,
        finish=_milliseconds,
    ),
    Rule(
        "proxifier",
        rf"^(?P<head>\[(?P<stamp>(?P<m>[0-9]{{2}})\.(?P<d>[0-9]{{2}}) {_CLOCK})\] (?P<source>[^ ]+(?: \*64)?) - )",
        "[",
    ),
    Rule(  # CockroachDB, with a year and its node
        "cockroach",
        rf"^(?P<head>(?P<level>[IWEF])(?P<stamp>(?P<y>[0-9]{{2}})(?P<m>[0-9]{{2}})(?P<d>[0-9]{{2}}) {_CLOCK}\.(?"
        r"P<f>[0-9]{1,9})) +"
        r"(?P<pid>[0-9]+) (?:[0-9]+@)?(?P<source>[^ :\]]+):(?P<line>[0-9]+) +(?:\S \[(?P<node>[^\]]*)\] |\[(?P<t"
        r"ags>[^\]]*)\] )?(?:[0-9]+ +)?)",
        "IWEF",
    ),
    Rule(
        "couchbase",
        rf"^(?P<head>\[(?P<source>[A-Za-z0-9_]+):(?P<level>[a-z]+),{stamps.YEAR_FIRST},(?P<process>[^\]]*)\])",
        "[",
    ),
    Rule(  # Db2 writes its zone as minutes east of UTC: https://www.ibm.com/docs/en/db2 "db2diag log files"
        "db2diag",
        r"^(?P<head>(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})-(?P<H>[0-9]{2})\.(?P<M>[0-9]{2})\."
        r"(?P<S>[0-9]{2})\.(?P<f>[0-9]{6})(?P<z>[+-][0-9]{3})) +(?P<record>[A-Z][0-9]+[A-Z][0-9]+) +"
        r"LEVEL: (?P<level>[A-Za-z]+).*)",
        DIGITS,
        fifth=DATED,
        finish=_minutes_east,
    ),
    Rule(  # klog and glog: E0102 15:04:05.123456 1234 file.go:12] message
        "glog",
        rf"^(?P<head>(?P<level>[IWEFD])(?P<stamp>(?P<m>[0-9]{{2}})(?P<d>[0-9]{{2}}) {_CLOCK}\.(?P<f>[0-9]{{1,9}})) +"
        r"(?P<pid>[0-9]+) (?P<source>[^ :\]]+):(?P<line>[0-9]+)\] ?)",
        "IWEFD",
    ),
)
