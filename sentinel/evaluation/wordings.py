"""Score the lexicon on wordings of another hand: which share of them it reads as what they are, by language."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sentinel.detect.lexicon import Concept
from sentinel.detect.lexicon.in_use import concepts_of
from sentinel.detect.read.text import join, scan
from sentinel.errors import TerminalError

__all__ = ["HARMLESS", "Share", "score_wordings", "wordings_table"]

HARMLESS = "harmless"
ALARMING = {Concept.FAILURE, Concept.GRAVE_FAILURE, Concept.FAILED_LOGIN, Concept.PRIVILEGE, Concept.FILTERED}


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the wordings for a concept in a language were found; of harmless ones, how many were let be."""

    concept: str
    language: str
    found: int
    total: int


def score_wordings(folder: Path) -> Sequence[Share]:
    """The shares of all wordings in the TOML files of a folder, by concept, then language. Tells none of the texts.

    A file has `language` and `[[wording]]` with `concept` (or "harmless") and `texts`, as programs write them: they are
    masked as lines are. Raises TerminalError for a folder without files, or a file of another form.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise TerminalError(f"score wordings: {folder} has no *.toml")
    total: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    for language, concept, text in (row for path in files for row in _rows(path)):
        total[concept, language] += 1
        found[concept, language] += _is_read(concept, text)
    return [Share(concept, language, found[concept, language], n) for (concept, language), n in sorted(total.items())]


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """(language, concept, masked text) of each wording of a file."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        language = str(table["language"])
        wordings = [(str(row["concept"]), [str(text) for text in row["texts"]]) for row in table["wording"]]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise TerminalError(f"score wordings: {path}: not of the form that docs/commands.md tells ({exc!r})") from exc
    for concept, texts in wordings:
        if concept != HARMLESS and concept not in set(Concept):
            raise TerminalError(f"score wordings: {path}: {concept!r} is none of {', '.join(Concept)}, {HARMLESS}")
        scanned = scan(*join(pl.Series(texts, dtype=pl.String)))
        yield from ((language, concept, scanned.text(i)) for i in range(len(texts)))


def _is_read(concept: str, masked: str) -> bool:
    """Whether a text is read as what it is; trouble that is denied, and what is harmless, as nothing alarming."""
    concepts = concepts_of(masked.replace("<ZERO>", "0"))  # as `flags_of` reads a line
    if concept in (HARMLESS, Concept.DENIED):
        return not concepts & ALARMING
    return concept in concepts


def wordings_table(shares: Sequence[Share]) -> str:
    """The shares as a table of Markdown: a row a concept, a column a language, and all languages together."""
    languages = sorted({share.language for share in shares})
    lines = [f"| concept | {' | '.join(languages)} | all |", "|---|" + "--:|" * (len(languages) + 1)]
    for concept in sorted({share.concept for share in shares}):
        own = {share.language: share for share in shares if share.concept == concept}
        cells = [_cell([own[language]]) if language in own else "" for language in languages]
        lines.append(f"| {concept} | {' | '.join(cells)} | {_cell(list(own.values()))} |")
    return "\n".join(lines)


def _cell(shares: Sequence[Share]) -> str:
    found, total = sum(share.found for share in shares), sum(share.total for share in shares)
    return f"{found / total:.2f} ({total})"
