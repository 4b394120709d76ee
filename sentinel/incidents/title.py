"""What a person would call an incident: one sentence without a full stop, with its figures."""

from sentinel.incidents.incident import Incident

__all__ = ["title"]

READS_AS_FAILURE = "reads as a"


def title(incident: Incident) -> str:
    """The title of an incident by its kind. The page knows these forms in other languages, too."""
    source, lines = _named(incident.sources, "a source"), _many(incident.lines, "line")
    actor, on = _actor(incident), _on(incident)
    fails = any(READS_AS_FAILURE in reason for reason in incident.reasons)
    forms = {
        "brute_force": f"{_many(incident.lines, 'failed log-in')} from {actor} against {source}{on}",
        "credential_stuffing": f"{_many(incident.lines, 'failed log-in')} from {actor} against users of {source}{on}",
        "scan": f"{actor} scans {source}{on}: {lines}",
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
        "new_actor": f"{actor} was never seen before in {source}{on}",
        "privilege": f"Privileges or system files touched in {source}{on}: {lines}",
        "numeric_outlier": f"A number out of its range in {source}{on}: {lines}",
        "new_value": f"A value never seen before in {source}{on}: {lines}",
        "sequence": f"Lines in an unusual order in {source}{on}: {lines}",
        "session": f"An unusual session in {source}{on}: {lines}",
    }
    return forms.get(incident.kind, f"Unusual lines in {source}{on}: {lines}")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _named(names: tuple[str, ...], nothing: str) -> str:
    if len(names) > 2:
        return f"{names[0]} and {len(names) - 1} others"
    return " and ".join(names) or nothing


def _actor(incident: Incident) -> str:
    if incident.actor_count > len(incident.actors):
        return f"more than {len(incident.actors)} addresses or users"
    if incident.actor_count > 1:
        return f"{incident.actor_count} addresses or users"
    return incident.actors[0] if incident.actors else "somebody"


def _on(incident: Incident) -> str:
    return f" on {incident.hosts[0]}" if len(incident.hosts) == 1 else ""
