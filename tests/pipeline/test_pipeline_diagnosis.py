"""The diagnosis: each fault is named in words with what to do, and what is well is not called a problem."""

from dataclasses import replace
from typing import Any

import pytest

from sentinel.pipeline.diagnosis import NOTE, OK, PROBLEM, diagnose
from sentinel.pipeline.facts import DetectorFacts, Facts, ModelFacts, ReaderFacts
from sentinel.spool import Ledger
from sentinel.store import Health, Inspection

NOW_S = 1_795_000_000.0
MIB = 1024 * 1024


def ledger(**changes: Any) -> Ledger:
    base: dict[str, Any] = dict.fromkeys(("received", "rejected", "accepted", "delivered", "waiting", "dead"), 0)
    base |= {"by_source": (), "rejected_by": {}, "oldest_waiting_s": None, "bytes": 0, "max_bytes": 1024 * MIB}
    return Ledger(**base | changes)


WELL = Facts(
    NOW_S,
    kind="elasticsearch",
    store=Inspection(Health(reachable=True, detail="Elasticsearch 8.14.1"), clock_s=NOW_S + 1),
    readers={"deliver": ReaderFacts(0), "deliver-anomalies": ReaderFacts(0)},
    ledger=ledger(),
    free_bytes=10_000 * MIB,
    min_free_bytes=256 * MIB,
    newest_received_s=NOW_S - 5,
    model=ModelFacts("20260105T100000-3fa9c1"),
    watched="/logs",
    ports={8000: "ours", 8080: "ours"},
    detector=DetectorFacts(3),
)
AWAY = Inspection(Health(reachable=False, detail="ask Elasticsearch: connection refused"))


def problems(facts: Facts) -> dict[str, str]:
    """check → what is said and advised, of all problems."""
    found: dict[str, str] = {}
    for finding in diagnose(facts):
        if finding.state == PROBLEM:
            found[finding.check] = f"{found.get(finding.check, '')}{finding.what} → {finding.advice}\n"
    return found


def test_nothing_is_wrong_when_all_is_well() -> None:
    """Every check says so, and none is left out."""
    findings = diagnose(WELL)

    assert {finding.state for finding in findings} == {OK}
    assert len({finding.check for finding in findings}) == 13


def test_file_in_a_new_format_is_a_note() -> None:
    """It is read all the same: somebody may want to see how."""
    findings = diagnose(replace(WELL, changed=["/logs/a: its lines were combined, and are json now (98%)"]))

    (told,) = [finding for finding in findings if finding.check == "formats"]
    assert told.state == NOTE
    assert "are json now" in told.what
    assert "sentinel parse" in told.advice


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({"store": AWAY}, "store", ("connection refused", "ELASTIC_ADDR")),
        (
            {"store": AWAY, "readers": {"deliver": ReaderFacts(9, 3, "away", NOW_S - 900)}},
            "store",
            ("(15 min)", "none is lost"),
        ),
        (
            {"store": Inspection(Health(True, "es"), problems=[("the key lacks create_doc on x", "give it")])},
            "store",
            ("create_doc",),
        ),
        ({"readers": {"deliver": ReaderFacts(9, 3, "429 busy", NOW_S - 7)}}, "delivery", ("429 busy", "7 s")),
        (
            {"readers": {"deliver": ReaderFacts(9, 3, "bury dead letters: full", NOW_S)}},
            "delivery",
            ("dead-letters drop",),
        ),
        ({"ledger": ledger(oldest_waiting_s=NOW_S - 700)}, "delivery", ("nobody delivers", "sentinel load")),
        (
            {"ledger": ledger(bytes=100 * MIB, oldest_waiting_s=NOW_S - 600), "store": AWAY},
            "spool",
            ("filling", "92 min", "LOG_SENTINEL_SPOOL_MAX_MB"),
        ),
        ({"ledger": ledger(bytes=1024 * MIB)}, "spool", ("full", "503")),
        ({"ledger": ledger(accepted=1)}, "spool", ("do not balance", "verify")),
        ({"free_bytes": 300 * MIB}, "disk", ("low", "300 MiB")),
        ({"free_bytes": 100 * MIB}, "disk", ("disk is full", "503")),
        ({"store": Inspection(Health(True, "es"), clock_s=NOW_S - 400)}, "clock", ("7 min ahead", "NTP")),
        ({"newest_received_s": NOW_S + 86_400 * 3}, "clock", ("3 days", "set back")),
        ({"ahead": {"shop": 7_300.0}}, "clock", ("shop", "2 h in the future", "time zone")),
        ({"letters": [("events", "dead", "400 mapping", 7)]}, "dead letters", ("7 of the events", "400 mapping")),
        ({"quarantined": [("events", 3, 9, 5)]}, "quarantine", ("3…9", "5 of them", "disk")),
        ({"model": None}, "model", ("no model yet", "sentinel train")),
        ({"model": ModelFacts("v", problem="digest differs")}, "model", ("digest differs", "promote")),
        ({"detector": DetectorFacts(9, "disk full")}, "detection", ("disk full", "9 records", "skips nothing")),
        ({"model": ModelFacts("v", "low")}, "model", ("low", "train again")),
        ({"open_paths": ["var/spool"]}, "home", ("var/spool", "chmod go-rwx")),
        ({"unwritable": "/srv/logs"}, "home", ("may not write in /srv/logs", "LOG_SENTINEL_HOME")),
        ({"unreadable": ["/logs/a: it may not be read"]}, "watched folder", ("/logs/a",)),
        ({"ports": {8000: "another program listens there"}}, "ports", ("8000", "LOG_SENTINEL_PORTS")),
        ({"failures": {"spool": ("the file is damaged", "repair")}}, "spool", ("damaged",)),
    ],
)
def test_fault_is_named_with_what_to_do(changes: dict[str, Any], check: str, words: tuple[str, ...]) -> None:
    """Each fault shows under its own check, in words that say what it is and what helps."""
    found = problems(replace(WELL, **changes))

    assert check in found
    assert [word for word in words if word not in found[check]] == []


def test_store_that_is_away_is_one_problem() -> None:
    """The reader that fails because the store is away is not told a second time."""
    found = problems(replace(WELL, store=AWAY, readers={"deliver": ReaderFacts(9, 3, "away", NOW_S - 900)}))

    assert list(found) == ["store"]


def test_what_hangs_on_a_spool_that_cannot_be_opened_is_not_called_well() -> None:
    """Nothing is said of letters and batches that nobody could look at."""
    findings = diagnose(replace(WELL, failures={"spool": ("damaged", "")}))

    assert {"dead letters", "quarantine", "delivery"} & {finding.check for finding in findings} == set()


def test_server_that_does_not_run_is_a_note() -> None:
    """The flows alone are a way to work: a free port is told, and is no problem."""
    findings = diagnose(replace(WELL, ports={8000: "free"}))

    assert [finding.state for finding in findings if finding.check == "ports"] == [NOTE]


def test_spool_that_is_drained_as_it_fills_is_not_filling() -> None:
    """Records that are seconds old say nothing about the future, however many they are."""
    assert problems(replace(WELL, ledger=ledger(bytes=200 * MIB, oldest_waiting_s=NOW_S - 3))) == {}
