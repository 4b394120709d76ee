"""What a person would call an incident: one sentence without a full stop, with its figures and what its line says."""

import ipaddress
import re

from sentinel.counted import counted
from sentinel.incidents.incident import Incident
from sentinel.incidents.severity import FAILURE, SUCCESS

__all__ = ["title"]

GUESSES = re.compile(r"([\d,]+) failed log-ins? from ")
PAIR = re.compile(r"user (.+) was never seen from (.+) before")
MAX_QUOTE = 80


def title(incident: Incident) -> str:
    """The title of an incident by its kind. The page knows these forms in other languages, too."""
    source, lines = _named(incident.sources, "a source"), _lines(incident)
    actor, on = _actor(incident), _on(incident)
    guesses = counted(_guesses(incident), "failed log-in")
    worked = f", {SUCCESS}" if any(SUCCESS in reason for reason in incident.reasons) else ""
    fails = any(FAILURE in reason for reason in incident.reasons)
    forms = {
        "brute_force": f"{guesses} from {actor} against {source}{on}{worked}",
        "credential_stuffing": f"{guesses} from {actor} against users of {source}{on}{worked}",
        "scan": f"{actor} scans {source}{on}: {counted(incident.lines, 'line')}",
        "error_burst": f"A burst of failures in {source}{on}: {lines}",
        "rate_spike": f"Far more lines than usual from {source}{on}: {lines}",
        "rate_drop": f"Far fewer lines than usual from {source}{on}",
        "silence": f"{source} has gone silent{on}",
        "new_template": f"A failure never seen before in {source}{on}: {lines}"
        if fails
        else f"A kind of line never seen before in {source}{on}: {lines}",
        "rare_template": f"A rare failure in {source}{on}: {lines}"
        if fails
        else f"A rare line in {source}{on}: {lines}",
        "new_actor": f"{_who_is_new(incident, actor)} before in {source}{on}",
        "privilege": f"Privileges or system files touched in {source}{on}: {lines}",
        "numeric_outlier": f"A number out of its range in {source}{on}: {lines}",
        "new_value": f"A value never seen before in {source}{on}: {lines}",
        "sequence": f"Lines in an unusual order in {source}{on}: {lines}",
        "session": f"An unusual session in {source}{on}: {lines}",
    }
    return forms.get(incident.kind, f"Unusual lines in {source}{on}: {lines}")


def _guesses(incident: Incident) -> int:
    """How many log-ins failed: the first of them were no anomalies yet, and a reason counts them, too."""
    told = [int(found[1].replace(",", "")) for reason in incident.reasons if (found := GUESSES.match(reason))]
    return max([incident.lines, *told])


def _who_is_new(incident: Incident, actor: str) -> str:
    pair = next((found for reason in incident.reasons if (found := PAIR.fullmatch(reason))), None)
    return f"user {pair[1]} was never seen from {pair[2]}" if pair else f"{actor} was never seen"


def _lines(incident: Incident) -> str:
    """How many lines, and what the one says that names the incident; marks that would not show are blanks."""
    said = " ".join("".join(c if c.isprintable() else " " for c in incident.named_line).split())
    quote = f"“{said if len(said) <= MAX_QUOTE else said[: MAX_QUOTE - 1].rstrip() + '…'}”"
    if not said:
        return counted(incident.lines, "line")
    return quote if incident.lines == 1 else f"{counted(incident.lines, 'line')}, such as {quote}"


def _named(names: tuple[str, ...], nothing: str) -> str:
    if len(names) > 2:
        return f"{names[0]} and {counted(len(names) - 1, 'other')}"
    return " and ".join(names) or nothing


def _actor(incident: Incident) -> str:
    if incident.actor_count > len(incident.actors):
        return f"more than {len(incident.actors)} addresses or users"
    if incident.actor_count > 1:
        return f"{incident.actor_count} {_what_acts(incident.actors)}"
    return incident.actors[0] if incident.actors else "somebody"


def _what_acts(actors: tuple[str, ...]) -> str:
    """What several actors are: addresses where all are, else also users.

    >>> _what_acts(("203.0.113.9", "2001:db8::1")), _what_acts(("203.0.113.9", "alice"))
    ('addresses', 'addresses or users')
    """
    return "addresses" if all(map(_is_address, actors)) else "addresses or users"


def _is_address(actor: str) -> bool:
    try:
        return bool(ipaddress.ip_address(actor))
    except ValueError:
        return False


def _on(incident: Incident) -> str:
    return f" on {incident.hosts[0]}" if len(incident.hosts) == 1 else ""
