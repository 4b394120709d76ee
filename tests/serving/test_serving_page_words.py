"""The page's languages, and text of logs as a person may see it."""

import json
import re
from pathlib import Path

import pytest

import serving.page
from serving.page.language import LANGUAGES, choose, words
from serving.page.login import safe_next
from serving.page.plain import plain, shortened
from serving.page.render import _marked, moment, points

FOLDER = Path(serving.page.__file__).parent
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
