"""What belongs together: one attack is one incident, a flood is one, two causes are two."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from sentinel.incidents import ACTIVE_S, Incident, Odd, group, related
from sentinel.incidents.group import CROWD, MAX_ACTIVE
from sentinel.incidents.severity import severity

START_S = 1_800_000_000.0


def odd(number: int, **changes: Any) -> Odd:
    """One anomaly a second; a failed log-in of one address unless told otherwise."""
    values: dict[str, Any] = {
        "id": f"e{number}-m1",
        "at_s": START_S + number,
        "kind": "brute_force",
        "source": "sshd",
        "host": "web-1",
        "actor": "203.0.113.9",
        "template": "Failed password for <USER> from <IP> port <NUM> ssh2",
        "nats": 12.0,
        "score": 0.67,
        "level": None,
        "reasons": [f"{number + 1} failed log-ins from 203.0.113.9 in 30 s"],
        "model_version": "m1",
        "record": {"event_id": f"e{number}", "message": "Failed password"},
    }
    return Odd(**(values | changes))


def grouped(*batches: Sequence[Odd]) -> list[Incident]:
    """All incidents after these batches, each batch seeing what the ones before left, as the spool keeps it."""
    kept: dict[str, Incident] = {}
    for batch in batches:
        _, changed = group(batch, [Incident.from_json(json.loads(json.dumps(i.to_json()))) for i in kept.values()])
        kept |= {incident.id: incident for incident in changed}
    return sorted(kept.values(), key=lambda incident: incident.first_s)


def test_one_attack_is_one_incident_whatever_kinds_its_lines_have() -> None:
    """The gravest kind names it, also where it is not the first; the actor's other lines belong to it."""
    lines = [
        odd(0, kind="new_actor", template="Connection from <IP>"),
        odd(1, kind="rare_template", template="Invalid user <USER> from <IP>"),
        *(odd(n) for n in range(2, 302)),
        odd(302, kind="new_template", source="pam", template="maximum authentication attempts exceeded"),
    ]

    (incident,) = grouped(lines)

    assert (incident.kind, incident.lines, incident.actors) == ("brute_force", 303, ("203.0.113.9",))
    assert incident.title == "303 failed log-ins from 203.0.113.9 against sshd and pam on web-1"
    assert incident.severity == "critical"
    assert len(incident.sample) == 5
    assert sum(incident.trend.counts) == 303


def test_batches_give_what_one_batch_gives() -> None:
    """Live, line by line, in batch and after a restart: the same incidents with the same figures."""
    lines = [odd(n, actor=f"198.51.100.{n % 3}") for n in range(40)] + [
        odd(50 + n, kind="error_burst", actor=None, source="orders", template=f"error {'abc'[n % 3]}", level="error")
        for n in range(20)
    ]

    whole, single = grouped(lines), grouped(*([line] for line in lines))

    assert [i.to_json() | {"version": 0} for i in whole] == [i.to_json() | {"version": 0} for i in single]
    assert len(whole) == 4


def test_two_addresses_are_two_incidents_and_a_crowd_is_one() -> None:
    """A few attackers have an incident each; from the next on they are one, named by how many there are."""
    few = grouped([odd(n, actor=f"198.51.100.{n % 2}") for n in range(20)])
    many = grouped([odd(n, actor=f"198.51.100.{n}") for n in range(200)])

    assert [incident.actor_count for incident in few] == [1, 1]
    assert len(many) == CROWD + 1
    assert max(incident.lines for incident in many) == 200 - CROWD
    assert "more than 20 addresses or users" in many[-1].title


def test_failures_of_one_source_are_one_incident() -> None:
    """A burst takes the other errors of its source with it; another source has its own."""
    lines = [
        odd(n, kind="error_burst", actor=None, source="orders", template=f"failure {'abcdefgh'[n % 8]}", level="error")
        for n in range(80)
    ]
    lines += [odd(90, kind="new_template", actor=None, source="orders", template="pool exhausted", level="error")]
    lines += [odd(91, kind="new_template", actor=None, source="billing", template="pool exhausted", level="error")]

    found = {incident.sources: incident for incident in grouped(lines)}

    assert found[("orders",)].lines == 81
    assert found[("billing",)].lines == 1


def test_what_comes_after_a_long_quiet_is_a_new_incident() -> None:
    """Within half an hour it is the same, later another one of the same name."""
    near = grouped([odd(0)], [odd(1, at_s=START_S + ACTIVE_S)])
    far = grouped([odd(0)], [odd(1, at_s=START_S + ACTIVE_S + 1)])

    assert [len(near), len(far)] == [1, 2]
    assert far[0].id != far[1].id


def test_flood_is_bounded_in_incidents_and_in_size() -> None:
    """100,000 lines of one kind are one incident; thousands of causes at once are bounded, too."""
    flood = grouped([odd(n, at_s=START_S + n / 1_000) for n in range(100_000)])
    causes = grouped([odd(n, kind="new_template", actor=None, template=f"t{'x' * n}") for n in range(2 * MAX_ACTIVE)])

    assert [incident.lines for incident in flood] == [100_000]
    assert len(json.dumps(flood[0].to_json())) < 20_000
    assert len(causes) <= MAX_ACTIVE + 1
    assert sum(incident.lines for incident in causes) == 2 * MAX_ACTIVE


def test_state_of_a_person_stays_when_it_grows() -> None:
    """What was resolved opens again by a further line, and what was muted by one that the mute does not cover."""
    (incident,) = grouped([odd(0)])

    for before, after in (("acknowledged", "acknowledged"), ("resolved", "open"), ("muted", "open")):
        content = incident.to_json() | {"state": before}
        _, (changed,) = group([odd(1)], [Incident.from_json(content)])
        assert (changed.state, changed.version) == (after, incident.version + 1)


def test_severity_ranks_a_mass_attack_above_a_rare_line() -> None:
    """What breaks in is graver than what fails, that than what is only unusual; a guess that worked is worst."""
    rare = grouped([odd(0, kind="rare_template", actor=None, nats=8.0, reasons=["a rare kind of line"])])
    failing = grouped([odd(0, kind="new_template", actor=None, level="error", reasons=["it reads as a grave failure"])])
    few = grouped([odd(n) for n in range(4)])
    worked = grouped([odd(n, reasons=["5 failed log-ins, then one that worked"]) for n in range(5)])
    mass = grouped([odd(n) for n in range(500)])

    assert [i.severity for (i,) in (rare, failing, few, worked, mass)] == [
        "low",
        "high",
        "high",
        "critical",
        "critical",
    ]


@pytest.mark.parametrize(
    ("user", "told"),
    [("root", "medium"), ("CORP\\Administrator", "medium"), ("sa", "medium"), ("ann", "low"), ("rooter", "low")],
)
def test_who_may_do_everything_ranks_higher_from_a_new_address(user: str, told: str) -> None:
    """A log-in of root from where root never came is worth a look; a person's from a new address is everyday."""
    reasons = (f"user {user} was never seen from 198.51.100.7 before",)

    assert severity("new_actor", 1, 9.0, "info", reasons) == told


def test_a_source_that_falls_silent_is_one_incident_whatever_it_used_to_say() -> None:
    """Each kind of line is missed at its own time; another source's silence is another incident."""
    lines = ("beat", "sync run <NUM> finished", "worker alive")
    silent = [odd(n, kind="silence", actor=None, source="sync", template=line) for n, line in enumerate(lines)]
    elsewhere = odd(9, kind="silence", actor=None, source="cron", template="beat")

    found, other = grouped([*silent, elsewhere])

    assert (found.lines, other.lines) == (3, 1)
    assert found.title.startswith("sync has gone silent")


def test_related_share_an_actor_or_a_source_and_are_near() -> None:
    """The actor weighs most; what is far away in time is not related."""
    scan, other, far, self_ = grouped(
        [
            odd(0, kind="scan", source="nginx"),
            odd(1, kind="silence", actor=None, source="nginx", template="beat"),
            odd(2, kind="silence", actor=None, source="cron", host="db-1", template="beat"),
            odd(9, actor="203.0.113.9", at_s=START_S + 2 * ACTIVE_S),
        ]
    )

    assert [found.id for found in related(scan, [scan, other, far, self_])] == [other.id]
    assert related(far, [scan, other, self_]) == []


def test_shown_has_the_fields_of_the_contract() -> None:
    """Times are ISO 8601 in UTC, lists are lists."""
    (incident,) = grouped([odd(0)])

    shown = incident.shown()

    assert shown["first"] == shown["last"] == "2027-01-15T08:00:00.000Z"
    assert {
        "id",
        "title",
        "kind",
        "severity",
        "state",
        "lines",
        "peak_score",
        "sources",
        "actors",
        "templates",
        "reasons",
        "sample",
    } <= set(shown)
    assert json.loads(json.dumps(shown)) == shown


def news(at_s: float, template: str, **changes: Any) -> Odd:
    """A failure that was never seen before, `at_s` seconds after the start."""
    reasons = ["a kind of line never seen before in 900 lines, and it reads as a grave failure"]
    values = {"kind": "new_template", "actor": None, "source": "kubelet", "template": template, "reasons": reasons}
    return odd(int(at_s), **(values | {"at_s": START_S + at_s} | changes))


def test_failures_never_seen_that_come_together_are_one_incident() -> None:
    """Of one program on one machine, within minutes; later, or elsewhere, they are another."""
    together = grouped([news(0, "attempting to reclaim memory"), news(1, "pod is evicted")])
    apart = grouped([news(0, "attempting to reclaim memory"), news(400, "pod is evicted")])
    elsewhere = grouped([news(0, "attempting to reclaim memory"), news(1, "pod is evicted", host="web-2")])
    harmless = grouped(
        [news(0, "drained", reasons=["a kind of line never seen before in 9 lines"]), news(1, "pod evicted")]
    )

    assert [len(found) for found in (together, apart, elsewhere, harmless)] == [1, 2, 2, 2]
    assert together[0].lines == 2


def test_grave_failure_is_not_hidden_in_an_older_trouble() -> None:
    """A full disk twenty minutes after an outage is told of; an ordinary new error is part of the trouble."""
    burst = [news(n, "no connection", kind="error_burst", level="error", reasons=["a burst"]) for n in range(30)]
    plain = ["a kind of line never seen before in 900 lines, and it reads as a failure"]

    after = grouped([*burst, news(1_400, "disk full", level="error")])
    cascade = grouped([*burst, news(1_400, "order lost", level="error", reasons=plain)])

    assert [incident.templates for incident in after] == [("no connection",), ("disk full",)]
    assert [incident.lines for incident in cascade] == [31]
