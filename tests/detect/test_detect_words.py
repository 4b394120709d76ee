"""What reads as a failed log-in, in many daemons' words, and who it was about."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.learn.fit import fit
from sentinel.records import RECORD_SCHEMA

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
WORDINGS = [
    "login incorrect: user={user} remote={ip}",
    "Failed password for {user} from {ip} port 4022 ssh2",
    "Failed password for invalid user {user} from {ip} port 4022 ssh2",
    "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}  user={user}",
    'FAIL LOGIN: Client "{ip}"',
    "login rejected for {user} ({ip}): wrong credentials",
    "auth-worker: password mismatch for user {user}, rip={ip}",
    "LOGIN FAILED, user={user}, ip=[{ip}]",
    "Access denied for user '{user}'@'{ip}' (using password: YES)",
    'password authentication failed for user "{user}" host {ip}',
    "sign-in attempt refused: bad password, user={user}, client={ip}",
]


def records(messages: list[str], gap_s: float) -> pl.DataFrame:
    count = len(messages)
    known = {
        "event_id": [f"{i:022d}" for i in range(count)],
        "timestamp": [START + timedelta(seconds=i * gap_s) for i in range(count)],
        "received": [START] * count,
        "level": ["info"] * count,
        "source": ["gate"] * count,
        "message": messages,
    }
    return pl.DataFrame({n: pl.Series(n, known.get(n, [None] * count), dtype=t) for n, t in RECORD_SCHEMA.items()})


@pytest.fixture(scope="module")
def young() -> Scorer:
    """A model of two lines, which has only what nobody needs to learn."""
    trained = fit(records(["user ann logged in", "user bob logged in"], 5.0), seed=0, now=START)
    return Scorer(trained.model, trained.state)


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("gap_s", [0.7, 33.0])
def test_guessing_is_caught_in_any_words_by_a_young_model(young: Scorer, wording: str, gap_s: float) -> None:
    """Forty failed log-ins from one address, quick or slow, are brute force, and the address is named."""
    users = ("root", "admin", "test", "oracle")
    lines = [wording.format(user=users[i % 4], ip="192.0.2.77") for i in range(40)]

    verdicts = young.peek(records(lines, gap_s))

    last = verdicts.row(-1, named=True)
    assert last["is_anomaly"]
    assert last["kind"] == "brute_force"
    assert "192.0.2.77" in last["reasons"][0]
