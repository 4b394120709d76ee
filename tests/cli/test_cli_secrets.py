"""Settings are trimmed and checked at the start, and no output of a command that fails tells a secret."""

import base64
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel import secrecy
from sentinel.errors import SettingsError, TransientError
from sentinel.settings import load_settings

Command = Callable[..., Any]
NOBODY = "http://127.0.0.1:9"
ENDS = ["\n", "\r\n", " ", "\t", "\u00a0", "\ufeff", "\u200b\n", "\x00"]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What the process knows, and who makes its log records, is as before."""
    factory = logging.getLogRecordFactory()
    yield
    secrecy.forget()
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize("end", ENDS, ids=ascii)
@pytest.mark.parametrize(
    "name",
    ["LOG_SENTINEL_KEY", "LOG_SENTINEL_SIGNING_KEY", "ELASTIC_API_KEY", "ELASTIC_PASSWORD", "ELASTIC_USER"],
)
def test_setting_is_meant_without_white_space_around_it(name: str, end: str) -> None:
    """A key from a file ends with a line's end."""
    loaded = load_settings(**{name.lower(): f"{end}s3cret{end}"})

    assert getattr(loaded, name.lower()) == "s3cret"


def test_setting_of_another_kind_is_trimmed_too(home: Path) -> None:
    """Numbers, paths, names and lists as well; what is blank is unset."""
    loaded = load_settings(
        log_sentinel_ports="8000, 8080\n",
        log_sentinel_dir="/var/log/app\r\n",
        log_sentinel_log_level="INFO\n",
        log_sentinel_max_body_mb="16 ",
        elastic_addr=" \n",
        log_sentinel_allowed_hosts=" Logs.Example. ,[0:0::1],10.0.0.7\n",
    )

    assert loaded.log_sentinel_ports == (8000, 8080)
    assert loaded.log_sentinel_dir == ("/var/log/app",)
    assert loaded.elastic_addr is None
    assert loaded.log_sentinel_allowed_hosts == ("logs.example", "::1", "10.0.0.7")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, " \n") for name in ("LOG_SENTINEL_KEY", "ELASTIC_API_KEY", "ELASTIC_PASSWORD")),
        *(("LOG_SENTINEL_KEY", f"geheim{inside}geheim") for inside in ("\n", "\r", "\x00", "\x7f", "\u2028")),
        *(("ELASTIC_API_KEY", f"geheim{inside}geheim") for inside in (" ", "\n", "\u00a0", "ü")),
        ("ELASTIC_PASSWORD", "geheim\ngeheim"),
        ("ELASTIC_USER", "elastic:geheim"),
        ("ELASTIC_ADDR", "http://elastic:geh/eim@localhost:9200"),
        ("ELASTIC_ADDR", "http://elastic:geh@eim@localhost:9200"),
        *(("LOG_SENTINEL_ALLOWED_HOSTS", bad) for bad in ("http://logs", "logs:8000", "*", "a b", "*.example.org")),
    ],
)
def test_setting_that_cannot_be_used_is_refused_at_the_start(name: str, value: str) -> None:
    """The setting is named, its value is not shown; a blank key opens no door."""
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings(**{name.lower(): value})

    assert "geh" not in f"{caught.value!r}{caught.value.__cause__}"


def test_settings_do_not_show_their_secrets() -> None:
    """Neither when they are printed."""
    loaded = load_settings(
        log_sentinel_key="geheim1", elastic_addr="http://u:geheim2@localhost", elastic_password="geheim3"
    )

    assert "geheim" not in f"{loaded!r} {loaded}"


SECRETS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Z")), min_size=6, max_size=30).filter(
    lambda text: text.strip() == text and not text.isalpha()
)


@given(secret=SECRETS)
def test_text_has_no_secret_left(secret: str) -> None:
    """In whatever form it is quoted."""
    secrecy.forget()
    secrecy.learn(secret)
    secrecy.learn_login("elastic", secret)
    basic = base64.b64encode(f"elastic:{secret}".encode()).decode()
    forms = [
        secret,
        repr(secret),
        repr(secret.encode()),
        quote(secret, safe=""),
        basic,
        secret.encode().decode("latin-1"),
    ]

    for form in forms:
        inner = form[1:-1] if form.startswith(("'", '"')) else form
        assert inner not in secrecy.blot(f"Illegal header value {form}, said the library")


def test_short_secret_is_blotted_out_where_it_stands_alone() -> None:
    """It may be part of any word, which stays readable."""
    secrecy.learn("on")

    assert secrecy.blot("key on, 'on' refused: connection") == "key [secret], '[secret]' refused: connection"


def test_encoded_key_is_known_by_its_halves() -> None:
    """An API key is base64 of an id and the key itself."""
    secrecy.learn(base64.b64encode(b"the-id:the-key-itself").decode())

    assert secrecy.blot("the-id: the-key-itself") == "the-id: [secret]"


COMMANDS = (
    "collect",
    "load",
    "status",
    "doctor",
    "doctor --json",
    "train",
    "score --file lines.log --out x",
    "dead-letters list",
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(secret=SECRETS, place=st.sampled_from(["key", "password", "address"]))
def test_failing_command_tells_no_secret(
    sentinel_command: Command, home: Path, caplog: pytest.LogCaptureFixture, secret: str, place: str
) -> None:
    """Whatever the command, wherever the secret stands, whatever its characters."""
    Path("lines.log").write_text("one line\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELASTIC_ADDR", NOBODY)
        if place == "address":
            patch.setenv("ELASTIC_ADDR", f"http://elastic:{quote(secret, safe='')}@127.0.0.1:9")
        elif place == "password":
            patch.setenv("ELASTIC_USER", "elastic")
            patch.setenv("ELASTIC_PASSWORD", secret + "\n")
        else:
            patch.setenv("ELASTIC_API_KEY", secret + "\n")
        for command in COMMANDS:
            ran = sentinel_command(*command.split())
            said = ran.out + ran.err + caplog.text

            assert "Traceback" not in said
            for form in (secret, repr(secret)[1:-1], quote(secret, safe="")):
                assert form not in said


def test_error_of_a_library_is_told_without_the_secret(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a message of ours, in a log record with its traceback, and where nobody catches it."""
    secrecy.learn("U0VDUkVUS0VZ")
    try:
        raise ValueError("Illegal header value b'ApiKey U0VDUkVUS0VZ\\n'")
    except ValueError as exc:
        logging.getLogger("somebody.else").exception("failed with %s", exc)
        told = str(TransientError(f"write: {exc}"))
    thread = threading.Thread(target=lambda: int("U0VDUkVUS0VZ"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", secrecy._uncaught_in_thread)
        thread.start()
        thread.join()
    said = told + caplog.text + capsys.readouterr().err

    assert "U0VDUkVUS0VZ" not in said
    assert said.count(secrecy.BLOT) >= 4
