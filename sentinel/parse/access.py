"""Web servers: access logs (common, combined, with virtual host) and the error logs of Apache and nginx."""

from typing import Final

import polars as pl

from sentinel.parse import levels, stamps
from sentinel.parse.applog import AFTER_TIME
from sentinel.parse.rules import UPPER, Rule

__all__ = ["ERROR_RULES", "RULES"]

_REQUEST: Final = (
    r'"(?:(?P<method>[A-Z]{3,10}) [^"\\]*(?:\\.[^"\\]*)*|[^"\\]*(?:\\.[^"\\]*)*)"'
    r" (?P<status>[1-5][0-9]{2}) (?P<bytes>[0-9]+|-)"
)


def _finish(groups: pl.DataFrame) -> pl.DataFrame:
    """The message is the client and all from the request on, as in `1.2.3.4 "GET / HTTP/1.1" 200 12 "-" "curl/8"`."""
    message = pl.col("message")
    whole = pl.col("text").str.starts_with('"') & message.str.ends_with('"')  # a line wrapped in quotes
    message = pl.when(whole).then(message.str.slice(0, message.str.len_chars() - 1)).otherwise(message)
    user, size = (pl.col(n).replace("-", None) for n in ("user", "bytes"))
    return groups.with_columns(
        pl.concat_str(pl.col("client"), pl.lit(" "), message).alias("message"),
        levels.from_status(groups["status"]).alias("level"),
        user,
        size,
    )


_REQUESTS: Final = (
    Rule(
        "access",
        r'^(?P<head>"?(?:(?P<vhost>[A-Za-z0-9.-]+:[0-9]{1,5}) )?(?P<client>[^ "<{\[]+) (?:[^ ]+) '
        rf"(?P<user>[^ \[]+(?: [^ \[]+)*) \[{stamps.DAY_MONTH}\] ){_REQUEST}",
        source="access",
        finish=_finish,
    ),
    Rule(
        "access-other",  # no request could be read: TLS bytes on a plain port, an own format
        rf'^(?P<head>"?(?P<client>[^ "<{{\[]+) [^ ]+ (?:-|(?P<user>[^ \[]+)) \[{stamps.DAY_MONTH}\] )',
        source="access",
    ),
)
RULES: Final = (
    Rule(  # Python's logging, and a request behind it
        "level-logger",
        rf"^(?P<head>(?P<level>{levels.UPPER_LEVEL}):(?P<source>[A-Za-z_][A-Za-z0-9_.]*):)[^ ]+ (?:[^ ]+ )*"
        rf"\[{stamps.DAY_MONTH}\] \"",
        UPPER,
        rest=_REQUESTS,
    ),
    *_REQUESTS,
)

ERROR_RULES: Final = (
    Rule(
        "apache-error",
        rf"^(?P<head>\[{stamps.WEEKDAY}\] \[(?:(?P<module>[A-Za-z0-9_-]*):)?(?P<level>[a-z]+[1-8]?)\] "
        r"(?:\[pid (?P<pid>[0-9]+)(?::tid (?P<tid>[0-9]+))?\] )?)(?:\[(?:client|remote) (?P<client>[^ ]+)\])?",
        "[",
        source="apache",
    ),
    Rule("ctime", rf"^(?P<head>\[?{stamps.WEEKDAY}\]?:? )", "[" + UPPER, rest=AFTER_TIME, timed=True),
)
