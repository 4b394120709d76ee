"""What the rooms say in English is Portuguese on the page: every sentence of theirs, and every name."""

import pytest

from sentinel.detect.learn import gate
from sentinel.pipeline.diagnosis import CHECKS
from sentinel.pipeline.rounds import READERS
from sentinel.records import ANOMALIES, EVENTS
from serving.alert import AlertReader
from serving.deliver import DeliverReader
from serving.detect import DetectReader
from serving.follow import FollowReader
from serving.page.language import words
from tests.serving.said_on_the_page import modules, raised, said, states

WHOLE = (
    "sentinel.pipeline.diagnosis",
    "sentinel.cli.doctor",
    "sentinel.left_behind",
    "sentinel.store.health",
    "sentinel.store.answers",
    "sentinel.store.inspection",
    "sentinel.detect.learn.gate",
)
"""Modules whose every sentence the page may show."""

RAISING = ("sentinel.store", "sentinel.spool", "sentinel.detect.models", "sentinel.alert.send", "sentinel.pipeline")
"""Rooms whose errors it may show: a reader's, the store's, the model's, the answer to a click."""

THE_SAME = {
    "Bearer 7",
    "7 MiB",
    "1 MiB",
    "7 s",
    "Elasticsearch 7",
    "sentinel load --from-parquet",
    "7 on 7",  # a privilege on an index
    "pipeline with id",  # Elasticsearch's words, looked for in its answers
}
"""What reads the same in every language, or is not said."""


def untold(sentences: set[str]) -> list[str]:
    told = words("pt")
    return sorted(text for text in sentences - THE_SAME if told.tell(text) == text and told.name(text) == text)


@pytest.mark.parametrize("name", WHOLE)
def test_every_sentence_of_a_room_is_told_in_portuguese(name: str) -> None:
    """A sentence that is new there is missed here until the catalogue has it."""
    sentences = {text for module in modules(name) for text in said(module)}

    assert sentences
    assert untold(sentences) == []


@pytest.mark.parametrize("name", RAISING)
def test_every_error_of_a_room_is_told_in_portuguese(name: str) -> None:
    """An error that is new there is missed here until the catalogue has it."""
    sentences = {text for module in modules(name) for text in raised(module)}

    assert len(sentences) > 3
    assert untold(sentences) == []


def test_no_figure_of_a_sentence_is_lost() -> None:
    """As many figures as the English has; a setting's name is none."""
    sentences = {text for name in WHOLE for module in modules(name) for text in said(module)}
    tell = words("pt").tell

    assert [text for text in sentences if text.count("7") != tell(text).count("7")] == []


def test_every_reader_state_stream_and_check_has_a_portuguese_name() -> None:
    """Also the checks that a model must pass before it serves."""
    found = {*READERS, EVENTS, ANOMALIES, *CHECKS, "detect", "follow", "alert"}
    found |= {word for reader in (DeliverReader, DetectReader, FollowReader, AlertReader) for word in states(reader)}
    known = words("pt").names

    assert {"delivering", "no model", "off", "events"} <= found
    assert found - set(known) == set()
    assert {name for name in said(gate) if words("pt").tell(name) == name} <= set(known)


@pytest.mark.parametrize(
    ("english", "portuguese"),
    [
        (
            (
                "the store cannot be used since 2026-07-01 17:04:05 UTC (3 days): ask Elasticsearch: Elasticsearch "
                "does not know this key or password (security_exception: no); check ELASTIC_API_KEY, or "
                "ELASTIC_USER and ELASTIC_PASSWORD; 9 records wait in the spool, none is lost"
            ),
            (
                "o armazenamento não pode ser usado desde 2026-07-01 17:04:05 UTC (3 dias): perguntar ao "
                "Elasticsearch: o Elasticsearch não conhece esta chave ou senha (security_exception: no); verifique "
                "ELASTIC_API_KEY, ou ELASTIC_USER e ELASTIC_PASSWORD; 9 registros esperam no spool, nenhum se perdeu"
            ),
        ),
        (
            "reader deliver fails (1 attempt): bulk to logs: Elasticsearch answers 503: unavailable_shards",
            (
                "o leitor entrega de linhas falha (1 tentativa): bulk para logs: o Elasticsearch responde 503: "
                "unavailable_shards"
            ),
        ),
        ("1 record waits for delivery", "1 registro espera a entrega"),
        ("1,204 records wait for delivery", "1.204 registros esperam a entrega"),
        (
            "write to /data/store: [Errno 13] Permission denied: '/data/store/x'; the records stay in the spool",
            "gravar em /data/store: permissão negada: '/data/store/x' (errno 13); os registros ficam no spool",
        ),
        ("400 document_parsing_exception", "recusado pelo Elasticsearch (400 document_parsing_exception)"),
        ("the store cannot be used: refused", "o armazenamento não pode ser usado: refused"),
        ("1.0 of 1,024 MiB wait", "1,0 de 1.024 MiB à espera"),
        ("port 8080 is taken: another program listens there", "a porta 8080 está ocupada: outro programa escuta ali"),
        ("a sentence of a library", "a sentence of a library"),
    ],
)
def test_sentences_are_told_anew_with_their_parts(english: str, portuguese: str) -> None:
    """Parts that are sentences or names are told anew, too; what another program said stays as it said it."""
    assert words("pt").tell(english) == portuguese
    assert words("en").tell(english) == english
