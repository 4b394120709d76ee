"""Write lines as programs write them to files: syslog, access logs, JSON lines, logfmt, log4j and Python styles."""

import json
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl

from sentinel.errors import TerminalError

__all__ = ["FORMATS", "append_files", "file_lines", "write_lines"]

Line = tuple[datetime, str | None, str, str, str]
"""Timestamp, level, source, host, message."""

SEVERITY = {"fatal": 2, "error": 3, "warn": 4, "info": 6, "debug": 7, "trace": 7}
NO_PID = frozenset({"kernel", "sudo", "su", "useradd", "usermod"})


def _syslog(line: Line) -> str:
    at, _, source, host, message = line
    pid = "" if source in NO_PID else f"[{_pid(source, host)}]"
    return f"{at:%b} {at.day:2d} {at:%H:%M:%S} {host} {source}{pid}: {message}"


def _syslog5424(line: Line) -> str:
    at, level, source, host, message = line
    pri = 8 + SEVERITY.get(level or "info", 6)
    app = source.replace(" ", "_")[:48]
    return f"<{pri}>1 {_iso(at)} {host or '-'} {app} {_pid(source, host)} - - {message}"


def _access(line: Line) -> str:
    at, _, _, _, message = line
    address, _, rest = message.partition(" ")
    return f"{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] {rest}"


def _json(line: Line) -> str:
    at, level, source, host, message = line
    fields = {"timestamp": _iso(at), "level": level, "source": source, "host": host, "message": message}
    return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)


def _logfmt(line: Line) -> str:
    at, level, source, host, message = line
    return f"time={_iso(at)} level={level or 'info'} source={source} host={host} msg={json.dumps(message)}"


def _log4j(line: Line) -> str:
    at, level, source, _, message = line
    thread = f"worker-{_pid(source, message[:9]) % 8}"
    return f"{_comma(at)} {(level or 'info').upper():5s} [{thread}] {source} - {message}"


def _python(line: Line) -> str:
    at, level, source, _, message = line
    name = {"warn": "WARNING", "fatal": "CRITICAL"}.get(level or "info", (level or "info").upper())
    return f"{_comma(at)} - {source} - {name} - {message}"


FORMATS: dict[str, Callable[[Line], str]] = {
    "syslog": _syslog,
    "syslog5424": _syslog5424,
    "access": _access,
    "json": _json,
    "logfmt": _logfmt,
    "log4j": _log4j,
    "python": _python,
}

FILES: tuple[tuple[str, str, str], ...] = (
    (r"^(nginx|apache2|werkzeug|traefik)$", "access.log", "access"),
    (r"^(sshd|sudo|su|systemd-logind|dropbear|useradd|usermod)$", "auth.log", "syslog"),
    (r"^(c\.l\.|com\.|org\.|o\.s\.)", "orders.log", "log4j"),
    (r"^(thumbnails|imaging|etl|django)", "worker.log", "python"),
    (r"^(broker|gateway|payments|saga|billing|node-agent|search-node)", "services.ndjson", "json"),
    (r"", "syslog", "syslog"),
)
"""Pattern of the source, file it writes to, form; the first that fits."""
REQUEST = r'^\S+ "[A-Z]+ \S+ HTTP/[\d.]+" \d{3} \d+ '


def _pid(source: str, host: str | None) -> int:
    return 300 + zlib.crc32(f"{source}@{host}".encode()) % 30_000


def _comma(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z"


def write_lines(frame: pl.DataFrame, form: str) -> list[str]:
    """Render timestamp, level, source, host, message as lines (without line ends) of one of FORMATS, in the same order.

    "access" is for messages that begin with the client's address; "syslog" has neither level, year nor fractions of
    a second, as in real files. Raises TerminalError for an unknown form.
    """
    if form not in FORMATS:
        raise TerminalError(f"write lines: no form {form!r}; there are {', '.join(FORMATS)}")
    write = FORMATS[form]
    columns = frame.select("timestamp", "level", "source", "host", "message")
    return [write(line) for line in columns.iter_rows()]


def file_lines(frame: pl.DataFrame) -> dict[str, list[str]]:
    """Divide lines among the files their programs would write: file name to lines, each in its file's form."""
    rest = frame.with_columns(pl.col("host").fill_null("host-1"))
    result: dict[str, list[str]] = {}
    for pattern, name, form in FILES:
        fits = pl.col("source").str.contains(pattern) if pattern else pl.lit(value=True)
        if form == "access":
            fits = fits & pl.col("message").str.contains(REQUEST)
        chosen, rest = rest.filter(fits), rest.filter(~fits)
        if not chosen.is_empty():
            result[name] = write_lines(chosen, form)
    return result


def append_files(frame: pl.DataFrame, folder: Path) -> dict[str, int]:
    """Append lines to the files of a folder, as their programs would: file name to the number of lines added."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = file_lines(frame)
    for name, texts in lines.items():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in texts)
    return {name: len(texts) for name, texts in lines.items()}
