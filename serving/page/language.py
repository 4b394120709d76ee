"""The page's words: a catalogue a language, chosen by the browser; reasons told anew from their figures."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TypeAlias

__all__ = ["LANGUAGES", "Words", "choose", "words"]

SEPARATORS = {"en": ",.", "pt": ".,"}
"""What parts a number's groups of three, and its fraction."""

LANGUAGES = tuple(SEPARATORS)
FIGURE = re.compile(r"\{(\w+)\}")
GROUPS = {"_n": r"[0-9][0-9.,e+]*", "_x": r".*?"}
AMOUNT = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)? ?(?:%|ms|s|min|h|d|[KMG]i?B)")
"""A figure with its unit: a number, whatever it stands for."""

USUAL = "; {usual}"
"""How a reason with figures ends; what would be normal names the rest of it."""

QUALITY = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,32})?\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?\s*")

Forms: TypeAlias = tuple[tuple[re.Pattern[str], str], ...]
"""English sentences as patterns, each with its words in another language."""


def choose(accepted: str) -> str:
    """The language that an `Accept-Language` header prefers among ours; English where it names none of them.

    >>> choose("fr, pt-BR;q=0.8, en;q=0.5"), choose("de")
    ('pt', 'en')
    """
    best, weight = LANGUAGES[0], 0.0
    for part in accepted[:1_000].split(","):
        found = QUALITY.fullmatch(part)
        if found is None or found[1].lower() not in LANGUAGES:
            continue
        quality = _number(found[2]) if found[2] else 1.0
        if quality > weight:
            best, weight = found[1].lower(), quality
    return best


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """One language: texts by name, and the forms that reasons and titles have."""

    language: str
    texts: Mapping[str, str]
    forms: Forms = field(repr=False)
    findings: Forms = field(default=(), repr=False)
    checks: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, name: str, **figures: object) -> str:
        """The text of this name with its figures. Raises KeyError for a name that no catalogue has."""
        return self.texts[name].format(**figures)

    def retell(self, sentence: str) -> str:
        """An English reason or title in this language; as it stands where its form is not known.

        A figure of a form that is a sentence itself (what was usual, from whom) is retold, too.
        """
        return _retold(sentence, self.forms, self.language)

    def diagnose(self, sentence: str) -> str:
        """What the doctor says in English in this language; as it stands where its form is not known."""
        return _retold(sentence, self.findings, self.language)

    def number(self, value: float, digits: int = 0) -> str:
        """A number as this language writes it: `1,764.5` in English, `1.764,5` in Portuguese."""
        return _written(f"{value:,.{digits}f}", self.language)

    def check(self, name: str) -> str:
        """The name of one of the doctor's checks."""
        return self.checks.get(name, name)

    def meaning(self, setting: str, english: str) -> str:
        """What the setting of this name means; the English of `Settings` where this language has no other."""
        return self.settings.get(setting, english)


def _retold(sentence: str, forms: Forms, language: str) -> str:
    for form, told in forms:
        found = form.fullmatch(sentence)
        if found is not None:
            return told.format(
                **{name: _figure(name, value, forms, language) for name, value in found.groupdict("").items()}
            )
    return sentence


def _figure(name: str, value: str, forms: Forms, language: str) -> str:
    """A figure of a form: a number as the language writes it, else a sentence that may have a form itself."""
    if name.endswith("_n") or AMOUNT.fullmatch(value):
        return _written(value, language)
    return _retold(value, forms, language)


def _written(english: str, language: str) -> str:
    return english.translate(str.maketrans(SEPARATORS["en"], SEPARATORS[language]))


@cache
def words(language: str) -> Words:
    """The words of one of LANGUAGES."""
    english, own = _catalogue("en"), _catalogue(language)
    forms: tuple[tuple[re.Pattern[str], str], ...] = ()
    if language != "en":
        told = [(text, own["reasons"][name]) for name, text in english["reasons"].items()]
        told += [(text.removesuffix(USUAL), other.removesuffix(USUAL)) for text, other in told if text.endswith(USUAL)]
        forms = tuple((_form(text), other) for text, other in told)
    return Words(
        language,
        {**english["texts"], **own["texts"]},
        forms,
        tuple((_form(text), other) for text, other in own.get("findings", {}).items()),
        own.get("checks", {}),
        own.get("settings", {}),
    )


def _catalogue(language: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        files("serving.page").joinpath(f"catalog/{language}.json").read_text(encoding="utf-8")
    )
    return found


def _form(text: str) -> re.Pattern[str]:
    """A reason's text with figures in braces as a pattern; one that ends in _n is a number, in _x may be empty."""
    parts, at = [], 0
    for figure in FIGURE.finditer(text):
        group = GROUPS.get(figure[1][-2:], r".+?")
        parts += [re.escape(text[at : figure.start()]), f"(?P<{figure[1]}>{group})"]
        at = figure.end()
    return re.compile("".join([*parts, re.escape(text[at:])]), re.DOTALL)
