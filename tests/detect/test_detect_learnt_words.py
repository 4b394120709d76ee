"""The reader that learnt from examples: what it reads that no entry knows, what it lets be, how it is taught."""

from pathlib import Path

import pytest

from sentinel.detect.learn.words import Wording, digest_of_sources, examples, teach
from sentinel.detect.lexicon import Concept, Lexicon, parse_file, read_lexicon
from sentinel.detect.lexicon.in_use import Reading, in_use
from sentinel.detect.lexicon.learnt import HARMLESS, READ, Learnt, read_learnt
from sentinel.detect.lexicon.learnt.kinds import Kinds, words_of
from sentinel.errors import TerminalError

LEXICON = read_lexicon()
LEARNT = read_learnt()
OWN = """
[[entry]]
concept = "failure"
pattern = 'http errors total'
matches = ["http_errors_total"]
origin = "our own metrics"
"""
KINDS = """
[needs]
failure = [["broken"], ["part"]]
[bars]
failure = ["over"]
[kinds.broken]
en = ["break", "snap$"]
de = ["~bruch", "kaputt"]
[kinds.part]
en = ["spring", "pump"]
[kinds.over]
en = ["mended"]
"""


def test_weights_are_those_of_the_examples() -> None:
    """Whoever changes kinds, examples or entries makes the weights anew: `make words`."""
    assert LEARNT.made_of == digest_of_sources()


def test_weights_can_be_made_again() -> None:
    """The same examples teach the same reader, but for a rounding of another machine's."""
    wordings = examples()
    again = teach(wordings)

    differ = [w.masked for w in wordings if again.concepts(w.masked) != LEARNT.concepts(w.masked)]

    assert len(differ) <= len(wordings) / 500
    assert len(again.start) == len(READ) + 1


UNSEEN = [
    (Concept.FAILED_LOGIN, "parola chiave sbagliata per l'operatore <USER>, accesso negato"),
    (Concept.FAILED_LOGIN, "credencial rechazada al operador <USER> en la terminal <NUM>"),
    (Concept.FAILED_LOGIN, "a credencial de <USER> foi recusada no terminal <NUM>"),
    (Concept.WORKED_LOGIN, "der Bediener <USER> ist jetzt am Terminal angemeldet, Kennwort bestätigt"),
    (Concept.PRIVILEGE, "le rôle administrateur a été donné au compte <USER>"),
    (Concept.GRAVE_FAILURE, "il nodo primario è andato in crash, dati danneggiati e irrecuperabili"),
    (Concept.FILTERED, "el cortafuegos descartó tráfico de <IP> hacia el puerto <NUM>"),
]


@pytest.mark.parametrize(("concept", "masked"), UNSEEN, ids=[f"{c.value}-{t[:20]}" for c, t in UNSEEN])
def test_wordings_that_stand_nowhere_are_read(concept: Concept, masked: str) -> None:
    """Their kinds of words are known, their sentences are in no example."""
    assert masked not in {wording.masked for wording in examples()}

    assert concept in Reading(LEXICON, LEARNT).concepts(masked)


@pytest.mark.parametrize(
    "masked",
    [
        *("session of <USER> closed after <NUM> min", "operator <USER> moved the crane to bay <NUM>"),
        *(
            "o operador <USER> guardou o mapa <NUM>",
            "Kran <NUM> fährt zu Platz <NUM>",
            "tabla de precios <NUM> impresa",
        ),
        *("zurka ka=<USER> ip=<IP> mo=<NUM>", "cache entry invalidated", "the crane greets <USER> from bay <NUM>"),
    ],
)
def test_ordinary_lines_are_let_be(masked: str) -> None:
    """Lines of no concept read as nothing, also where one of their words stands in other texts for trouble."""
    assert Reading(LEXICON, LEARNT).concepts(masked) == frozenset()


def test_what_entries_say_stands() -> None:
    """A text that an entry reads as a log-in that worked, or as privileged, is made nothing else."""
    for text in (text for entry in LEXICON.entries for text in entry.matches):
        found = LEXICON.concepts(text)
        if found & {Concept.WORKED_LOGIN, Concept.PRIVILEGE, Concept.FAILED_LOGIN}:
            assert found <= Reading(LEXICON, LEARNT).concepts(text)


def test_a_reader_may_be_left_out_whole_or_for_one_concept() -> None:
    """Each is another digest, so that a model knows what it was made with."""
    text = UNSEEN[-1][1]
    whole, less, none = (
        Reading(LEXICON, LEARNT),
        Reading(LEXICON, LEARNT.without(Concept.FILTERED)),
        Reading(LEXICON, None),
    )

    assert Concept.FILTERED in whole.concepts(text)
    assert Concept.FILTERED not in less.concepts(text)
    assert len({whole.digest, less.digest, none.digest, in_use().digest}) == 3


def test_a_failure_of_an_entry_is_none_where_the_text_is_surely_harmless() -> None:
    """A mere failure of ours alone: graver things stay, and so does what a user's own entry reads."""
    text = "Registering metric http_errors_total"
    own = parse_file(OWN, "own.toml")
    with_own = Reading(Lexicon((*LEXICON.entries, *own)), LEARNT)

    assert Concept.FAILURE in LEXICON.concepts(text)
    assert Reading(LEXICON, LEARNT).concepts(text) == frozenset()
    assert with_own.concepts(text) == {Concept.FAILURE}


def test_every_failure_that_entries_show_is_still_one() -> None:
    """What was learnt makes none of their own examples harmless."""
    reading = Reading(LEXICON, LEARNT)
    shown = [text for entry in LEXICON.entries if entry.concept is Concept.FAILURE for text in entry.matches]

    assert [text for text in shown if Concept.FAILURE not in reading.concepts(text)] == []


def test_a_request_that_was_wrong_is_the_clients_failure() -> None:
    """It stays a failure; one of a program that only speaks of requests is ours."""
    reading = Reading(LEXICON, LEARNT)

    assert reading.concepts("Validation failed: field 'email' is invalid") >= {Concept.FAILURE, Concept.CLIENT_ERROR}
    assert Concept.CLIENT_ERROR not in reading.concepts('msg="request done" error="deadline exceeded" took=<NUM>s')


def test_bounds_hold_what_they_promise_and_differ_by_concept() -> None:
    """A grave failure has to be surer than a failed log-in; to overrule an entry, a text surer than to be harmless."""
    least = dict(zip(READ, LEARNT.bounds.least, strict=True))

    assert least[Concept.GRAVE_FAILURE] > least[Concept.FAILED_LOGIN]
    assert LEARNT.bounds.surely_harmless > LEARNT.bounds.harmless
    assert LEARNT.bounds.surely_client > least[Concept.CLIENT_ERROR]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("pump breaks", {"part", "broken"}),
        ("snap", {"broken"}),
        ("snapped", set()),  # `snap$` is a whole word
        ("Achsenbruch", {"broken"}),  # `~bruch` also ends one
        ("daybreak", set()),
    ],
)
def test_beginnings_find_words(text: str, kinds: set[str]) -> None:
    """A beginning finds words that begin so; `~` inside of words, too; `$` whole words alone."""
    assert {kind for _, kind in Kinds(KINDS).find(words_of(text.lower()))} == kinds


def test_a_concept_needs_words_and_is_barred_by_others() -> None:
    """One word of each list, and none of those that bar."""
    kinds = Kinds(KINDS)

    assert kinds.possible({"broken", "part"}) == {"failure"}
    assert kinds.possible({"broken"}) == frozenset()
    assert kinds.possible({"broken", "part", "over"}) == frozenset()


def test_a_reader_says_what_it_was_taught() -> None:
    """Taught with other wordings it reads others: the weights decide, not the kinds."""
    texts = ["password of <USER> rejected", "wrong password for <USER>", "login of <USER> failed"] * 4
    taught = teach(
        [
            *(Wording("en", "failed_login", text, sensitive=False) for text in texts),
            *(Wording("en", HARMLESS, "user <USER> opened the wrong page", sensitive=False) for _ in range(8)),
            *(Wording("en", concept.value, f"x{i}", sensitive=False) for i, concept in enumerate(READ)),
        ]
    )

    assert isinstance(taught, Learnt)
    assert Concept.FAILED_LOGIN in taught.concepts("password of <USER> rejected")
    assert Concept.FAILED_LOGIN not in taught.concepts("user <USER> opened the wrong page")


def test_an_example_file_of_another_form_is_named(tmp_path: Path) -> None:
    """Its name and what is wrong are told."""
    (tmp_path / "odd.toml").write_text('language = "en"\n[[wording]]\nconcept = "nice"\ntexts = ["x"]\n')

    with pytest.raises(TerminalError, match=r"odd\.toml.*'nice'"):
        examples(tmp_path, ())
