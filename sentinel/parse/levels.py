"""The words, letters and numbers by which logs tell their level, and what they mean on our scale."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

__all__ = [
    "ANY_LEVEL",
    "PLAIN_LEVEL",
    "SYSLOG_LEVELS",
    "UPPER_LEVEL",
    "from_number",
    "from_status",
    "from_table",
    "from_word",
    "leading_code",
    "leading_word",
    "leading_words",
    "normalise",
    "severities",
]

_NAMES: Final = {
    "trace": "trace trc trce verbose verb vrb finer finest all trace1 trace2 trace3 trace4 trace5 trace6 trace7 "
    "trace8 v t silly "
    "spam",
    "debug": "debug dbg dbug debu debg fine debug1 debug2 debug3 debug4 debug5 ddebug subdebug db d d1 d2 d3 d4 d5",
    "info": "info information informational inf notice noti ntc note config conf cfg log system success succ audit "
    "auditsuccess "
    "audit_success hint detail http default notification mark ii df i n lifecycle quiet "
    "hinweis meldung informação informações información informazioni informations infos informacion informacao ",
    "warn": "warn warning wrn warnin warni w attn deprecated deprecation ww warnung advertencia advertência aviso avertissement avviso avvertenza",
    "error": "error err errs err! severe sevr failure fail erro eror errors exception fehler erreur erro errore grave schwerwiegend auditfailure audit_failure ee e",
    "fatal": "emrg alrt fatal ftl fata critical crit crt cri alert emerg emergency panic pani dpanic crash assert fault f c a kritisch critico crítico critique",
}
LEVEL_OF_WORD: Final = {word: level for level, words in _NAMES.items() for word in words.split()}
"""Lower-case word or letter → level: syslog, log4j, java.util.logging, Python, .NET, Android, glog, PostgreSQL."""

_PLAIN: Final = (
    "trace", "debug", "info", "notice", "warn", "warning", "error", "err", "fatal", "critical", "crit", "severe",
    "alert", "emerg", "panic",
)  # fmt: skip
_LINE_WORDS: Final = (
    *_PLAIN, "information", "emergency", "fine", "finer", "finest", "config", "verbose", "failure", "note", "log",
    "dbg", "inf", "wrn", "trc", "ftl",
)  # fmt: skip
UPPER_LEVEL: Final = "(?:" + "|".join(word.upper() for word in _LINE_WORDS) + ")"
"""Pattern of a level in capitals, as it may stand bare in a line."""
ANY_LEVEL: Final = "(?:" + "|".join(f"{w.upper()}|{w.capitalize()}|{w}" for w in _LINE_WORDS) + ")"
"""Pattern of a level in any usual case, for places where brackets or a colon mark it as one."""

_PLAIN_WORDS: Final = "|".join(f"{w.upper()}|{w.capitalize()}|{w}" for w in _PLAIN)
PLAIN_LEVEL: Final = rf"(?:{_PLAIN_WORDS})"
"""Pattern of a level's plain words in any usual case."""
_LEADING: Final = rf"^(?:\[(?:{_PLAIN_WORDS})\][: ]|(?:{_PLAIN_WORDS}): )"
_LEADING_WORD: Final = re.compile(_LEADING)
_LEADING_CODE: Final = re.compile(r"[A-Z]{3,5}[0-9]{3,5}(?P<kind>[IWESA])(?=[: ])")
_OF_CODES: Final = {"I": "info", "W": "warn", "E": "error", "S": "error", "A": "warn"}
"""An A asks for an action: https://www.ibm.com/docs/en/storage-protect, "Introduction to messages"."""
_LEADING_OF: Final = (
    rf"^(?:[A-Za-z_][A-Za-z0-9_.@/-]*(?:\([^()]*\))?(?:<[^<>]*>)*: |\([^()]*\) )?"
    rf"(?:\[({_PLAIN_WORDS})\][: ]|({_PLAIN_WORDS})(?: error)?: )"
)
"""The same behind a daemon's frame, perhaps behind one name: Dovecot's `imap(ann)<7>: Error: `."""

SYSLOG_LEVELS: Final = ("fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug")  # RFC 5424, table 2
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
_TENS: Final = ("trace", "debug", "info", "warn", "error", "fatal")  # bunyan and pino: 10, 20 … 60


_HIGH: Final = {
    100: "debug", 200: "info", 250: "info", 300: "warn", 400: "error", 500: "fatal", 550: "fatal", 600: "fatal",
    5_000: "trace", 10_000: "debug", 20_000: "info", 30_000: "warn", 40_000: "error", 50_000: "fatal",
}  # fmt: skip


def normalise(words: pl.Series) -> pl.Series:
    """The level of each word (String), null where the word is none."""
    return words.str.to_lowercase().replace_strict(LEVEL_OF_WORD, default=None, return_dtype=pl.String)


def leading_word(message: str) -> str | None:
    """The level that free text begins with, as in `error: no such file` or `[WARN] low`, else null."""
    found = _LEADING_WORD.match(message)
    return LEVEL_OF_WORD.get(found[0].strip("[]: ").lower()) if found else None


def leading_words(messages: pl.Series) -> pl.Series:
    """The same for each of many messages of daemons, which may name a service of theirs first."""
    groups = messages.str.extract_groups(_LEADING_OF).struct.unnest()
    return normalise(groups.select(pl.coalesce(pl.all())).to_series())


def leading_code(message: str) -> str | None:
    """The level that a message code of IBM's ends with, as in `AMQ9209E: Connection closed`, else null."""
    found = _LEADING_CODE.match(message)
    return _OF_CODES[found["kind"]] if found else None


def severities(pri: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Level, facility name and severity name of each syslog PRI number (0 to 191, as text), null outside."""
    number = pri.cast(pl.Int32, strict=False)
    known = number.is_between(0, 191)
    number = number.set(~known.fill_null(value=False), None)
    severity, facility = number % 8, number // 8
    return (
        severity.replace_strict(dict(enumerate(SYSLOG_LEVELS)), default=None, return_dtype=pl.String),
        facility.replace_strict(dict(enumerate(FACILITIES)), default=None, return_dtype=pl.String),
        severity.replace_strict(dict(enumerate(SEVERITIES)), default=None, return_dtype=pl.String),
    )


def from_table(group: str, table: Mapping[str, str]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What finishes a rule whose group of that name stands for a level: by a table, null for what is not in it."""

    def finish(groups: pl.DataFrame) -> pl.DataFrame:
        level = groups[group].replace_strict(table, default=None, return_dtype=pl.String)
        return groups.drop(group).with_columns(level.alias("level"))

    return finish


def from_status(status: pl.Series) -> pl.Series:
    """The level of each HTTP status (text of three digits): 5xx error, 4xx warn, else info."""
    kinds = {"5": "error", "4": "warn"}
    return status.str.slice(0, 1).replace_strict(kinds, default="info", return_dtype=pl.String)


def from_word(word: str) -> str | None:
    """The level of one word in any case, or of a number written as text; null when it is none."""
    text = word.strip().lower()
    level = LEVEL_OF_WORD.get(text)
    if level is None and text.isascii() and text.isdigit() and len(text) <= 2:
        return from_number(int(text))
    return level


def from_number(number: float) -> str | None:
    """The level of a number: 0 to 7 is a syslog severity, 10, 20 … 60 is bunyan's and pino's scale, 100 to 600
    Monolog's, 5000 to 50000 log4j's; null for any other.
    """
    if not 0 <= number <= max(_HIGH) or number != int(number):  # NaN is in no range
        return None
    if number < len(SYSLOG_LEVELS):
        return SYSLOG_LEVELS[int(number)]
    if number <= 60 and number % 10 == 0:
        return _TENS[int(number) // 10 - 1]
    return _HIGH.get(int(number))
