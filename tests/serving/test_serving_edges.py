"""Sockets, the server's own log, and threads that take turns."""

import io
import logging
import socket
import threading

import pytest

from sentinel.errors import SettingsError
from serving import sockets
from serving.log_format import OneLineFormatter
from serving.repeat import Repeater


def test_bind_names_the_port_when_it_is_taken() -> None:
    """A taken port is named, and the sockets bound before it are given back."""
    (taken,) = sockets.bind("127.0.0.1", [0])
    port = taken.getsockname()[1]
    (free,) = sockets.bind("127.0.0.1", [0])
    other = free.getsockname()[1]
    free.close()

    with pytest.raises(SettingsError, match=f"port {port}.*LOG_SENTINEL_PORTS"):
        sockets.bind("127.0.0.1", [other, port])

    (again,) = sockets.bind("127.0.0.1", [other])
    again.close()
    taken.close()


def test_bind_names_the_host_when_it_is_not_ours() -> None:
    """An address of another machine cannot be listened on."""
    with pytest.raises(SettingsError, match=r"203\.0\.113\.7"):
        sockets.bind("203.0.113.7", [0])


def test_bind_listens_on_each_port_when_several_are_given() -> None:
    """Each port has its socket, and its address is told as a URL."""
    bound = sockets.bind("127.0.0.1", [0, 0])

    ports = [opened.getsockname()[1] for opened in bound]
    for port in ports:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()

    assert sockets.addresses(bound) == [f"http://127.0.0.1:{port}" for port in ports]
    for opened in bound:
        opened.close()


def test_own_log_stays_on_one_line_when_a_message_has_control_characters() -> None:
    """Line breaks, terminal sequences and NUL are escaped; no log line can write another."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")  # noqa: LOG001 it must not be the process's own
    logger.addHandler(handler)

    logger.warning("failed error=%s", "a\r\nINFO forged\x1b[31m\x00\u2028b")

    assert stream.getvalue() == "WARNING failed error=a\\r\\nINFO forged\\x1b[31m\\x00\\u2028b\n"


def test_own_log_escapes_the_words_of_an_exception() -> None:
    """Also a traceback's last line cannot forge one."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter("%(message)s"))
    logger = logging.Logger("test")  # noqa: LOG001 it must not be the process's own
    logger.addHandler(handler)

    try:
        raise ValueError("bad \x1b[31m value")
    except ValueError:
        logger.exception("failed")

    assert "\x1b" not in stream.getvalue()


def test_turns_go_on_when_one_of_them_fails(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that raises is told and tried again; the thread lives."""
    monkeypatch.setattr("serving.repeat.FAILED_PAUSE_S", 0.01)
    taken, done = [0], threading.Event()

    def turn() -> float:
        taken[0] += 1
        if taken[0] < 3:
            raise OSError("disk gone")
        done.set()
        return 60.0

    turns = Repeater("test", turn)
    turns.start()
    assert done.wait(10)
    turns.stop()

    assert taken[0] == 3
    assert turns.error is None
    assert caplog.text.count("failed reader=test") == 1


def test_turns_wake_when_there_is_news() -> None:
    """A sleeping reader takes its turn at once when it is woken."""
    seen = threading.Semaphore(0)

    def turn() -> float:
        seen.release()
        return 600.0

    turns = Repeater("test", turn)
    turns.start()
    assert seen.acquire(timeout=10)

    turns.wake()

    assert seen.acquire(timeout=10)
    turns.stop()
    assert not turns.is_running


def test_turns_gather_unless_somebody_is_in_a_hurry() -> None:
    """News alone does not shorten the time of gathering; a hurry does."""
    taken = threading.Semaphore(0)

    def turn() -> float:
        taken.release()
        return 600.0

    turns = Repeater("test", turn, gather_s=500.0)
    turns.start()
    assert taken.acquire(timeout=10)

    turns.wake()
    assert not taken.acquire(timeout=0.2)
    turns.hurry()

    assert taken.acquire(timeout=10)
    turns.stop()
