"""The page's languages, and text of logs as a person may see it."""

import json
import re
from pathlib import Path

import pytest

import serving.page
from sentinel.counted import filled
from sentinel.pipeline import diagnosis
from sentinel.settings import Settings
from serving.page.health import DOTS, in_force
from serving.page.language import LANGUAGES, choose, words
from serving.page.login import safe_next
from serving.page.plain import plain, shortened
from serving.page.render import _marked, moment, points

FOLDER = Path(serving.page.__file__).parent
NAMED = re.compile(r"\{(\w+)")
COUNTS = {"count", "rows", "top", "received", "delivered", "waiting", "dead"}
USED = re.compile(r"""\bt\(["']([a-z0-9_]+)["']\s*[,)]""")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("pt", "pt"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("en-GB, pt;q=0.9", "en"),
        ("de, fr;q=0.9", "en"),
        ("pt;q=0, en", "en"),
        ("*;q=0.5", "en"),
        ("pt;q=....", "en"),
        (";;;,,,\x00", "en"),
    ],
)
def test_language_is_what_the_browser_prefers(accepted: str, language: str) -> None:
    """The highest weight among ours wins, English where there is none."""
    assert choose(accepted) == language


def test_every_language_has_every_text_with_the_same_figures() -> None:
    """No text is missing in a language, none has figures that the other lacks."""
    catalogues = {name: json.loads((FOLDER / f"catalog/{name}.json").read_text()) for name in LANGUAGES}

    for part in ("texts", "reasons"):
        figures = [
            {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in found[part].items()}
            for found in catalogues.values()
        ]
        assert all(other == figures[0] for other in figures)


SINGULAR = re.compile(r"(?<![\w,.])1 (?:[a-zà-ÿ-]+ )?[a-zà-ÿ-]+s\b")
NO_PLURALS = {"1 nats", "1 bytes", "1 is", "1 address", "1 line fits", "1 deles"}
"""Units, bounds of very many bytes, and what ends in an s all the same."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_thing_is_told_in_the_singular(language: str) -> None:
    """Every text with 1 for each of its counts: a plural after it is a text that lacks its singular."""
    catalogue = json.loads((FOLDER / f"catalog/{language}.json").read_text())
    told = [
        filled(text, {name: "1" if name in COUNTS or name.endswith("_n") else "X" for name in NAMED.findall(text)})
        for part in ("texts", "reasons", "sentences")
        for text in catalogue.get(part, {}).values()
    ]

    assert len(told) > 200
    assert {found[0] for text in told if (found := SINGULAR.search(text))} - NO_PLURALS == set()


def test_every_text_that_a_template_names_is_there() -> None:
    """A name that no catalogue has would be an error on the screen."""
    named = {name for path in (FOLDER / "templates").iterdir() for name in USED.findall(path.read_text())}

    assert len(named) > 100
    assert named <= set(words("en").texts)


def test_text_of_a_log_acts_on_no_screen() -> None:
    """Escapes, controls, marks that turn the direction and halves of characters are shown; letters and tabs stay."""
    assert plain("a\x1b[2J\x00\u202e\u2028\ufeffç\t😀\ud83d") == "a\\x1b[2J\\x00\\u202e\\u2028\\ufeffç\t😀\\ud83d"
    assert shortened("x" * 50, 10) == "x" * 9 + "…"


def test_marks_are_put_around_escaped_text() -> None:
    """What is marked is escaped as all else; parts that overlap are marked once."""
    assert _marked("<b>root</b> from 10.0.0.1", ["root", "10.0.0.1", "0.0.1"]) == (
        "&lt;b&gt;<mark>root</mark>&lt;/b&gt; from <mark>10.0.0.1</mark>"
    )
    assert _marked("a", []) == "a"


def test_times_are_utc_and_nothing_else_is_a_time() -> None:
    """ISO text and Unix time give one element; other values give nothing."""
    iso, unix = moment("2026-07-01T17:04:05.5+02:00"), moment(1_782_918_245.5)

    assert (
        iso
        == unix
        == ('<time datetime="2026-07-01T15:04:05.500Z" title="2026-07-01 15:04:05 UTC">2026-07-01 15:04:05</time>')
    )
    assert moment("yesterday") == moment(None) == ""


def test_sparkline_has_a_point_a_value() -> None:
    """Also for none, one and all zeros."""
    assert points([]) == ""
    assert points([0.0, 0.0]) == "0,23 80,23"
    assert points([5.0]) == "0,1"


@pytest.mark.parametrize(
    "goal", ["//evil", "http://evil", "\\\\evil", "/\\evil", "javascript:x", "", "/a\r\nSet-Cookie: x", "/\u202e"]
)
def test_login_leads_nowhere_else(goal: str) -> None:
    """Only a path of this server is gone to."""
    assert safe_next(goal) == "/"


REASONS = {
    "1,204 failed log-ins from 203.0.113.9 in 3 min; usual for sshd: at most 2 in 3 min": (
        "1.204 logins falhos de 203.0.113.9 em 3 min; normal para sshd: no máximo 2 em 3 min"
    ),
    "312 failed log-ins from user ann in 86 min, then one that worked; more than people mistype, "
    "however usual it has become": (
        "312 logins falhos de usuário ann em 86 min, depois uma que funcionou; mais do que se erra ao digitar, "
        "por mais normal que tenha ficado"
    ),
    "a kind of line never seen before in 6,050 lines, and it reads as a grave failure": (
        "um padrão nunca visto antes em 6.050 linhas, e parece falha grave"
    ),
    "about 64 lines of this kind from 75.97.9.59 within 30 min; usual: at most 16": (
        "cerca de 64 linhas deste padrão de 75.97.9.59 em 30 min; normal: no máximo 16"
    ),
    "303 failed log-ins from more than 20 addresses or users against users of sshd on web-1": (
        "303 tentativas de login falhas de mais de 20 endereços ou usuários contra usuários de sshd em web-1"
    ),
    "477 failed log-ins from 7 addresses against sshd on web-1": (
        "477 tentativas de login falhas de 7 endereços contra sshd em web-1"
    ),
    "A failure never seen before in orders on db-1: 1 line": "Uma falha nunca vista antes em orders em db-1: 1 linha",
    "A failure never seen before in orders on db-1: “deadlock detected”": (
        "Uma falha nunca vista antes em orders em db-1: “deadlock detected”"
    ),
    "A burst of failures in orders: 40 lines, such as “queue: 3 lines, lost”": (
        "Uma rajada de falhas em orders: 40 linhas, como “queue: 3 lines, lost”"
    ),
    "80 failed log-ins from 203.0.113.9 against sshd on web-1, then one that worked": (
        "80 tentativas de login falhas de 203.0.113.9 contra sshd em web-1, depois uma que funcionou"
    ),
    "user ana was never seen from 203.0.113.9 before in sshd on web-1": (
        "usuário ana nunca foi visto de 203.0.113.9 antes em sshd em web-1"
    ),
    "at most 16, instead of about 64 lines of this kind from 75.97.9.59 within 30 min": (
        "no máximo 16, em vez de cerca de 64 linhas deste padrão de 75.97.9.59 em 30 min"
    ),
    "at most 21 in 3 min, instead of 700 failed log-ins from 183.62.140.253 in 8 min": (
        "no máximo 21 em 3 min, em vez de 700 logins falhos de 183.62.140.253 em 8 min"
    ),
    "failed log-ins from 51 addresses against 6 users of sshd within 10 min; usual: at most 6 addresses": (
        "logins falhos de 51 endereços contra 6 usuários de sshd em 10 min; normal: no máximo 6 endereços"
    ),
    "the value 403 was never seen there before: one of 2xx, 3xx in 2,520 lines": (
        "o valor 403 nunca foi visto ali antes: um de 2xx, 3xx em 2.520 linhas"
    ),
    "user anna once it is known: called a false alarm, or learnt by a training": (
        "usuário anna depois de conhecido: dito alarme falso, ou aprendido num treino"
    ),
    "something that no form knows": "something that no form knows",
}


@pytest.mark.parametrize("english", REASONS)
def test_reasons_are_told_anew_with_their_figures(english: str) -> None:
    """The form, the parts in it and how numbers are written are Portuguese; an unknown form stays as it is."""
    assert words("pt").retell(english) == REASONS[english]
    assert words("en").retell(english) == english


def test_numbers_are_written_as_the_language_writes_them() -> None:
    """In reasons and in tables alike: a comma that parts thousands in English would be a fraction in Portuguese."""
    assert words("en").number(1_764.25, 1) == "1,764.2"
    assert words("pt").number(1_764.25, 1) == "1.764,2"
    assert words("pt").number(12) == "12"


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_check_and_setting_is_told_in_every_language(language: str) -> None:
    """English stands where checks and settings are made; another language has all of them."""
    catalogue = json.loads((FOLDER / f"catalog/{language}.json").read_text())

    assert set(catalogue["names"]) >= set(diagnosis.CHECKS)
    assert set(catalogue["settings"]) == set(Settings.model_fields)
    assert words("en").meaning("elastic_user", "user name") == "user name"
    assert words("en").name("disk") == "disk"


def test_setting_without_a_value_is_shown_as_unset() -> None:
    """Also an empty list and a secret: dots stand only for a secret that is there."""
    unset = {row["name"]: row["value"] for row in in_force(Settings(log_sentinel_alert_urls=()))}
    given = {row["name"]: row["value"] for row in in_force(Settings(log_sentinel_alert_urls=("https://a.example",)))}

    assert unset["LOG_SENTINEL_ALERT_URLS"] == unset["LOG_SENTINEL_LINKS"] == "–"
    assert given["LOG_SENTINEL_ALERT_URLS"] == DOTS
    assert given["LOG_SENTINEL_FOLLOW"] == "on"
