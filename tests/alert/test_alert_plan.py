"""Who is told what, and when: routes, quiet hours, cool-down, digests; nobody is woken up for what is old."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentinel.alert import Route, Told, plan, read_rules
from sentinel.errors import SettingsError

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def incident(id_: str = "a", **changes: Any) -> dict[str, Any]:
    base = {"id": id_, "kind": "error_burst", "severity": "high", "state": "open", "lines": 9, "sources": ["app"]}
    return {**base, "last_s": NOW.timestamp() - 60, **changes}


def events(
    route: Route, incidents: list[dict[str, Any]], told: Mapping[str, Told] | None = None, **more: Any
) -> list[str]:
    return [message.event for message in plan(route, incidents, told or {}, more.pop("now", NOW), **more)]


def test_an_incident_is_told_once_when_it_grows_and_when_it_is_over() -> None:
    """Opened, then nothing, then grown by severity, then resolved; after that nothing more."""
    route = Route(("http://a",))
    told = {"a": Told("high", NOW.timestamp() - 600)}

    assert events(route, [incident()]) == ["opened"]
    assert events(route, [incident(lines=900)], told) == []
    assert events(route, [incident(severity="critical")], told) == ["grown"]
    assert events(route, [incident(state="resolved")], told) == ["resolved"]
    assert events(route, [incident()], {"a": Told("high", 0.0, is_over=True)}) == []


def test_nobody_is_told_of_what_is_old_or_settled() -> None:
    """Backfills, and what a person has acknowledged, resolved or muted before it was told."""
    route = Route(("http://a",))

    assert events(route, [incident(last_s=NOW.timestamp() - 3_601)]) == []
    assert events(route, [incident(state=state) for state in ("acknowledged", "resolved", "muted")]) == []


def test_while_confidence_is_low_only_critical_ones_are_told() -> None:
    """A model of a handful of lines wakes nobody up for less."""
    route = Route(("http://a",))

    assert events(route, [incident()], is_unsure=True) == []
    assert events(route, [incident(severity="critical")], is_unsure=True) == ["opened"]


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        (Route(("u",), source="app"), True),
        (Route(("u",), source="db"), False),
        (Route(("u",), kind="error_burst"), True),
        (Route(("u",), kind="scan"), False),
        (Route(("u",), severity="high"), True),
        (Route(("u",), severity="critical"), False),
    ],
)
def test_a_route_takes_what_it_names(route: Route, taken: bool) -> None:
    """By source, by kind, from a severity on."""
    assert (events(route, [incident()]) == ["opened"]) is taken


def test_quiet_hours_let_critical_ones_through_alone() -> None:
    """What is told later is told when the night is over, if it is still open."""
    route = Route(("u",), quiet=(22 * 60, 7 * 60))
    night, morning = NOW.replace(hour=23), NOW.replace(hour=7) + timedelta(days=1)
    recent = incident(last_s=night.timestamp())

    assert events(route, [recent], now=night) == []
    assert events(route, [{**recent, "severity": "critical"}], now=night) == ["opened"]
    assert events(route, [{**recent, "last_s": morning.timestamp() - 60}], now=morning) == ["opened"]


def test_cooldown_holds_updates_back_and_never_the_end() -> None:
    """Within it a growth waits; a recovery does not."""
    route, told = Route(("u",), cooldown_s=600), {"a": Told("low", NOW.timestamp() - 60)}

    assert events(route, [incident()], told) == []
    assert events(route, [incident(state="resolved")], told) == ["resolved"]


def test_many_at_once_are_one_digest_the_worst_first() -> None:
    """More than five that begin at once are one message; what else happened is told beside it."""
    many = [incident(str(number), severity="critical" if number == 3 else "high") for number in range(9)]

    digest, other = plan(Route(("u",)), [*many, incident("z", state="resolved")], {"z": Told("high", 0.0)}, NOW)

    assert (digest.event, len(digest.incidents), digest.incidents[0]["id"]) == ("digest", 9, "3")
    assert other.event == "resolved"


def test_rules_are_read_from_addresses_and_from_a_file(tmp_path: Path) -> None:
    """Both together; what a route does not say has its default."""
    file = tmp_path / "alerts.toml"
    file.write_text(
        '[[route]]\nurls = ["slack://a/b/c"]\nsource = "sshd"\nseverity = "high"\n'
        'quiet = "22:00-07:00"\ncooldown = "10m"\n'
        '[[route]]\nurls = ["mailto://u:p@example.org"]\n'
    )

    rules = read_rules(["https://example.org/hook"], file)

    assert rules.routes == (
        Route(("https://example.org/hook",)),
        Route(("slack://a/b/c",), "sshd", None, "high", (1320, 420), 600.0),
        Route(("mailto://u:p@example.org",)),
    )
    assert read_rules([], None).routes == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[route]]\nurls = 3", "urls"),
        ("[[route]]\nurls = []", "urls"),
        ('[[route]]\nurls = ["example.org"]', "scheme"),
        ('[[route]]\nurls = ["http://a"]\nseverity = "bad"', "severity"),
        ('[[route]]\nurls = ["http://a"]\nquiet = "22-7"', "quiet"),
        ('[[route]]\nurls = ["http://a"]\ncooldown = "soon"', "cooldown"),
        ('[[route]]\nurls = ["http://a"]\nsauce = "x"', "sauce"),
        ('[[route]]\nurls = ["http://a"]\nsource = 3', "source"),
        ("routes = 1", "routes"),
        ("[route]", "[[route]]"),
        ("= =", "LOG_SENTINEL_ALERTS"),
    ],
)
def test_wrong_rules_are_refused_with_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    """At the start, by name, and never with an address in the message."""
    file = tmp_path / "alerts.toml"
    file.write_text(content)

    with pytest.raises(SettingsError) as told:
        read_rules([], file)

    assert said in str(told.value)
    assert "http://a" not in str(told.value)
