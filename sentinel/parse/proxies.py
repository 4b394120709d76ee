"""Requests as proxies, clouds and servers other than Apache log them: the status tells the level."""

from typing import Final

import polars as pl

from sentinel.parse import levels, stamps
from sentinel.parse.rules import DATED, DIGITS, Rule

__all__ = ["RULES"]

_STATUS: Final = r"(?P<status>[1-5][0-9]{2})"
_METHOD: Final = r"(?P<method>[A-Z]{3,10})"


def _rated(groups: pl.DataFrame) -> pl.DataFrame:
    """The level is the status', where there is one."""
    status = groups["status"]
    return groups.with_columns(levels.from_status(status).set(status.is_null(), None).alias("level"))


RULES: Final = (
    Rule(  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
        "aws-alb",
        rf"^(?P<head>(?P<type>https?|h2|grpcs?|wss?) {stamps.RFC3339} )(?P<balancer>[^ ]+) (?P<client>[^ ]+) [^ "
        r"]+ [0-9.-]+ "
        rf"[0-9.-]+ [0-9.-]+ (?:-|{_STATUS}) ",
        "hgw",
        finish=_rated,
    ),
    Rule(  # the older balancer: no type before the time
        "aws-elb",
        rf"^(?P<head>{stamps.RFC3339} )(?P<balancer>[^ ]+) (?P<client>[0-9a-f.:]+:[0-9]+) [^ ]+ [0-9.-]+ [0-9.-]"
        r"+ [0-9.-]+ "
        rf"(?:-|{_STATUS}) (?:-|[0-9]+) [0-9]+ [0-9]+ \"",
        DIGITS,
        fifth=DATED,
        finish=_rated,
    ),
    Rule(  # https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
        "aws-vpc-flow",
        r"^(?P<head>)[2-9] (?P<account>[0-9]+|unknown) (?P<interface>eni-[^ ]+) (?P<client>[^ ]+) (?P<server>[^ "
        r"]+) (?P<client_port>[^ ]+) "
        r"(?P<server_port>[^ ]+) (?P<protocol>[^ ]+) [0-9-]+ [0-9-]+ (?P<stamp>(?P<epoch>[0-9]{10})) [0-9]{10} ("
        r"?P<action>[A-Z-]+) ",
        "23456789",
    ),
    Rule(  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
        "aws-s3",
        rf"^(?P<head>(?P<owner>[0-9a-f]{{20,64}}) (?P<bucket>[^ ]+) \[{stamps.DAY_MONTH}\] )(?P<client>[^ ]+) (?"
        r"P<user>[^ ]+) "
        rf"(?P<request>[^ ]+) (?P<operation>[^ ]+) [^ ]+ (?:-|\"[^\"]*\") (?:-|{_STATUS}) ",
        "0123456789abcdef",
        fifth="0123456789abcdef",
        finish=_rated,
    ),
    Rule(
        "cloudfront",
        r"^(?P<head>(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})\t(?P<H>[0-9]{2}):(?P<M>[0-9]{2}):("
        r"?P<S>[0-9]{2}))\t)"
        rf"(?P<edge>[^\t]+)\t(?P<bytes>[0-9]+)\t(?P<client>[^\t]+)\t{_METHOD}\t[^\t]+\t[^\t]+\t{_STATUS}\t",
        DIGITS,
        fifth=DATED,
        finish=_rated,
        is_utc=True,
    ),
    Rule(  # W3C extended, in IIS' usual order: the query string stands behind the path
        "iis",
        r"^(?P<head>(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2}) (?P<H>[0-9]{2}):(?P<M>[0-"
        r"9]{2}):(?P<S>[0-9]{2})) )"
        rf"(?:[^ ]+ ){{0,3}}?{_METHOD} [^ ]+ [^ ]+ .*? {_STATUS} [0-9]+ [0-9]+(?: [0-9]+)*[ \r]*$",
        DIGITS,
        fifth=DATED,
        finish=_rated,
        is_utc=True,
    ),
    Rule(
        "squid",
        rf"^(?P<head>{stamps.EPOCH} +)(?P<elapsed>[0-9]+) (?P<client>[^ ]+) (?P<result>[A-Z_]+)/(?:000|{_STATUS}"
        rf") (?P<bytes>[0-9]+) {_METHOD} ",
        DIGITS,
        fifth=DIGITS,
        finish=_rated,
    ),
    Rule(
        "gin",
        rf"^(?P<head>(?:\[GIN\] )?{stamps.YEAR_FIRST} \| +){_STATUS} \| +[0-9.]+[^ ]* \| +(?P<client>[^ ]+) \| +"
        rf"{_METHOD} ",
        "[" + DIGITS,
        fifth=DATED + "]",
        finish=_rated,
    ),
    Rule(  # Envoy's default, and Istio's
        "envoy-access",
        r"^(?P<head>\[(?P<stamp>(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})T(?P<H>[0-9]{2}):(?P<M>["
        r"0-9]{2}):"
        rf"(?P<S>[0-9]{{2}})(?:\.(?P<f>[0-9]+))?Z)\] )\"(?:{_METHOD} [^\"]*|-[^\"]*)\" (?:0|{_STATUS}) ",
        "[",
        finish=_rated,
        is_utc=True,
    ),
    Rule(  # https://uwsgi-docs.readthedocs.io/en/latest/LogFormat.html
        "uwsgi",
        r"^(?P<head>\[pid: (?P<pid>[0-9]+)\|app: (?P<app>[^|]*)\|req: [^\]]*\] (?P<client>[^ ]+) \([^)]*\) "
        rf"\{{[^}}]*\}} \[{stamps.WEEKDAY}\] ){_METHOD} .*\(HTTP/[0-9.]+ {_STATUS}\) ",
        "[",
        fifth=":",
        finish=_rated,
    ),
    Rule(  # Django's runserver and others that put a bare time before the request
        "request",
        rf"^(?P<head>\[{stamps.DAY_MONTH}\] )\"{_METHOD} [^\"]*\" {_STATUS} ",
        "[",
        finish=_rated,
    ),
)
