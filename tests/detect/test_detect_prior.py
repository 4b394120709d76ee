"""The fixed prior: how many failed log-ins of one actor are too many, whatever training was like."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer, Switches
from sentinel.detect.judge.combine import ALARM_NATS, FEW_NATS, KNOWN_ATTEMPTS, PRIOR_ATTEMPTS, prior_nats
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.learn.fit import Trained
from sentinel.detect.lexicon.words import flags_of
from sentinel.detect.remember.raw import RAW, RAW_INDEX

USERS = ("root", "admin", "oracle", "uucp", "test", "guest")


def raw(**values: float) -> np.ndarray:
    row = np.zeros(len(RAW))
    for name, value in values.items():
        row[RAW_INDEX[name]] = value
    return row


@pytest.fixture
def prior(trained: Trained) -> Scorer:
    """A scorer in which the prior alone speaks."""
    only = Switches(forest=False, norm=False, sparse=False)
    return Scorer(trained.model, trained.state, switches=only)


def lines(present: pl.DataFrame, texts: list[str], gap_s: float) -> pl.DataFrame:
    """Lines of sshd from the end of the past on."""
    start = present["timestamp"][0]
    at = [start + timedelta(seconds=gap_s * i) for i in range(len(texts))]
    return pl.DataFrame(
        {
            "timestamp": pl.Series(at, dtype=pl.Datetime("ns", "UTC")),
            "level": ["info"] * len(texts),
            "source": ["sshd"] * len(texts),
            "message": texts,
            "attributes": pl.Series([None] * len(texts), dtype=pl.String),
        }
    )


@pytest.mark.parametrize("window", range(3))
def test_enough_attempts_in_any_span_are_an_alarm(window: int) -> None:
    """At the number of attempts of a span the prior is worth the threshold; below it, less."""
    name = f"failures{window}"

    assert prior_nats(raw(**{name: PRIOR_ATTEMPTS[window]})) == pytest.approx(ALARM_NATS)
    assert prior_nats(raw(**{name: PRIOR_ATTEMPTS[window] - 0.2})) < ALARM_NATS
    assert prior_nats(raw(**{name: KNOWN_ATTEMPTS[window]}, known_actor=1.0)) == pytest.approx(ALARM_NATS)


def test_guessing_ranks_by_how_much_of_it_there_is(prior: Scorer, present: pl.DataFrame) -> None:
    """A handful of quick guesses is an alarm, a mass of them has a score of 0.9 or more, and what lies between lies
    between."""
    guesses = [f"Failed password for root from 203.0.113.8 port {40_000 + i} ssh2" for i in range(40)]

    scores = prior.score(lines(present, guesses, 0.3))["anomaly_score"].to_list()

    assert scores[4] >= 0.5
    assert scores[4] < scores[9] < scores[14] <= scores[-1]
    assert scores[-1] >= 0.9


def test_who_logged_in_before_may_mistype_more_often(prior: Scorer, present: pl.DataFrame) -> None:
    """Five failures within half a minute are an alarm from a stranger, none from an address that logged in before."""
    before = lines(present, ["Accepted password for greta from 203.0.113.7 port 50001 ssh2"], 1.0)
    prior.score(before)

    def five(address: str) -> float:
        texts = [f"Failed password for greta from {address} port 5{i}000 ssh2" for i in range(5)]
        return float(prior.peek(lines(present, texts, 8.0))["nats"].to_numpy().max())

    assert five("203.0.113.8") >= ALARM_NATS
    assert five("203.0.113.7") < ALARM_NATS


def test_one_address_that_tries_many_users_is_an_alarm_earlier(prior: Scorer, present: pl.DataFrame) -> None:
    """Three users within nine seconds are enough; the same user three times is not."""

    def tried(users: tuple[str, ...]) -> float:
        texts = [f"Failed password for {user} from 203.0.113.9 port 40{i}00 ssh2" for i, user in enumerate(users)]
        return float(prior.peek(lines(present, texts, 2.5))["nats"].to_numpy().max())

    assert tried(USERS[:3]) >= ALARM_NATS
    assert tried(("greta",) * 3) < ALARM_NATS


DIALECTS = (
    "Failed password for {user} from {address} port 4{i}000 ssh2",
    'vpnd: user "{user}" rejected, wrong password, client {address}',
    "Invalid username or password uname={user} remote_addr={address}",
)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_mistyped_twice_is_no_alarm_and_a_third_time_is_guessing(
    trained: Trained, present: pl.DataFrame, dialect: str
) -> None:
    """All parts of the score speak, and the dialect may be new here: the count of failures decides, not the wording."""
    texts = [dialect.format(user="greta", address="203.0.113.44", i=i) for i in range(5)]

    verdicts = Scorer(trained.model, trained.state).peek(lines(present, texts, 1.5))

    assert verdicts["nats"].head(2).to_numpy().max() <= FEW_NATS < ALARM_NATS
    assert verdicts["nats"].tail(2).to_numpy().min() >= ALARM_NATS
    assert set(verdicts.filter("is_anomaly")["kind"]) == {"brute_force"}


def test_many_actors_that_fail_once_each_are_an_alarm(trained: Trained, present: pl.DataFrame) -> None:
    """None of them fails often, yet the source sees ever more who do."""
    texts = [DIALECTS[0].format(user=f"user{i}", address=f"198.51.100.{i}", i=i % 10) for i in range(20, 60)]

    verdicts = Scorer(trained.model, trained.state).peek(lines(present, texts, 4.0))

    assert verdicts["nats"].to_numpy().max() >= ALARM_NATS
    assert "credential_stuffing" in set(verdicts["kind"])


def test_connections_to_a_log_in_service_are_named_guessing(trained: Trained, present: pl.DataFrame) -> None:
    """As soon as they are an alarm at all, also before the prior speaks."""
    texts = [f"connection from 198.51.100.23 () at Sat Jul  9 22:53:{20 + i // 4} 2005" for i in range(12)]

    verdicts = Scorer(trained.model, trained.state).peek(lines(present, texts, 0.3))

    assert verdicts["kind"].drop_nulls().unique().to_list() == ["brute_force"]


def test_connections_of_many_addresses_are_named_stuffing(trained: Trained, present: pl.DataFrame) -> None:
    """The first reason says how many they are."""
    texts = [f"connection from 198.51.100.{i} () at Sat Jul  9 22:53:{i} 2005" for i in range(20, 60)]

    strange = Scorer(trained.model, trained.state).peek(lines(present, texts, 0.5)).filter("is_anomaly")

    assert strange["kind"].to_list()[-1] == "credential_stuffing"
    assert any("addresses within" in reason for reason in strange["reasons"].to_list()[-1])


def test_a_burst_of_connections_to_a_log_in_service_counts(prior: Scorer, present: pl.DataFrame) -> None:
    """Ten connections of one address within seconds are an alarm; five, or ten of many addresses, are not."""
    one = [f"connection from 198.51.100.23 () at Sat Jul  9 22:53:{20 + i // 4} 2005" for i in range(10)]
    many = [f"connection from 198.51.100.{i} () at Sat Jul  9 22:53:{20 + i // 4} 2005" for i in range(10)]

    assert prior.peek(lines(present, one, 0.3))["nats"].to_numpy().max() >= ALARM_NATS
    assert prior.peek(lines(present, one[:5], 0.3))["nats"].to_numpy().max() < ALARM_NATS
    assert prior.peek(lines(present, many, 0.3))["nats"].to_numpy().max() < ALARM_NATS


def test_flags_tell_connections_and_client_errors_apart() -> None:
    """A connection to a log-in service is one; a request refused as wrong is a client's error, a denied one is not."""
    assert flags_of("connection from <IP> () at <TIME>") & Flag.CONNECT
    assert not flags_of("connection from <IP> failed: authentication failure") & Flag.CONNECT
    assert flags_of('<IP> "GET <PATH>" S4xx <NUM>') & Flag.CLIENT_ERROR
    assert not flags_of('<IP> "GET <PATH>" S5xx <NUM>') & Flag.CLIENT_ERROR
    refused = flags_of('<IP> "GET <PATH>" S401 <NUM>')
    assert refused & (Flag.AUTH_FAILURE | Flag.BAD | Flag.CLIENT_ERROR) == Flag.AUTH_FAILURE | Flag.BAD


@pytest.mark.parametrize(
    ("masked", "is_filtered"),
    [
        ("[UFW BLOCK] IN=eth0 SRC=<IP> DST=<IP> PROTO=TCP SPT=<NUM> DPT=<NUM>", True),
        ("%ASA-<NUM>-<NUM>: Deny tcp src outside:<IP>/<NUM> dst inside:<IP>/<NUM>", True),
        ("Inbound TCP connection denied from <IP>/<NUM> to <IP>/<NUM> flags SYN", True),
        ("<NUM> eni-<HEX> <IP> <IP> <NUM> <NUM> <NUM> <NUM> <NUM> REJECT OK", True),
        ("access denied for user <USER> from <IP>", False),
        ("job dropped from queue <NUM>", False),
        ("connect() failed (<NUM>: Connection refused) while connecting to upstream", False),
    ],
)
def test_flags_tell_what_a_firewall_turned_away(masked: str, is_filtered: bool) -> None:
    """Packets and connections that a firewall turned away are told from refusals of other kinds."""
    assert bool(flags_of(masked) & Flag.FILTERED) == is_filtered
