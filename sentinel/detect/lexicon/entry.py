"""One entry of the lexicon and the TOML file that holds it: read, checked, and refused in words that help."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sentinel.detect.lexicon.spelling import spell
from sentinel.detect.tuning.lexicon import MAX_PATTERN
from sentinel.errors import SettingsError

__all__ = ["Concept", "Entry", "parse_file"]

_KEYS = {"concept", "pattern", "matches", "not_matches", "origin"}
_WORD = re.compile(r"\{([a-z][a-z_]*)\}")


class Concept(StrEnum):
    """What a text can be about."""

    DENIED = "denied"  # trouble that is counted as zero or said not to be
    FAILED_LOGIN = "failed_login"
    WORKED_LOGIN = "worked_login"
    CONNECTION = "connection"  # somebody comes to a door that people log in at
    PRIVILEGE = "privilege"
    FAILURE = "failure"
    GRAVE_FAILURE = "grave_failure"
    CLIENT_ERROR = "client_error"  # a request refused as wrong
    FILTERED = "filtered"  # a firewall turned a packet or connection away
    OPPOSITE = "opposite"  # a word that turns a text into another: texts that differ in it have no template in common
    TROUBLE = "trouble"  # how words begin beside which a zero is told apart: plain texts
    PROBE = "probe"  # a text that only somebody who looks for holes sends


@dataclass(frozen=True, slots=True)
class Entry:
    """A pattern for one concept, as it was `written` and spelt for folded texts; `language` is its file's name."""

    concept: Concept
    written: str
    pattern: str
    matches: tuple[str, ...]
    not_matches: tuple[str, ...]
    origin: str
    language: str
    where: str
    """File and place, as messages name it."""


def parse_file(content: str, name: str) -> tuple[Entry, ...]:
    """The entries of a TOML file. Raises SettingsError that names the file, the entry and what to write instead."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"lexicon {name}: is no TOML: {exc}") from exc
    if unknown := sorted(set(table) - {"words", "entry"}):
        raise SettingsError(f"lexicon {name}: does not know [{unknown[0]}]; it holds [words] and [[entry]]")
    rows = table.get("entry", [])
    if not isinstance(rows, list) or not rows:
        raise SettingsError(f"lexicon {name}: has no [[entry]]")
    words = _words(table.get("words", {}), name)
    return tuple(_entry(row, words, f"lexicon {name}, entry {i}", Path(name).stem) for i, row in enumerate(rows, 1))


def _words(table: object, name: str) -> dict[str, str]:
    """The lists of [words] as groups of alternatives."""
    if not isinstance(table, dict):
        raise SettingsError(f"lexicon {name}: [words] takes lists of texts")
    return {key: f"(?:{'|'.join(_texts(value, f'lexicon {name}, words', key))})" for key, value in table.items()}


def _texts(value: object, where: str, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(text, str) and text for text in value):
        raise SettingsError(f"{where}: {key} takes a list of texts, none empty")
    return tuple(value)


def _entry(row: object, words: Mapping[str, str], where: str, language: str) -> Entry:
    if not isinstance(row, dict):
        raise SettingsError(f"{where}: is no table; write it as [[entry]]")
    if unknown := sorted(set(row) - _KEYS):
        raise SettingsError(f"{where}: does not know {unknown[0]!r}; it takes {', '.join(sorted(_KEYS))}")
    if missing := sorted(_KEYS - {"not_matches"} - set(row)):
        raise SettingsError(f"{where}: lacks {', '.join(missing)}")
    concept, pattern, origin = (row[key] for key in ("concept", "pattern", "origin"))
    if concept not in set(Concept):
        raise SettingsError(f"{where}: {concept!r} is no concept; these are: {', '.join(Concept)}")
    if not isinstance(pattern, str) or not isinstance(origin, str) or not origin.strip():
        raise SettingsError(f"{where}: pattern and origin take a text; origin says where the wording comes from")
    not_matches = _texts(row["not_matches"], where, "not_matches") if row.get("not_matches") else ()
    spelt = _compile(pattern, words, where)
    matches = _texts(row["matches"], where, "matches")
    return Entry(Concept(concept), pattern, spelt, matches, not_matches, origin, language, where)


def _compile(pattern: str, words: Mapping[str, str], where: str) -> str:
    """The pattern with its words put in, spelt for folded texts."""
    if unknown := [name for name in _WORD.findall(pattern) if name not in words]:
        raise SettingsError(f"{where}: {{{unknown[0]}}} is no list of [words]; these are: {', '.join(words) or 'none'}")
    full = _WORD.sub(lambda found: words[found[1]], pattern)
    if len(full) > MAX_PATTERN:
        raise SettingsError(f"{where}: the pattern is longer than {MAX_PATTERN} characters with its words put in")
    try:
        spelt = spell(full)
        compiled = re.compile(spelt)
    except (re.error, ValueError) as exc:
        raise SettingsError(f"{where}: pattern {pattern[:80]!r}: {exc}") from exc
    if compiled.search("") is not None:
        raise SettingsError(f"{where}: pattern {pattern[:80]!r} matches the empty text, so all texts")
    return spelt
