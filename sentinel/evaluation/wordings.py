"""Score the lexicon on wordings of another hand: which share of them it reads as what they are, by language."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentinel.detect.learn.words import Wording, read_wordings
from sentinel.detect.lexicon import Concept
from sentinel.detect.lexicon.in_use import concepts_of
from sentinel.detect.lexicon.learnt import HARMLESS
from sentinel.errors import TerminalError

__all__ = ["HARMLESS", "Share", "score_wordings", "wordings_table"]

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
    for wording in (row for path in files for row in read_wordings(path)):
        total[wording.concept, wording.language] += 1
        found[wording.concept, wording.language] += _is_read(wording)
    return [Share(concept, language, found[concept, language], n) for (concept, language), n in sorted(total.items())]


def _is_read(wording: Wording) -> bool:
    """Whether a text is read as what it is; trouble that is denied, and what is harmless, as nothing alarming. What
    probes is looked for before masking, as in lines."""
    concepts = concepts_of(wording.masked)
    if wording.concept in (HARMLESS, Concept.DENIED):
        return not concepts & ALARMING
    return wording.concept in concepts or (wording.concept == Concept.PROBE and wording.sensitive)


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
