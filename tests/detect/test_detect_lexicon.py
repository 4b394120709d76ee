"""The lexicon: each entry's own examples, spellings, files of users, and that its index changes no answer."""

import re
from pathlib import Path
from typing import Any

import pytest

from sentinel.detect.lexicon import BUILT_IN, Concept, Entry, Lexicon, parse_file, read_built_in, read_lexicon
from sentinel.detect.lexicon.in_use import concepts_of
from sentinel.detect.lexicon.literals import literals_of
from sentinel.detect.lexicon.reader import OF_KERNELS
from sentinel.detect.lexicon.spelling import fold, spell
from sentinel.errors import SettingsError

LEXICON = read_lexicon()
ENTRIES = read_built_in()
TEXTS = sorted({text for entry in ENTRIES for text in (*entry.matches, *entry.not_matches)})
OWN = """
[words]
goblin = ["gremlin", "kobold"]

[[entry]]
concept = "failure"
pattern = '{goblin} in der Leitung'
matches = ["Kobold in der Leitung 4"]
not_matches = ["kein Kobold zu Hause"]
origin = "our own switchboard"
"""


def named(entry: Entry) -> str:
    return f"{entry.where.removeprefix('lexicon ')} {entry.concept}"


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_entry_keeps_its_examples(entry: Entry) -> None:
    """What an entry names as its own is found, by it and by all together; what it must not find, none finds."""
    LEXICON.check(entry)
    if entry.concept not in (Concept.DENIED, *OF_KERNELS, Concept.OPPOSITE):
        assert [text for text in entry.matches if entry.concept not in LEXICON.concepts(text)] == []
        assert [text for text in entry.not_matches if entry.concept in LEXICON.concepts(text)] == []


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.concept is Concept.DENIED], ids=named)
def test_trouble_that_is_denied_reads_as_no_failure(entry: Entry) -> None:
    """None of the texts in which trouble is counted as zero reads as a failure in any language."""
    troubled = {Concept.FAILURE, Concept.GRAVE_FAILURE, Concept.FAILED_LOGIN}
    left = {text: LEXICON.concepts(text) & troubled for text in entry.matches}

    assert {text: found for text, found in left.items() if found} == {}


def test_each_language_knows_the_concepts_that_decide() -> None:
    """A failed and a worked log-in, privileges, failures, grave ones and denial are told in each language."""
    wanted = {
        Concept.DENIED,
        Concept.FAILED_LOGIN,
        Concept.WORKED_LOGIN,
        Concept.PRIVILEGE,
        Concept.FAILURE,
        Concept.GRAVE_FAILURE,
        Concept.FILTERED,
    }

    for language in BUILT_IN[:-1]:
        assert wanted <= {entry.concept for entry in ENTRIES if entry.language == language}, language


class Exhaustive(Lexicon):
    """A lexicon that tries every pattern on every text."""

    def _candidates(self, folded: str) -> list[Any]:
        return self._finders


def test_index_changes_no_answer() -> None:
    """What trying every pattern finds is what the lexicon finds, on all texts of all entries."""
    exhaustive = Exhaustive(LEXICON.entries)

    for text in TEXTS:
        assert LEXICON.undenied(text) == exhaustive.undenied(text)
        assert LEXICON.concepts(text) == exhaustive.concepts(text)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("failed", ({"failed"},)),
        (r"\b(?:wrong|bad) pass(?:word|code)s?", ({" pass"}, {"word", "code"}, {"wrong", "bad"})),
        (r"[abc]+", ()),
        (r"(?:x|failed)", ()),
        (r"(?!no )failed(?:soon)?", ({"failed"},)),
        (r"errors?\.log", ({".log"}, {"error"})),
        (r"a{0,3}bcd\x41efgh", ({"efgh"}, {"bcd"})),
    ],
)
def test_literals_are_in_every_match(pattern: str, literals: tuple[set[str], ...]) -> None:
    """Sets of texts of which each match holds one; nothing where that is not sure."""
    assert sorted(map(sorted, literals_of(pattern))) == sorted(map(sorted, literals))


@pytest.mark.parametrize("text", ["échec", "Echec", "ÉCHEC", "e\u0301chec", "?chec", "\ufffdchec", "Ã©chec"])
def test_an_accent_may_be_missing_apart_or_damaged(text: str) -> None:
    """A word written with its accent finds the word without it, taken apart, and read in the wrong encoding."""
    assert re.search(spell(r"\béchec"), fold(text)) or re.search(spell("échec"), fold(text))


@pytest.mark.parametrize("text", ["ungültig", "UNGÜLTIG", "ungueltig", "ungultig", "ung\ufffdltig"])
def test_an_umlaut_may_stand_as_two_letters(text: str) -> None:
    """`ü` is also `ue`, `u`, or lost."""
    assert re.search(spell("ungültig"), fold(text))


@pytest.mark.parametrize(
    "text", ["LoginFailed", "login_failed", "LOGIN FAILED", "login-failed", "onAuthenticationFailed"]
)
def test_words_that_stand_as_one_are_taken_apart(text: str) -> None:
    """A failed log-in is one, whether its words are joined by capitals, underscores or dashes."""
    assert Concept.FAILED_LOGIN in LEXICON.concepts(text)


def test_files_of_a_user_are_added(tmp_path: Path) -> None:
    """An entry of a file, or of any TOML file in a folder, works beside ours and changes the digest."""
    (tmp_path / "house.toml").write_text(OWN)

    for path in (tmp_path, tmp_path / "house.toml"):
        lexicon = read_lexicon([path])
        assert lexicon.concepts("Gremlin in der Leitung") == {Concept.FAILURE}
        assert lexicon.digest != LEXICON.digest


def test_digest_is_about_patterns_alone(tmp_path: Path) -> None:
    """Order, origin and examples do not change what a lexicon says, nor its digest."""
    own = parse_file(OWN, "house.toml")

    assert Lexicon([*own, *LEXICON.entries]).digest == Lexicon([*reversed(LEXICON.entries), *own]).digest
    assert Lexicon(LEXICON.entries).digest == LEXICON.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("concept", "conceit"), "does not know 'conceit'"),
        (('"failure"', '"failing"'), "'failing' is no concept; these are: denied, failed_login"),
        (("{goblin} in", "{elf} in"), "{elf} is no list of [words]; these are: goblin"),
        (("{goblin} in der Leitung", "(unclosed"), "missing )"),
        (("{goblin} in der Leitung", "x*"), "matches the empty text"),
        (("{goblin} in der Leitung", "[äö]"), "an accented letter inside [äö]"),
        (("Kobold in der Leitung 4", "Elf in der Leitung"), "does not match its example 'Elf in der Leitung'"),
        (("kein Kobold zu Hause", "Kobold in der Leitung"), "which it must not"),
        (('origin = "our own switchboard"', ""), "lacks origin"),
        (('matches = ["Kobold in der Leitung 4"]', "matches = []"), "matches takes a list of texts"),
        (("[[entry]]", "[[entries]]"), "does not know [entries]"),
        (("[[entry]]", "[[entry"), "is no TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """The message names the file, what is wrong and what would be right."""
    path = tmp_path / "house.toml"
    path.write_text(OWN.replace(*change))

    with pytest.raises(SettingsError) as refused:
        read_lexicon([path])

    assert str(path) in str(refused.value)
    assert message in str(refused.value)


def test_a_path_without_a_lexicon_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder without one and bytes that are no UTF-8 are told as such."""
    (tmp_path / "latin.toml").write_bytes(b'[[entry]]\npattern = "\xe9chec"')
    (tmp_path / "empty").mkdir()

    for path, message in (("no.toml", "cannot be read"), ("empty", "has no *.toml"), ("latin.toml", "is not UTF-8")):
        with pytest.raises(SettingsError, match=re.escape(message)):
            read_lexicon([tmp_path / path])


@pytest.mark.parametrize(
    "masked",
    [
        *("status installed polkitd:amd64 <NUM>-<NUM>", "status half-configured sudo:amd64 <NUM>p3-<NUM>"),
        *(
            "install passwd:amd64 <none> <TIME>",
            "Setting up polkitd (<NUM>-<NUM>) ...",
            "upgrade crash:all <NUM> <NUM>",
        ),
        *("Upgraded: sudo-<NUM>p2-<NUM>.el9.x86_<NUM>", "Started polkit.service - Authorization Manager."),
        *("Finished loading, compiling and executing <NUM> rules", "Starting sudo-audit.service..."),
    ],
)
def test_the_name_of_a_package_or_unit_is_no_event_of_its_subject(masked: str) -> None:
    """A package manager that writes `polkitd` or `sudo` changes nobody's rights."""
    assert concepts_of(masked) == frozenset()


@pytest.mark.parametrize(
    ("masked", "concept"),
    [
        ("bob : TTY=pts/<NUM> ; PWD=<PATH> ; USER=root ; COMMAND=/bin/sh", Concept.PRIVILEGE),
        ("pkexec: bob: Executing command [USER=root] [TTY=unknown]", Concept.PRIVILEGE),
        ("Operator successfully authenticated as unix-user:root to gain authorization", Concept.PRIVILEGE),
        ("Stopped auditd.service - Security Auditing Service.", Concept.PRIVILEGE),
        ("dpkg: error processing package sudo (--configure): exit status 1", Concept.FAILURE),
        ("polkit.service: Main process exited, code=killed", Concept.FAILURE),
        ("Failed to start User Login Management.", Concept.FAILURE),
    ],
)
def test_what_happens_to_the_subject_is_still_read(masked: str, concept: Concept) -> None:
    """Somebody who becomes root, protection that is stopped, a package that fails: each is told as before."""
    assert concept in concepts_of(masked)
    assert Concept.FAILED_LOGIN not in concepts_of(masked)
