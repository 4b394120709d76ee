"""The page's words: a catalogue a language, chosen by the browser; reasons told anew from their figures."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from sentinel.counted import CHOICE, filled

__all__ = ["LANGUAGES", "Words", "choose", "words"]

SEPARATORS = {"en": ",.", "pt": ".,"}
"""What parts a number's groups of three, and its fraction."""

LANGUAGES = tuple(SEPARATORS)
FIGURE = re.compile(r"\{(\w+)\}")
PLACE = re.compile(rf"{CHOICE.pattern}|{FIGURE.pattern}")
GROUPS = {"_n": r"[0-9][0-9.,e+]*", "_x": r".*?", "_k": r"[a-z_]+_exception"}
AMOUNT = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)? ?(?:%|ms|s|min|h|d|[KMG]i?B)")
"""A figure with its unit: a number, whatever it stands for."""

USUAL = "; {usual}"
"""How a reason with figures ends; what would be normal names the rest of it."""

QUALITY = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,32})?\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?\s*")

NO_NAMES: Mapping[str, str] = {}

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
    sentences: Forms = field(default=(), repr=False)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, name: str, **figures: object) -> str:
        """The text of this name with its figures. Raises KeyError for a name that no catalogue has."""
        return filled(self.texts[name], figures)

    def retell(self, sentence: str) -> str:
        """An English reason or title in this language; as it stands where its form is not known.

        A figure of a form that is a sentence itself (what was usual, from whom) is retold, too.
        """
        return _retold(sentence, self.forms, self.language)

    def tell(self, sentence: str) -> str:
        """What the doctor, a reader or an error says in English, in this language; as it stands where it is another
        program's sentence."""
        return _retold(sentence, self.sentences, self.language, self.names)

    def number(self, value: float, digits: int = 0) -> str:
        """A number as this language writes it: `1,764.5` in English, `1.764,5` in Portuguese."""
        return self.written(f"{value:,.{digits}f}")

    def written(self, figure: str) -> str:
        """A figure in English, as `0.25 s`, as this language writes it."""
        return _written(figure, self.language)

    def name(self, english: str) -> str:
        """What a check, a reader, what it does, or a stream is called."""
        return self.names.get(english, english)

    def meaning(self, setting: str, english: str) -> str:
        """What the setting of this name means; the English of `Settings` where this language has no other."""
        return self.settings.get(setting, english)


def _retold(sentence: str, forms: Forms, language: str, names: Mapping[str, str] = NO_NAMES) -> str:
    for form, told in forms:
        found = form.fullmatch(sentence)
        if found is not None:
            given = found.groupdict("").items()
            return filled(told, {name: _figure(name, value, forms, language, names) for name, value in given})
    return sentence


def _figure(name: str, value: str, forms: Forms, language: str, names: Mapping[str, str]) -> str:
    """A figure of a form: a number as the language writes it, a name, else a sentence that may have a form itself."""
    if name.endswith("_n") or AMOUNT.fullmatch(value):
        return _written(value, language)
    return names.get(value) or _retold(value, forms, language, names)


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
        tuple((_form(text), other) for text, other in sorted(own.get("sentences", {}).items(), key=_written_out)),
        own.get("names", {}),
        own.get("settings", {}),
    )


def _catalogue(language: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        files("serving.page").joinpath(f"catalog/{language}.json").read_text(encoding="utf-8")
    )
    return found


def _written_out(pair: tuple[str, str]) -> int:
    """Sorts the sentences with the most words of their own first: what is said more exactly is tried before."""
    return -len(PLACE.sub("", pair[0]))


def _form(text: str) -> re.Pattern[str]:
    """A reason's text with figures in braces as a pattern; one that ends in _n is a number, in _x may be empty,
    in _k is one of Elasticsearch's kinds of failure."""
    parts, at = [], 0
    for place in PLACE.finditer(text):
        one, more, name = place[2], place[3], place[4]
        meant = f"(?P<{name}>{GROUPS.get(name[-2:], '.+?')})" if name else f"(?:{re.escape(one)}|{re.escape(more)})"
        parts += [re.escape(text[at : place.start()]), meant]
        at = place.end()
    return re.compile("".join([*parts, re.escape(text[at:])]), re.DOTALL)
