"""Health: the books, what the doctor finds, readers, store, dead letters with their replay, the settings in force."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from sentinel.cli.doctor import gather
from sentinel.pipeline.diagnosis import PROBLEM, diagnose
from sentinel.settings import Settings, load_settings
from sentinel.spool import DeadLetter
from serving.page.now import heading
from serving.parts import Parts
from serving.problems import ProblemError
from serving.status import status

__all__ = ["replay", "screen"]

DOTS = "••••••"
SECRET_WORDS = ("key", "password", "secret", "urls", "token")
LETTERS_A_STEP = 10_000


def screen(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the screen shows."""
    settings = load_settings()
    findings = diagnose(gather(settings, parts.clock()))
    found = status(parts, parts.sentinel.store.health())
    return {
        **heading(parts, "health"),
        "findings": sorted(findings, key=lambda finding: finding.state != PROBLEM),
        "problems": sum(finding.state == PROBLEM for finding in findings),
        "books": found["ledger"],
        "spool": found["spool"],
        "store": found["store"],
        "readers": found["readers"],
        "letters": found["dead_letters"],
        "settings": in_force(settings),
    }


def in_force(settings: Settings) -> list[dict[str, Any]]:
    """Every setting by name with its value and meaning; what is secret as dots, what is true or not as on or off."""
    return [
        {
            "name": name.upper(),
            "value": _shown(name, getattr(settings, name)),
            "is_switch": isinstance(getattr(settings, name), bool),
            "meaning": field.description or "",
        }
        for name, field in type(settings).model_fields.items()
    ]


def _shown(name: str, value: object) -> str:
    if value is None or value in ("", ()):
        return "–"
    if isinstance(value, SecretStr) or any(word in name.split("_") for word in SECRET_WORDS):
        return DOTS
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def replay(parts: Parts, wanted: Mapping[str, Any]) -> dict[str, int]:
    """Offer the dead letters of one stream and reason to the store again; how many. Raises ProblemError 422."""
    stream, reason = wanted.get("stream"), wanted.get("reason")
    if not isinstance(stream, str) or not isinstance(reason, str):
        raise ProblemError(422, 'Name what to replay as {"stream": "events", "reason": "…"}.')
    spool, after, sequences = parts.sentinel.spool, 0, list[int]()
    while rows := spool.dead_letters(stream, state="dead", after=after, limit=LETTERS_A_STEP):
        sequences += [letter.sequence for letter in rows if _group(letter) == reason]
        after = rows[-1].sequence
    replayed = spool.replay(stream, sequences) if sequences else 0
    parts.deliver.wake()
    return {"replayed": replayed}


def _group(letter: DeadLetter) -> str:
    """The reason up to its first colon, as `letter_counts` groups them."""
    return letter.reason.partition(":")[0][:100]
