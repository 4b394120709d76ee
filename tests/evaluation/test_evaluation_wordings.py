"""Scoring the lexicon on wordings of another hand: shares by concept and language, and no text told."""

from pathlib import Path

import pytest

from sentinel.errors import TerminalError
from sentinel.evaluation.wordings import Share, score_wordings, wordings_table

GERMAN = """
language = "de"

[[wording]]
concept = "failed_login"
texts = ["Anmeldung von olga fehlgeschlagen (10.1.2.3)", "der Mond ist aufgegangen"]

[[wording]]
concept = "harmless"
texts = ["Import beendet, 0 Fehler", "Rechnung 4711 verbucht", "Platte voll"]
"""


def test_shares_are_counted_by_concept_and_language(tmp_path: Path) -> None:
    """Found is what is read as its concept; of harmless texts, what alarms nobody. Texts are masked as lines are."""
    (tmp_path / "de.toml").write_text(GERMAN)
    (tmp_path / "en.toml").write_text('language = "en"\n[[wording]]\nconcept = "denied"\ntexts = ["failed=0"]\n')

    shares = score_wordings(tmp_path)

    assert shares == [
        Share("denied", "en", 1, 1),
        Share("failed_login", "de", 1, 2),
        Share("harmless", "de", 2, 3),
    ]
    assert wordings_table(shares).splitlines()[0::3] == [
        "| concept | de | en | all |",
        "| failed_login | 0.50 (2) |  | 0.50 (2) |",
    ]


@pytest.mark.parametrize("content", ["language = 3", GERMAN.replace("harmless", "nice"), "x ="])
def test_a_file_of_another_form_is_named(tmp_path: Path, content: str) -> None:
    """A missing key, an unknown concept and what is no TOML are told with the file's name."""
    (tmp_path / "odd.toml").write_text(content)

    with pytest.raises(TerminalError, match=r"odd\.toml"):
        score_wordings(tmp_path)


def test_a_folder_without_wordings_is_named(tmp_path: Path) -> None:
    """There is nothing to score."""
    with pytest.raises(TerminalError, match="has no"):
        score_wordings(tmp_path)
