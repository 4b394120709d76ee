"""Events of many lines that tell time, level and source somewhere inside: Windows' as text, ModSecurity's, Snort's."""

import re
from functools import partial
from typing import Final

import polars as pl

from sentinel.parse.rules import Rule

__all__ = ["BEGIN", "CRASH", "RULES"]

BEGIN: Final = (
    r"^Event\[[0-9]+\]:?[ \t\r]*(?:\n|$)|^TimeCreated +: \S"  # wevtutil; PowerShell's Format-List of an event
    r"|^--[0-9a-f]{8}-A--[ \t\r]*(?:\n|$)"  # ModSecurity's serial audit log
    r"|^\[\*\*\] \[[0-9]+:[0-9]+:[0-9]+\] .* \[\*\*\][ \t\r]*(?:\n|$)"  # Snort's full alerts
)
"""The first line of each of them; all lines up to the next such line belong to the event."""
CRASH: Final = (
    r"^(?:#[ \t\r]*\n)?# (?:A fatal error has been detected by|There is insufficient memory for) the Java Runtime"
)
"""What a Java machine that dies writes, into a file of its own or in the midst of a log, which goes on behind it."""
_PAIR: Final = re.compile(r"[ \t]*([A-Za-z][A-Za-z ]*?) *: ?(.*)")
_MESSAGES: Final = frozenset({"description", "message"})
_NAMES: Final = {
    "date": "written", "timecreated": "written", "timegenerated": "written", "source": "source",
    "providername": "source", "level": "level", "leveldisplayname": "level", "entrytype": "level", "computer": "host",
    "machinename": "host", "event id": "event_id", "id": "event_id", "log name": "log", "logname": "log",
}  # fmt: skip
_ZONED: Final = re.compile(r"\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:.]+(?: [+-][0-9]{4})?)\] ")
_OF_JVM: Final = re.compile(
    r"(?m)^[Tt]ime: ([A-Z][a-z]{2} [A-Z][a-z]{2} +[0-9]{1,2} [0-9:]{8}) ([0-9]{4})(?: ([A-Z]{3,4})\b)?"
)
_OF_SNORT: Final = re.compile(r"(?m)^([0-9]{2}/[0-9]{2}(?:/[0-9]{2,4})?-[0-9:.]+) ")


def _of_windows(groups: pl.DataFrame) -> pl.DataFrame:
    """Names and values, one a line; what stands behind the last name is the message."""
    found = [_pairs_of(text) for text in groups["text"]]
    names = ("written", "source", "level", "host", "event_id", "log", "message")
    columns = [pl.Series(name, [one.get(name) for one in found], dtype=pl.String) for name in names]
    return groups.with_columns(*columns)


def _pairs_of(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        pair = _PAIR.fullmatch(line)
        if pair is None:
            continue
        name, value = pair[1].lower(), pair[2].strip()
        if name in _MESSAGES:
            found["message"] = "\n".join([value, *lines[number + 1 :]]).strip()
            break
        if value and name in _NAMES:
            found.setdefault(_NAMES[name], value)
    return {"message": text, **found}


def _dated(groups: pl.DataFrame, way: re.Pattern[str]) -> pl.DataFrame:
    """The first time in the text, which the message goes without."""
    found = [way.search(text) for text in groups["text"]]
    written = [one[1] if one else None for one in found]
    messages = [
        text[: one.start()] + text[one.end() :] if one else text
        for text, one in zip(groups["message"], found, strict=True)
    ]
    return groups.with_columns(
        pl.Series("written", written, dtype=pl.String), pl.Series("message", messages, dtype=pl.String)
    )


def _of_crash(groups: pl.DataFrame) -> pl.DataFrame:
    """When the machine died, which it tells with its zone behind the year."""
    found = [_OF_JVM.search(text) for text in groups["text"]]
    written = [" ".join(part for part in (one[1], one[3], one[2]) if part) if one else None for one in found]
    return groups.with_columns(
        pl.Series("written", written, dtype=pl.String), pl.col("text").str.strip_chars_start("# \n").alias("message")
    )


RULES: Final = (
    Rule("jvm-crash", r"^(?P<head>#)", "#", finish=_of_crash),
    Rule("windows-event-text", r"^(?P<head>)(?:Event\[|TimeCreated )", "ET", finish=_of_windows),
    Rule("modsecurity", r"^(?P<head>)--[0-9a-f]{8}-A--", "-", finish=partial(_dated, way=_ZONED)),
    Rule("snort-full", r"^(?P<head>)\[\*\*\] ", "[", finish=partial(_dated, way=_OF_SNORT)),
)
"""Seen whole, not by their first line."""
