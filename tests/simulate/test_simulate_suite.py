"""Simulated logs: what a seed gives, what an attack leaves, how lines look in files."""

import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.errors import TerminalError
from sentinel.simulate import (
    ATTACK_KINDS,
    EXPECTED_KINDS,
    FORMATS,
    LINE_SCHEMA,
    append_files,
    change_regime,
    drifting_fleet,
    file_lines,
    fleet,
    inject,
    sample_day,
    write_lines,
)
from sentinel.simulate.inject import RECIPES
from sentinel.simulate.wordings import read_logins, read_stage, read_wordings

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def day() -> pl.DataFrame:
    return fleet(seed=4, start=START, duration_s=DAY_S)


@pytest.fixture(scope="module")
def suite(day):
    return inject(day, seed=5, each=2)


def test_fleet_is_the_same_for_the_same_seed(day):
    """A seed gives the same lines each time, another seed others."""
    assert day.equals(fleet(seed=4, start=START, duration_s=DAY_S))
    assert not day.equals(fleet(seed=6, start=START, duration_s=DAY_S))


def test_fleet_has_the_size_and_order_of_a_small_fleet(day):
    """A day has 20,000 to 45,000 lines, in time order, inside the span, in the promised schema."""
    assert 20_000 < len(day) < 45_000
    assert dict(day.schema) == LINE_SCHEMA
    assert day["timestamp"].is_sorted()
    assert day["timestamp"][0] >= START
    assert day["timestamp"][-1] < START + timedelta(days=1)


def test_fleet_sleeps_at_night(day):
    """Visits follow the day: more at two in the afternoon than at two in the night."""
    hours = day.filter(pl.col("source") == "nginx")["timestamp"].dt.hour()

    assert (hours == 14).sum() > 2 * (hours == 2).sum()


def test_fleet_has_ordinary_failures(day):
    """Nobody attacks, yet passwords are mistyped, pages missing and payments declined."""
    text = "\n".join(day["message"].to_list())

    assert "Failed password" in text
    assert '" 404 ' in text
    assert "declined by issuer" in text


def test_service_does_not_depend_on_the_others(day):
    """Asking for one service gives exactly its lines of the whole fleet."""
    alone = fleet(seed=4, start=START, duration_s=DAY_S, services=["thumbnails"])

    assert alone.equals(day.filter(pl.col("source").str.starts_with("thumbnails")))


def test_fleet_refuses_an_unknown_service_and_a_naive_start():
    """Errors name what is wrong and what there is."""
    with pytest.raises(TerminalError, match="no service 'tape'; there are web"):
        fleet(seed=1, start=START, duration_s=10.0, services=["tape"])
    with pytest.raises(TerminalError, match="no time zone"):
        fleet(seed=1, start=datetime(2026, 11, 2), duration_s=10.0)


def test_every_kind_is_injected_with_its_truth(suite):
    """Each kind is there twice; the lines of an attack lie inside its start and end, and are counted."""
    assert sorted(suite.attacks["kind"].to_list()) == sorted(ATTACK_KINDS * 2)
    lines = suite.lines.filter(pl.col("label") == 1)
    for attack in suite.attacks.iter_rows(named=True):
        own = lines.filter(pl.col("attack") == attack["attack"])
        assert len(own) == attack["lines"]
        if attack["kind"] in {"silence", "rate_drop"}:
            continue
        assert (
            own["timestamp"].is_between(pl.lit(attack["start"]), pl.lit(attack["end"])).all() if len(own) > 1 else True
        )
        assert attack["lines"] > 0


def test_injection_is_the_same_for_the_same_seed(day, suite):
    """The same background and seed give the same suite."""
    again = inject(day, seed=5, each=2)

    assert again.lines.equals(suite.lines)
    assert again.attacks.equals(suite.attacks)


def test_attacks_stay_in_their_window(day):
    """Nothing is attacked before `since`."""
    noon = START + timedelta(hours=12)

    suite = inject(day, seed=5, since=noon)

    assert suite.attacks["start"].min() > noon
    assert suite.lines.filter((pl.col("label") != 0) & (pl.col("timestamp") < noon)).is_empty()


def test_earlier_attacks_come_before_the_window(day):
    """Incidents of the past lie before `since`, under names of their own; the others are not moved by them."""
    noon = START + timedelta(hours=12)

    with_past = inject(day, seed=5, since=noon, earlier=1)

    past = with_past.attacks.filter(pl.col("attack").str.contains("#e"))
    assert sorted(past["kind"].to_list()) == sorted(ATTACK_KINDS)
    assert past["start"].max() < noon
    rest = with_past.attacks.filter(~pl.col("attack").str.contains("#e"))
    assert rest.equals(inject(day, seed=5, since=noon).attacks)


def test_silence_takes_the_sign_of_life_away(suite):
    """Between start and end of a silence its source says nothing at all, before it does."""
    for attack in suite.attacks.filter(pl.col("kind") == "silence").iter_rows(named=True):
        own = suite.lines.filter(pl.col("source") == attack["source"])
        during = own.filter(pl.col("timestamp").is_between(pl.lit(attack["start"]), pl.lit(attack["end"])))
        assert during.is_empty()
        assert len(own) > 500


def test_latency_is_far_above_the_normal(suite):
    """The work of a latency attack takes at least twenty times what is normal in the same words."""
    attack = suite.attacks.filter(pl.col("kind") == "latency").row(0, named=True)
    text = next(wording.texts[0] for wording in read_stage()["work"] if wording.source == attack["source"])
    pattern = re.escape(text.format(id="ID", ms="MS")).replace("ID", r"\d+").replace("MS", r"(\d+)")
    took_ms = pl.col("message").str.extract(pattern).cast(pl.Int64)
    own = suite.lines.filter(pl.col("source") == attack["source"])

    slow = own.filter(pl.col("attack") == attack["attack"]).select(took_ms)
    normal = own.filter(pl.col("attack").is_null()).select(took_ms)

    assert len(slow) == 40
    assert slow.to_series().median() > 50 * normal.to_series().median()


def test_words_of_most_attacks_are_there_every_day_too(day):
    """A log-in that fails is no news by its words: in most suites the daemon under attack has failed people before."""
    familiar = 0
    for seed in range(12):
        lines = inject(day, seed=seed, kinds=["brute_force"]).lines
        attack = lines.filter(pl.col("label") == 1).row(0, named=True)
        shape = pl.col("message").str.split(" ").list.head(2).list.join(" ")
        normal = lines.filter((pl.col("label") == 0) & (pl.col("source") == attack["source"])).select(
            shape.alias("shape")
        )
        familiar += " ".join(attack["message"].split(" ")[:2]) in normal["shape"].to_list()

    assert familiar >= 4


def test_wordings_are_many():
    """Log-ins fail in more than thirty dialects, every other kind has at least ten wordings, so that none is learnt."""
    assert len(read_logins()) > 30
    for table in ("error_bursts", "new_errors", "disk_full", "privileges", "port_scans"):
        assert len(read_wordings(table)) >= 12


@pytest.mark.parametrize("kind", ATTACK_KINDS)
def test_every_wording_of_a_kind_can_be_written(day, kind):
    """Forty draws of a kind never leave an unfilled field in a text, and their times do not go back."""
    for seed in range(40):
        suite = inject(day.head(2000), seed=seed, kinds=[kind])
        own = suite.lines.filter(pl.col("attack").is_not_null())
        assert not own["message"].str.contains(r"\{[a-z_]+\}").any()
        assert own["timestamp"].is_sorted()


def test_every_kind_has_a_name_in_verdicts():
    """Each kind of attack has at least one kind of verdict that names it rightly."""
    assert set(EXPECTED_KINDS) == set(RECIPES)
    assert all(EXPECTED_KINDS.values())


def test_inject_refuses_what_it_cannot_do(day):
    """An unknown kind or an empty background is an error that says so."""
    with pytest.raises(TerminalError, match="no kind 'flood'"):
        inject(day, seed=1, kinds=["flood"])
    with pytest.raises(TerminalError, match="no lines"):
        inject(day.head(0), seed=1)


def test_drifting_fleet_changes_for_good():
    """Before the change the old version speaks, after it only the new one."""
    lines = drifting_fleet(seed=2, start=START, duration_s=DAY_S, change_s=DAY_S / 2)
    noon = START + timedelta(seconds=DAY_S / 2)
    old = lines.filter(pl.col("message").str.contains("Reserved .* items"))
    new = lines.filter(pl.col("message").str.contains("accepted basket"))

    assert old["timestamp"].max() < noon + timedelta(seconds=10)
    assert new["timestamp"].min() >= noon


def test_regime_of_any_background_can_change(day):
    """Reworded lines appear only after the moment, and there are more lines than before."""
    noon = START + timedelta(hours=12)

    changed = change_regime(day, seed=1, at=noon)

    fresh = changed.filter(pl.col("message").str.starts_with("v2 "))
    assert fresh["timestamp"].min() >= noon
    assert len(fresh) > 1000
    assert len(changed) > len(day)
    assert changed.filter(pl.col("timestamp") < noon).equals(day.filter(pl.col("timestamp") < noon))


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_lines_are_written_one_each_in_every_form(day, form):
    """Each line becomes one line of text without a line end that carries its message's words."""
    lines = day.filter(pl.col("source") == "nginx").head(50)

    texts = write_lines(lines, form)

    assert len(texts) == 50
    assert not any("\n" in text for text in texts)
    assert all("HTTP/1.1" in text for text in texts)


def test_unknown_form_is_refused(day):
    """The error lists the forms."""
    with pytest.raises(TerminalError, match="there are syslog"):
        write_lines(day.head(1), "xml")


def test_syslog_line_looks_like_one():
    """Date without year, host, program with process id, text."""
    row = {"timestamp": [datetime(2026, 11, 3, 4, 5, 6)], "level": [None], "source": ["sshd"], "host": ["bastion"]}
    frame = pl.DataFrame({**row, "message": ["Accepted password for ines"]}, schema_overrides={"level": pl.String})

    text = write_lines(frame, "syslog")[0]

    assert text.startswith("Nov  3 04:05:06 bastion sshd[")
    assert text.endswith("]: Accepted password for ines")


def test_every_line_goes_to_one_file(suite, tmp_path):
    """The files together hold each line once; a second call appends."""
    divided = file_lines(suite.lines)
    assert sum(map(len, divided.values())) == len(suite.lines)
    assert {"access.log", "auth.log", "orders.log", "worker.log", "services.ndjson", "syslog"} == set(divided)

    append_files(suite.lines.head(100), tmp_path)
    append_files(suite.lines.head(100), tmp_path)

    assert sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir()) == 200


def test_sample_day_ends_now_with_attacks_in_its_last_hours():
    """The sample is quiet until three hours before its end."""
    end = datetime(2026, 11, 23, 21, 5, tzinfo=UTC)

    sample = sample_day(seed=1, end=end)

    assert sample.lines["timestamp"].max() < end
    assert sample.attacks["start"].min() > end - timedelta(hours=3)
    assert "brute_force" in sample.attacks["kind"].to_list()
