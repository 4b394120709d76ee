"""Who is behind a line: nobody, where an address is none of a machine's, or masking has put a placeholder there."""

import polars as pl
import pytest

from sentinel.detect.explain.incidents import actors_of


def said(message: str) -> pl.DataFrame:
    return pl.DataFrame({"message": [message], "attributes": [None]}, schema_overrides={"attributes": pl.String})


@pytest.mark.parametrize(
    "message",
    [
        "host all all 0.0.0.0/0 scram-sha-256",
        "listening on 0.0.0.0:5432",
        "bound to :: port 22",
        "listen [::]:443",
        "netmask 255.255.255.0 set on eth0",
        "broadcast to 255.255.255.255",
        "route 10.20.0.0/16 added",
        "agent version 4.18.0.12 started",
        "Versão: 2.4.0.7",
        "firmware=1.10.3.9 loaded",
        "sent by Chrome/139.0.0.0",
        "payment of user <CARD> was declined",
        "login for user=[FILTERED] ok",
        "user=null is refused",
    ],
)
def test_nobody_is_behind_a_line_that_names_none(message: str) -> None:
    """Unspecified addresses, masks, networks, versions and placeholders are nobody's."""
    assert actors_of(said(message)) == [""]


@pytest.mark.parametrize(
    ("message", "actor"),
    [
        ("refused 203.0.113.0 twice", "203.0.113.0"),
        ("denied tcp outside/203.0.113.9(4431) to inside", "203.0.113.9"),
        ("Deny tcp src outside:203.0.113.9/4431 dst inside:10.0.0.5/22", "203.0.113.9"),
        ("0.0.0.0 asked for by 203.0.113.9", "203.0.113.9"),
        ("route 10.0.0.0/8 changed by client 10.0.0.7", "10.0.0.7"),
        ("connection from ::1 closed", "::1"),
        ("failed login from 127.0.0.1", "127.0.0.1"),
        ("version 4.18.0.12 asked for by 203.0.113.9", "203.0.113.9"),
        ("login of user nullmann failed", "nullmann"),
        ("imap-login: Login: user=<BOB.SMITH>, method=PLAIN", "BOB.SMITH"),
    ],
)
def test_somebody_beside_or_like_it_is_named(message: str, actor: str) -> None:
    """What stands before the one who acts, or only looks like nobody, hides nobody."""
    assert actors_of(said(message)) == [actor]
