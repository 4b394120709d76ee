"""What a secret looks like in a text, kind by kind: finders that say where secrets stand, and one look that rules most
texts out."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from sentinel.parse.cards import is_card

__all__ = ["KINDS", "PLACEHOLDERS", "look_of", "masked", "secret_of"]

_CARD: Final = (
    r"(?<![0-9A-Za-z_.\-])(?:[2-6][0-9]{12,18}|[2-6][0-9]{3}(?P<gap>[ -])[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{4}"
    r"|3[0-9]{3}(?P<gap2>[ -])[0-9]{6}(?P=gap2)[0-9]{4,5})(?![0-9A-Za-z_]|[.\-][0-9])"
)
_CARD_LOOK: Final = (
    r"(?:^|[^0-9A-Za-z_.\-])(?:[2-6][0-9]{12,18}|[2-6][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}"
    r"|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4})"
)
_PASSWORDS: Final = (
    r"passw(?:or)?d|passphrase|passcode|pwd|[_-]pass|senha|contrase\u00f1a|contrasena|passwort|kennwort"
    r"|mot[_-]?de[_-]?passe"
)
_KEYS: Final = (
    r"api[_-]?key|client[_-]?secret|secret[_-]?key|(?:secret[_-]?)?access[_-]?key|private[_-]?key|signing[_-]?key"
    r"|encryption[_-]?key|(?:auth|access|refresh|id|session|bot|security|bearer)[_-]?token"
)
_VAGUE: Final = r"(?<![A-Za-z0-9_-])(?:token|secret)"
_VALUE: Final = (
    r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|\\{1,4}[\"'](?:[^\"'\\])*|[^\s\"'&;,)\]}<>\\|]+|<[^>\s]{1,40}>"
)
_NAMED: Final = (
    rf"(?i)(?:(?P<password>{_PASSWORDS})|(?P<key>{_KEYS})|(?P<vague>{_VAGUE}))"
    rf"(?P<quote>\\{{0,4}}[\"'\]])?[ \t]{{0,3}}(?P<sign>=>|==?|:=?)[ \t]{{0,3}}(?P<value>{_VALUE})"
)
_NAMED_LOOK: Final = rf"(?i:{_PASSWORDS}|{_KEYS}|\btoken|\bsecret)[\\\"'\]]{{0,5}}[ \t]{{0,3}}[=:]"
_OPTION: Final = (
    r"(?i)--(?:password|passwd|passphrase|token|secret|api-key)[ \t]+(?P<secret>[^\s-][^\s\"']*)"
    r"|\bidentified[ \t]+by[ \t]+(?:password[ \t]+)?'(?P<secret2>[^']+)'"
)
_OPTION_LOOK: Final = r"(?i:--(?:pass|token|secret|api-key)|\bidentified[ \t]+by)"
_URL: Final = r"://[^\s/:@\"'<>?#]{0,200}:(?P<secret>[^\s/\"'<>?#]{1,256})@"
_URL_LOOK: Final = r"://[^\s/:@\"'<>?#]{0,200}:[^\s/\"'<>?#]+@"
_AUTHORIZATION: Final = (
    r"(?i)\bauthorization[\\\"'\]]{0,5}[ \t]{0,3}[:=][ \t]{0,3}[\\\"']{0,5}"
    r"(?:digest[ \t]+(?P<secret>[^\r\n]{0,1000}?response=\\{0,4}\"[0-9a-f]+)|(?P<scheme>basic|bearer|token|negotiate"
    r"|ntlm|apikey|key)[ \t]+(?P<secret2>[^\s\"'\\,;<>]+)|(?P<bare>[A-Za-z0-9._~+/=:-]{8,}))"
)
_BEARER: Final = r"(?i)\b(?:bearer|basic)[ \t]+(?P<bare>[A-Za-z0-9._~+/=-]{12,})"
_HARMLESS: Final = re.compile(  # states, what others masked before us, and places for a value
    r"(?i)true|false|null|none|nil|yes|no|on|off|0|1|n/?a|undefined|empty|unset|set|not[_-]?\w*|changed|required|invalid"
    r"|expired|wrong|incorrect|missing|failed|ok|reset|hidden|masked|redacted|filtered|omitted|removed|(.)\1{2,}|[*x.\-_#]+"
    r"|.*\*{3,}.*|<.*|\[[^\]]*\]?|\$?\{.*|\$\(.*|\$[A-Z_]{3,}|%\(?\w+\)?s?"
)
_WORD: Final = re.compile(r"[A-Za-z0-9_~+/=-]+")
_PATH: Final = re.compile(r"[/~.]|[A-Za-z]:[\\/]")
MIN_VAGUE: Final = 12
MIN_KEY: Final = 6
MIN_TOLD: Final = 4
MAX_NAME: Final = 80

_Finder = Callable[[str], Iterator[tuple[int, int]]]  # where secrets stand in a text: begin and end of each


@dataclass(frozen=True, slots=True)
class _Secret:
    kind: str
    placeholder: str
    look: str  # for Rust's engine and for Python's: true for all that has one, and for little else
    find: _Finder


def _is_mixed(value: str, least: int) -> bool:
    """Whether letters and digits are mixed, as they are in what a machine made up."""
    return len(value) >= least and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _of_pattern(pattern: str) -> _Finder:
    """What a pattern finds: its group `secret` (or `secret2`), else a `bare` one that is mixed, else the whole."""
    compiled = re.compile(pattern)
    groups = [name for name in ("secret", "secret2", "bare") if name in compiled.groupindex]

    def find(text: str) -> Iterator[tuple[int, int]]:
        for found in compiled.finditer(text):
            name = next((group for group in groups if found[group] is not None), None)
            if name == "bare" and not _is_mixed(found["bare"], MIN_VAGUE):
                continue
            value = found[name or 0]
            if value.startswith("<") or _HARMLESS.fullmatch(value):
                continue
            yield found.span(name or 0)

    return find


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _COMPILED_CARD.finditer(text):
        if is_card(found[0]):
            yield found.span()


_COMPILED_CARD: Final = re.compile(_CARD)
_COMPILED_NAMED: Final = re.compile(_NAMED)
_COMPILED_NAME: Final = re.compile(
    rf"(?i)(?:(?P<password>{_PASSWORDS})|(?P<key>{_KEYS})|(?P<vague>{_VAGUE})|(?P<authorization>authorization))\Z"
)
_SCHEME: Final = re.compile(r"(?i)(?:basic|bearer|token|negotiate|ntlm|digest|apikey|key)[ \t]+")


def _named(which: str) -> _Finder:
    """Values of names that tell what they are: `password=…`, `"api_key": "…"`."""

    def find(text: str) -> Iterator[tuple[int, int]]:
        for found in _COMPILED_NAMED.finditer(text):
            if (found["password"] is not None) != (which == "password"):
                continue
            value = found["value"]
            bare = value.strip("\\\"'")
            begin = found.start("value") + len(value) - len(value.lstrip("\\\"'"))
            is_said = bare != value or found["quote"] is not None or "=" in found["sign"]
            if _is_value(bare, _role(found), is_said=is_said):
                yield begin, begin + len(bare)

    return find


def _role(found: re.Match[str]) -> str:
    name = found["password"]
    if name is not None:
        return "pwd" if name.lower() == "pwd" else "password"
    return "key" if found["key"] is not None else "vague"


def _is_value(value: str, role: str, *, is_said: bool) -> bool:
    """Whether this is a secret of that role; after a colon in plain text only what is no word of a sentence."""
    if not value or _HARMLESS.fullmatch(value):
        return False
    if role == "vague":
        return _WORD.fullmatch(value) is not None and _is_mixed(value, MIN_VAGUE)
    if role == "pwd" and _PATH.match(value):
        return False
    if role == "key" and len(value) < MIN_KEY:
        return False
    return is_said or (len(value) >= MIN_TOLD and not value.isalpha() and not value.isdigit())


def secret_of(name: str, value: str) -> tuple[str, int] | None:
    """What a field called `name` hides: the kind, and where in its value the secret begins; None where it is none."""
    found = _COMPILED_NAME.search(name[-MAX_NAME:])
    if found is None:
        return None
    if found["authorization"] is not None:
        scheme = _SCHEME.match(value)
        return None if value.startswith("<") else ("authorization", scheme.end() if scheme else 0)
    if not _is_value(value, _role(found), is_said=True):
        return None
    return ("password" if found["password"] is not None else "key"), 0


@cache
def _all() -> tuple[_Secret, ...]:
    """All that is known, the most certain first: what is masked is not looked at again."""
    listed = tomllib.loads(files("sentinel.parse").joinpath("secrets.toml").read_text(encoding="utf-8"))["secret"]
    marked = (
        _Secret(
            one["kind"], one["placeholder"], _plain(one["pattern"]), _of_pattern(one["pattern"].replace(r"\z", r"\Z"))
        )
        for one in listed
    )
    return (
        *marked,
        _Secret(
            "authorization", "<TOKEN>", r"(?i:\bauthorization[\\\"'\]]{0,5}[ \t]{0,3}[:=])", _of_pattern(_AUTHORIZATION)
        ),
        _Secret("bearer", "<TOKEN>", r"(?i:\b(?:bearer|basic)[ \t]+[A-Za-z0-9._~+/=-]{12})", _of_pattern(_BEARER)),
        _Secret("password", "<PASSWORD>", _URL_LOOK, _of_pattern(_URL)),
        _Secret("password", "<PASSWORD>", _OPTION_LOOK, _of_pattern(_OPTION)),
        _Secret("password", "<PASSWORD>", _NAMED_LOOK, _named("password")),
        _Secret("key", "<KEY>", _NAMED_LOOK, _named("key")),
        _Secret("card", "<CARD>", _CARD_LOOK, _cards),
    )


def _plain(pattern: str) -> str:
    """The pattern without the names of its groups, its beginning alone where its end may be far."""
    return re.sub(r"\?P<\w+>", "?:", pattern.partition("(?s:")[0])


KINDS: Final = tuple(dict.fromkeys(secret.kind for secret in _all()))
"""The kinds that can be chosen."""
PLACEHOLDERS: Final = {secret.kind: secret.placeholder for secret in _all()}


@cache
def look_of(kinds: frozenset[str]) -> str:
    """A pattern that is in every text with a secret of these kinds, and in few others; empty where there are none."""
    return "|".join(dict.fromkeys(secret.look for secret in _all() if secret.kind in kinds))


@cache
def _of(kinds: frozenset[str]) -> tuple[_Secret, ...]:
    return tuple(secret for secret in _all() if secret.kind in kinds)


def masked(text: str, kinds: frozenset[str], counts: Counter[str]) -> str:
    """The text with a placeholder for each secret of these kinds; `counts` counts them by kind."""
    for secret in _of(kinds):
        pieces, at = list[str](), 0
        for begin, end in secret.find(text):
            pieces += (text[at:begin], secret.placeholder)
            at = end
            counts[secret.kind] += 1
        if pieces:
            text = "".join((*pieces, text[at:]))
    return text
